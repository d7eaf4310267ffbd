// Changes one's own password.
import { useSignal } from '@preact/signals';
import { changePassword } from '../../api/users';
import { Button } from '../../components/Button';
import { FormError, useSubmit } from '../../components/form';
import { PasswordField } from '../../components/PasswordField';
import { user } from '../../state/session';
import { toast } from '../../state/toasts';
import { t } from '../../text';

export function Password() {
  const pass = useSignal('');
  const repeated = useSignal('');
  const isChecked = useSignal(false);
  const isMissing = pass.value === '';
  const isDifferent = pass.value !== repeated.value;
  const check = () => {
    isChecked.value = true;
    return !isMissing && !isDifferent;
  };
  const send = async () => {
    await changePassword(pass.value);
    pass.value = '';
    repeated.value = '';
    isChecked.value = false;
    toast(t('account.passwordChanged'));
  };
  const { onSubmit, isBusy, error } = useSubmit(send, check);

  return (
    <section class="card section">
      <h2>{t('account.password')}</h2>
      <form class="stack" onSubmit={onSubmit} noValidate>
        {/* Browsers that keep passwords look for the name beside it. */}
        <input hidden type="text" autocomplete="username" value={user.value?.name ?? ''} readOnly />
        <div class="columns">
          <PasswordField
            label={t('account.newPassword')}
            error={isChecked.value && isMissing ? t('account.passwordMissing') : null}
            value={pass.value}
            autocomplete="new-password"
            onValue={(value) => {
              pass.value = value;
            }}
          />
          <PasswordField
            label={t('account.repeatPassword')}
            error={isChecked.value && !isMissing && isDifferent ? t('account.passwordDiffers') : null}
            value={repeated.value}
            autocomplete="new-password"
            onValue={(value) => {
              repeated.value = value;
            }}
          />
        </div>
        <p class="field-hint">{t('account.passwordHint')}</p>
        <FormError error={error} />
        <div class="row">
          <Button kind="primary" type="submit" busy={isBusy.value}>
            {t('account.passwordChange')}
          </Button>
        </div>
      </form>
    </section>
  );
}
