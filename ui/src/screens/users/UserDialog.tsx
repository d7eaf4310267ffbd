// Makes a user, or changes one.
import { useSignal } from '@preact/signals';
import type { User } from '../../api/types';
import { createUser, updateUser } from '../../api/users';
import { Field } from '../../components/Field';
import { FormDialog } from '../../components/FormDialog';
import { bound, useSubmit } from '../../components/form';
import { PasswordField } from '../../components/PasswordField';
import { Switch } from '../../components/Switch';
import { user as current, reloadUser } from '../../state/session';
import { toast } from '../../state/toasts';
import { t } from '../../text';

export type UserDialogProps = {
  /** None makes a new one. */
  user?: User;
  onChange: () => Promise<void>;
  onClose: () => void;
};

export function UserDialog({ user, onChange, onClose }: UserDialogProps) {
  const name = useSignal(user?.name ?? '');
  const pass = useSignal('');
  const admin = useSignal(user?.admin ?? false);
  const isChecked = useSignal(false);
  const hasNoName = name.value.trim() === '';
  const hasNoPassword = !user && pass.value === '';
  const check = () => {
    isChecked.value = true;
    return !hasNoName && !hasNoPassword;
  };
  const send = async () => {
    const params = { name: name.value.trim(), pass: pass.value, admin: admin.value };
    const saved = user ? await updateUser(user.id, params) : await createUser(params);
    toast(t(user ? 'entries.saved' : 'entries.created', { name: saved.name }));
    onClose();
    await Promise.all([onChange(), saved.id === current.value?.id ? reloadUser() : null]);
  };
  const submit = useSubmit(send, check);

  return (
    <FormDialog
      title={t(user ? 'users.edit' : 'users.create')}
      submit={submit}
      action={t(user ? 'button.save' : 'button.create')}
      onClose={onClose}
    >
      <Field
        label={t('users.name')}
        error={isChecked.value && hasNoName ? t('entries.nameMissing') : null}
        {...bound(name)}
        maxLength={180}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        required
        autofocus
      />
      <PasswordField
        label={t(user ? 'password.new' : 'users.password')}
        hint={user ? t('users.newPasswordHint') : undefined}
        error={isChecked.value && hasNoPassword ? t('password.missing') : null}
        {...bound(pass)}
        autocomplete="new-password"
        required={!user}
      />
      <Switch
        label={t('users.isAdmin')}
        hint={t('users.isAdminHint')}
        checked={admin.value}
        onChecked={(checked) => {
          admin.value = checked;
        }}
      />
    </FormDialog>
  );
}
