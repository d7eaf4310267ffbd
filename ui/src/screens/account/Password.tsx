// Changes one's own password.
import { changePassword } from '../../api/users';
import { Button } from '../../components/Button';
import { FormError, useSubmit } from '../../components/form';
import { NewPassword, useNewPassword } from '../../components/NewPassword';
import { user } from '../../state/session';
import { toast } from '../../state/toasts';
import { t } from '../../text';

export function Password() {
  const state = useNewPassword();
  const { onSubmit, isBusy, error } = useSubmit(async () => {
    await changePassword(state.password.value);
    state.clear();
    toast(t('account.passwordChanged'));
  }, state.check);

  return (
    <section class="card section">
      <h2>{t('account.password')}</h2>
      <form class="stack" onSubmit={onSubmit} noValidate>
        <div class="columns">
          <NewPassword name={user.value?.name ?? ''} state={state} />
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
