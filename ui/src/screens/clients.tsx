// The screen `clients`: what receives the user's messages.
import { useSignal } from '@preact/signals';
import { listClients } from '../api/clients';
import type { Client } from '../api/types';
import { Button } from '../components/Button';
import { useLoaded, Waiting } from '../components/Loaded';
import { user } from '../state/session';
import { t } from '../text';
import { ClientDialog, ClientTokenDialog } from './clients/ClientDialog';
import { ClientRow } from './clients/ClientRow';

export type Shown =
  | { dialog: 'create' }
  | { dialog: 'edit'; client: Client }
  | { dialog: 'token'; client: Client };

export default function Clients() {
  const shown = useSignal<Shown | null>(null);
  const show = (next: Shown | null) => {
    shown.value = next;
  };
  const { value: clients, error, reload } = useLoaded(listClients);

  const own = user.value?.clientId;
  const list = [...(clients.value ?? [])].sort((a, b) => Number(b.id === own) - Number(a.id === own));
  const now = shown.value;
  return (
    <div class="screen">
      <div class="screen-head">
        <h1>{t('clients.title')}</h1>
        <Button kind="primary" icon="plus" onClick={() => show({ dialog: 'create' })}>
          {t('clients.create')}
        </Button>
      </div>
      <p class="muted">{t('clients.intro')}</p>
      {clients.value === null && <Waiting error={error} reload={reload} />}
      {list.length > 0 && (
        <ul class="card items" aria-label={t('clients.list')}>
          {list.map((client) => (
            <ClientRow
              key={client.id}
              client={client}
              isOwn={client.id === own}
              show={show}
              onChange={reload}
            />
          ))}
        </ul>
      )}
      {now?.dialog === 'create' && <ClientDialog show={show} onChange={reload} />}
      {now?.dialog === 'edit' && <ClientDialog client={now.client} show={show} onChange={reload} />}
      {now?.dialog === 'token' && <ClientTokenDialog client={now.client} onClose={() => show(null)} />}
    </div>
  );
}
