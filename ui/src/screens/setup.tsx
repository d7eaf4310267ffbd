// The link that the server prints, at its first start and for a lost password, leads here to choose a password.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ApiError } from '../api/errors';
import { clientName, fetchUserOf, replacePassword } from '../api/session';
import type { User } from '../api/types';
import { Button } from '../components/Button';
import { PasswordField } from '../components/PasswordField';
import { Spinner } from '../components/Spinner';
import { user } from '../state/session';
import { setupLink } from '../state/setup';
import { errorText, toast } from '../state/toasts';
import { t } from '../text';
import { Entrance, enter } from './entrance';

/** What is known of the link: that it logs in, that it does not, or that the server did not say. */
type Checked = { user: User } | { isUsed: true } | { failure: unknown };

/** Shows the form only if the link still logs in. Who is logged in anyway gets a notice instead. */
export function Setup({ name, password }: { name: string; password: string }) {
  const checked = useSignal<Checked | null>(null);
  const check = async () => {
    checked.value = null;
    try {
      checked.value = { user: await fetchUserOf(name, password) };
    } catch (failure) {
      checked.value = isRefused(failure) ? { isUsed: true } : { failure };
    }
    if ('isUsed' in checked.value && user.peek()) {
      setupLink.value = null;
      toast(t('setup.used'));
    }
  };
  useEffect(() => void check(), [name, password]);

  const known = checked.value;
  if (known === null) return <Spinner />;
  if ('user' in known) {
    const onUsed = () => {
      checked.value = { isUsed: true };
    };
    return <Form known={known.user} password={password} onUsed={onUsed} />;
  }
  return (
    <Entrance title={t('setup.title')}>
      <p class="notice error" role="alert">
        {'isUsed' in known ? t('setup.used') : errorText(known.failure)}
      </p>
      {'isUsed' in known ? (
        <>
          <p class="muted">{t('setup.usedHint')}</p>
          <a
            class="button primary wide"
            href="#/messages"
            onClick={() => {
              setupLink.value = null;
            }}
          >
            {t('setup.toLogin')}
          </a>
        </>
      ) : (
        <Button wide onClick={() => void check()}>
          {t('button.retry')}
        </Button>
      )}
    </Entrance>
  );
}

function isRefused(failure: unknown): boolean {
  return failure instanceof ApiError && failure.status === 401;
}

type FormProps = { known: User; password: string; onUsed: () => void };

function Form({ known: { name, admin }, password: known, onUsed }: FormProps) {
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
      const loggedIn = await replacePassword(name, known, password.value, clientName());
      // What is shown may be another user's.
      if (user.peek()) location.reload();
      setupLink.value = null;
      enter(loggedIn);
    } catch (failure) {
      if (isRefused(failure)) onUsed();
      else error.value = errorText(failure);
    } finally {
      isBusy.value = false;
    }
  };

  return (
    <Entrance title={t('setup.title')}>
      <p class="muted">{t(admin ? 'setup.textAdministrator' : 'setup.text', { name })}</p>
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
