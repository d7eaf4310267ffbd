// The screen `users`, for administrators.
import { useSignal } from '@preact/signals';
import type { User } from '../api/types';
import { deleteUser, listUsers } from '../api/users';
import { Button, IconButton } from '../components/Button';
import { confirmDeletion } from '../components/Confirm';
import { Items } from '../components/Items';
import { useLoaded, Waiting } from '../components/Loaded';
import { Time } from '../components/Time';
import { user as current } from '../state/session';
import { leave } from '../state/start';
import { t } from '../text';
import { UserDialog } from './users/UserDialog';

export default function Users() {
  const shown = useSignal<{ user?: User } | null>(null);
  const { value: users, error, reload } = useLoaded(listUsers);
  return (
    <div class="screen">
      <div class="screen-head">
        <h1>{t('users.title')}</h1>
        <Button
          kind="primary"
          icon="plus"
          onClick={() => {
            shown.value = {};
          }}
        >
          {t('users.create')}
        </Button>
      </div>
      {users.value === null && <Waiting error={error} reload={reload} />}
      {users.value && (
        <Items label={t('users.list')} count={users.value.length}>
          {users.value.map((user) => (
            <UserRow
              key={user.id}
              user={user}
              onChange={reload}
              onEdit={() => {
                shown.value = { user };
              }}
            />
          ))}
        </Items>
      )}
      {shown.value && (
        <UserDialog
          {...shown.value}
          onChange={reload}
          onClose={() => {
            shown.value = null;
          }}
        />
      )}
    </div>
  );
}

type UserRowProps = { user: User; onEdit: () => void; onChange: () => Promise<void> };

function UserRow({ user, onEdit, onChange }: UserRowProps) {
  const { id, name, admin, createdAt } = user;
  return (
    <li class="item">
      <div class="item-main">
        <div class="item-title">
          <span>{name}</span>
          {id === current.value?.id && <span class="tag">{t('users.you')}</span>}
        </div>
        <ul class="facts">
          {admin && <li>{t('users.admin')}</li>}
          {createdAt && (
            <li>
              <Time time={createdAt} text={(time) => t('users.since', { time })} />
            </li>
          )}
        </ul>
      </div>
      <div class="item-actions">
        <IconButton icon="edit" label={t('entries.editName', { name })} onClick={onEdit} />
        <IconButton
          icon="trash"
          label={t('users.deleteName', { name })}
          onClick={() => void askToDelete(user, onChange)}
        />
      </div>
    </li>
  );
}

function askToDelete({ id, name }: User, onChange: () => Promise<void>): Promise<void> {
  return confirmDeletion(
    t('entries.deleteTitle', { name }),
    t('users.deleteText'),
    () => (id === current.value?.id ? leave(() => deleteUser(id)) : deleteUser(id).then(onChange)),
    t('entries.deleted', { name }),
  );
}
