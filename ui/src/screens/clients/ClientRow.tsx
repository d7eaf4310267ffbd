// One client in the list.
import { deleteClient, elevateClient } from '../../api/clients';
import type { Client } from '../../api/types';
import { IconButton } from '../../components/Button';
import { confirmDeletion } from '../../components/Confirm';
import { Menu, type MenuItem } from '../../components/Menu';
import { Time } from '../../components/Time';
import { ELEVATION_SECONDS } from '../../elevation';
import { overview, reloadUser } from '../../state/session';
import { leave } from '../../state/start';
import { toast, toastError } from '../../state/toasts';
import { t } from '../../text';
import type { Shown } from '../clients';

export type ClientRowProps = {
  client: Client;
  /** It is the session of this page. */
  isOwn: boolean;
  show: (next: Shown) => void;
  onChange: () => Promise<void>;
};

export function ClientRow({ client, isOwn, show, onChange }: ClientRowProps) {
  const { name } = client;
  const items = actions(client, isOwn, show, onChange);
  return (
    <li class="item">
      <div class="item-main">
        <div class="item-title">
          <span>{name}</span>
          {isOwn && <span class="tag">{t('clients.thisDevice')}</span>}
        </div>
        <Facts client={client} />
      </div>
      <div class="item-actions">
        <IconButton
          icon="edit"
          label={t('entries.editName', { name })}
          onClick={() => show({ dialog: 'edit', client })}
        />
        <IconButton
          icon="trash"
          label={t('clients.deleteName', { name })}
          onClick={() => void askToDelete(client, isOwn, onChange)}
        />
        <Menu label={t('entries.actions', { name })} items={items} />
      </div>
    </li>
  );
}

function Facts({ client: { lastUsed, expiresAt, elevatedUntil } }: { client: Client }) {
  return (
    <ul class="facts">
      <li>
        {lastUsed ? (
          <Time time={lastUsed} text={(time) => t('entries.lastUsed', { time })} />
        ) : (
          t('entries.neverUsed')
        )}
      </li>
      {expiresAt && (
        <li>
          <Time time={expiresAt} text={(time) => t('clients.expires', { time })} />
        </li>
      )}
      {elevatedUntil && (
        <li>
          <Time time={elevatedUntil} text={(time) => t('clients.elevated', { time })} />
        </li>
      )}
    </ul>
  );
}

function actions(
  client: Client,
  isOwn: boolean,
  show: (next: Shown) => void,
  onChange: () => Promise<void>,
): MenuItem[] {
  const { name, token, elevatedUntil } = client;
  const items: MenuItem[] = [
    { label: t('clients.edit'), icon: 'edit', run: () => show({ dialog: 'edit', client }) },
  ];
  if (token) {
    items.push({ label: t('clients.tokenShow'), icon: 'key', run: () => show({ dialog: 'token', client }) });
  }
  // Gotify 2 knows no elevation.
  const deletion: MenuItem = {
    label: t('button.delete'),
    icon: 'trash',
    danger: true,
    run: () => void askToDelete(client, isOwn, onChange),
  };
  if (overview.value?.compatibility === 'v2') return [...items, deletion];
  const elevate = async (seconds: number, said: string) => {
    try {
      await elevateClient(client.id, seconds);
      toast(said);
      await Promise.all([onChange(), isOwn ? reloadUser() : null]);
    } catch (error) {
      toastError(error);
    }
  };
  items.push({
    label: t('clients.elevate'),
    icon: 'up',
    run: () => void elevate(ELEVATION_SECONDS, t('clients.elevatedNow', { name })),
  });
  if (elevatedUntil) {
    items.push({
      label: t('clients.endElevation'),
      icon: 'down',
      run: () => void elevate(-1, t('clients.elevationEnded', { name })),
    });
  }
  return [...items, deletion];
}

function askToDelete({ id, name }: Client, isOwn: boolean, onChange: () => Promise<void>): Promise<void> {
  return confirmDeletion(
    t('entries.deleteTitle', { name }),
    isOwn ? t('clients.deleteSelf') : t('clients.deleteText'),
    () => (isOwn ? leave(() => deleteClient(id)) : deleteClient(id).then(onChange)),
    t('entries.deleted', { name }),
  );
}
