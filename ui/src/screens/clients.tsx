// The screen `clients`: what receives the user's messages.
import { useSignal } from '@preact/signals';
import { listClients } from '../api/clients';
import type { Client } from '../api/types';
import { Button } from '../components/Button';
import { Items } from '../components/Items';
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
  const open = shown.value;
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
        <Items label={t('clients.list')} count={list.length}>
          {list.map((client) => (
            <ClientRow
              key={client.id}
              client={client}
              isOwn={client.id === own}
              show={show}
              onChange={reload}
            />
          ))}
        </Items>
      )}
      {open?.dialog === 'create' && <ClientDialog show={show} onChange={reload} />}
      {open?.dialog === 'edit' && <ClientDialog client={open.client} show={show} onChange={reload} />}
      {open?.dialog === 'token' && <ClientTokenDialog client={open.client} onClose={() => show(null)} />}
    </div>
  );
}
