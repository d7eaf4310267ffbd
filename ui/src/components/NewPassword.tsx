// A new password of one's own, typed twice.
import { type Signal, useSignal } from '@preact/signals';
import { t } from '../text';
import { bound } from './form';
import { PasswordField } from './PasswordField';

export type NewPasswordState = {
  password: Signal<string>;
  repeated: Signal<string>;
  isChecked: Signal<boolean>;
  /** Whether it may be sent; marks what is wrong from now on. */
  check: () => boolean;
  clear: () => void;
};

export function useNewPassword(): NewPasswordState {
  const password = useSignal('');
  const repeated = useSignal('');
  const isChecked = useSignal(false);
  return {
    password,
    repeated,
    isChecked,
    check: () => {
      isChecked.value = true;
      return password.value !== '' && password.value === repeated.value;
    },
    clear: () => {
      password.value = '';
      repeated.value = '';
      isChecked.value = false;
    },
  };
}

/** The two fields, and hidden the name of the user, which browsers that keep passwords look for. */
export function NewPassword({ name, state }: { name: string; state: NewPasswordState }) {
  const { password, repeated, isChecked } = state;
  const isMissing = isChecked.value && password.value === '';
  const isDifferent = isChecked.value && !isMissing && password.value !== repeated.value;
  return (
    <>
      <input hidden type="text" autocomplete="username" value={name} readOnly />
      <PasswordField
        label={t('password.new')}
        error={isMissing ? t('password.missing') : null}
        autocomplete="new-password"
        {...bound(password)}
      />
      <PasswordField
        label={t('password.repeat')}
        error={isDifferent ? t('password.differs') : null}
        autocomplete="new-password"
        {...bound(repeated)}
      />
    </>
  );
}
