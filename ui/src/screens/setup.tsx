// The first start: the link that the server prints leads here, to choose the administrator's password.
import { useSignal } from '@preact/signals';
import { ApiError } from '../api/errors';
import { clientName, replacePassword } from '../api/session';
import { Button } from '../components/Button';
import { PasswordField } from '../components/PasswordField';
import { setupLink } from '../state/setup';
import { errorText } from '../state/toasts';
import { t } from '../text';
import { Entrance, enter } from './entrance';

export function Setup({ name, password: known }: { name: string; password: string }) {
  const password = useSignal('');
  const repeated = useSignal('');
  const isBusy = useSignal(false);
  const error = useSignal<string | null>(null);

  const submit = async (event: Event) => {
    event.preventDefault();
    if (isBusy.value) return;
    error.value = null;
    if (password.value !== repeated.value) {
      error.value = t('setup.differs');
      return;
    }
    isBusy.value = true;
    try {
      const user = await replacePassword(name, known, password.value, clientName());
      setupLink.value = null;
      enter(user);
    } catch (failure) {
      error.value = explain(failure);
    } finally {
      isBusy.value = false;
    }
  };

  return (
    <Entrance title={t('setup.title')}>
      <p class="muted">{t('setup.text', { name })}</p>
      <form class="stack" onSubmit={submit}>
        {/* So that a password manager knows whose password it keeps. */}
        <input type="text" name="username" autocomplete="username" value={name} readOnly hidden />
        <PasswordField
          label={t('setup.password')}
          value={password.value}
          onValue={(value) => {
            password.value = value;
          }}
          name="new-password"
          autocomplete="new-password"
          autoFocus
        />
        <PasswordField
          label={t('setup.repeat')}
          value={repeated.value}
          onValue={(value) => {
            repeated.value = value;
          }}
          name="repeat-password"
          autocomplete="new-password"
        />
        {error.value && (
          <p class="notice error" role="alert">
            {error.value}
          </p>
        )}
        <Button kind="primary" type="submit" wide busy={isBusy.value}>
          {t('setup.submit')}
        </Button>
      </form>
    </Entrance>
  );
}

function explain(failure: unknown): string {
  if (failure instanceof ApiError && failure.status === 401) return t('setup.used');
  return errorText(failure);
}
