// Logging in, and where the server allows it, making an account.
import { useSignal } from '@preact/signals';
import { ApiError } from '../api/errors';
import { fetchOverview } from '../api/overview';
import { clientName, identityProviderUrl, logIn, register } from '../api/session';
import { Button } from '../components/Button';
import { Field } from '../components/Field';
import { PasswordField } from '../components/PasswordField';
import { overview, sessionEnded } from '../state/session';
import { errorText } from '../state/toasts';
import { t } from '../text';
import { Entrance, enter } from './entrance';

export function Login() {
  const name = useSignal('');
  const password = useSignal('');
  const isRegistering = useSignal(false);
  const isBusy = useSignal(false);
  const error = useSignal<string | null>(null);
  const known = overview.value;

  const submit = async (event: Event) => {
    event.preventDefault();
    if (isBusy.value) return;
    isBusy.value = true;
    error.value = null;
    try {
      if (isRegistering.value) await register(name.value, password.value);
      const user = await logIn(name.value, password.value, clientName());
      // A browser that drops the cookie would show an empty page that logs out at once.
      if ((await fetchOverview()).user) enter(user);
      else error.value = t('login.cookieDropped');
    } catch (failure) {
      const isWrong = failure instanceof ApiError && failure.status === 401 && !isRegistering.value;
      error.value = isWrong ? t('login.wrong') : errorText(failure);
    } finally {
      isBusy.value = false;
    }
  };

  const title = isRegistering.value ? t('register.title') : t('login.title');
  return (
    <Entrance title={title}>
      {sessionEnded.value && <p class="notice warning">{t('login.ended')}</p>}
      <form class="stack" onSubmit={submit}>
        <Field
          label={t('login.name')}
          value={name.value}
          onValue={(value) => {
            name.value = value;
          }}
          name="username"
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
          required
          autoFocus
        />
        <PasswordField
          label={t('login.password')}
          value={password.value}
          onValue={(value) => {
            password.value = value;
          }}
          name="password"
          autocomplete={isRegistering.value ? 'new-password' : 'current-password'}
        />
        {error.value && (
          <p class="notice error" role="alert">
            {error.value}
          </p>
        )}
        <Button kind="primary" type="submit" wide busy={isBusy.value}>
          {isRegistering.value ? t('register.submit') : t('login.submit')}
        </Button>
      </form>
      {known?.oidc && (
        <a class="button wide" href={identityProviderUrl(clientName())}>
          {t('login.provider')}
        </a>
      )}
      {known?.register && (
        <Button
          kind="quiet"
          wide
          onClick={() => {
            isRegistering.value = !isRegistering.value;
            error.value = null;
          }}
        >
          {isRegistering.value ? t('login.toLogin') : t('login.toRegister')}
        </Button>
      )}
    </Entrance>
  );
}
