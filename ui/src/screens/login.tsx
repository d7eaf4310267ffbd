// Logging in, and where the server allows it, making an account.
import { useSignal } from '@preact/signals';
import { unauthorizedMeans } from '../api/errors';
import { clientName, identityProviderUrl, logIn, register } from '../api/session';
import { Button } from '../components/Button';
import { Field } from '../components/Field';
import { bound, FormError, useSubmit } from '../components/form';
import { PasswordField } from '../components/PasswordField';
import { overview, sessionEnded } from '../state/session';
import { t } from '../text';
import { Entrance, enter } from './entrance';

export function Login() {
  const name = useSignal('');
  const password = useSignal('');
  const isRegistering = useSignal(false);
  const known = overview.value;

  const { onSubmit, isBusy, error } = useSubmit(async () => {
    if (isRegistering.value) {
      await register(name.value, password.value);
      // Whatever fails now, the account is there.
      isRegistering.value = false;
    }
    const user = await logIn(name.value, password.value, clientName()).catch(
      unauthorizedMeans(t('login.wrong')),
    );
    await enter(user);
  });

  const title = isRegistering.value ? t('register.title') : t('login.title');
  return (
    <Entrance title={title}>
      {sessionEnded.value && <p class="notice warning">{t('login.ended')}</p>}
      <form class="stack" onSubmit={onSubmit}>
        <Field
          label={t('login.name')}
          {...bound(name)}
          name="username"
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
          required
        />
        <PasswordField
          label={t('login.password')}
          {...bound(password)}
          name="password"
          autocomplete={isRegistering.value ? 'new-password' : 'current-password'}
        />
        <FormError error={error} />
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
