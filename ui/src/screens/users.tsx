// The screen `users`, for administrators.
import { useSignal } from '@preact/signals';
import type { User } from '../api/types';
import { deleteUser, listUsers } from '../api/users';
import { Button, IconButton } from '../components/Button';
import { confirm } from '../components/Confirm';
import { useLoaded, Waiting } from '../components/Loaded';
import { Time } from '../components/Time';
import { user as current } from '../state/session';
import { leave } from '../state/start';
import { toast, toastError } from '../state/toasts';
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
        <ul class="card items" aria-label={t('users.list')}>
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
        </ul>
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
        <IconButton icon="edit" label={t('users.editName', { name })} onClick={onEdit} />
        <IconButton
          icon="trash"
          label={t('users.deleteName', { name })}
          onClick={() => void askToDelete(user, onChange)}
        />
      </div>
    </li>
  );
}

async function askToDelete({ id, name }: User, onChange: () => Promise<void>): Promise<void> {
  const agreed = await confirm({
    title: t('users.deleteTitle', { name }),
    text: t('users.deleteText'),
    action: t('button.delete'),
    danger: true,
  });
  if (!agreed) return;
  try {
    const isSelf = id === current.value?.id;
    if (isSelf) await leave(() => deleteUser(id));
    else await deleteUser(id);
    toast(t('users.deleted', { name }));
    if (!isSelf) await onChange();
  } catch (error) {
    toastError(error);
  }
}
