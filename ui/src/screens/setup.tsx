// The link that the server prints, at its first start and for a lost password, leads here to choose a password.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { isUnauthorized } from '../api/errors';
import { clientName, fetchUserOf, replacePassword } from '../api/session';
import type { User } from '../api/types';
import { Button } from '../components/Button';
import { FormError, useSubmit } from '../components/form';
import { NewPassword, useNewPassword } from '../components/NewPassword';
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
      checked.value = isUnauthorized(failure) ? { isUsed: true } : { failure };
    }
    if ('isUsed' in checked.value && user.peek()) {
      setupLink.value = null;
      toast(t('setup.used'));
    }
  };
  useEffect(() => void check(), [name, password]);

  const result = checked.value;
  if (result === null) return <Spinner />;
  if ('user' in result) {
    const onUsed = () => {
      checked.value = { isUsed: true };
    };
    return <Form owner={result.user} password={password} onUsed={onUsed} />;
  }
  return (
    <Entrance title={t('setup.title')}>
      <p class="notice error" role="alert">
        {'isUsed' in result ? t('setup.used') : errorText(result.failure)}
      </p>
      {'isUsed' in result ? (
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

type FormProps = { owner: User; password: string; onUsed: () => void };

function Form({ owner: { name, admin }, password, onUsed }: FormProps) {
  const state = useNewPassword();
  const { onSubmit, isBusy, error } = useSubmit(async () => {
    try {
      await enter(await replacePassword(name, password, state.password.value, clientName()));
      setupLink.value = null;
    } catch (failure) {
      if (!isUnauthorized(failure)) throw failure;
      onUsed();
    }
  }, state.check);

  return (
    <Entrance title={t('setup.title')}>
      <p class="muted">{t(admin ? 'setup.textAdministrator' : 'setup.text', { name })}</p>
      <form class="stack" onSubmit={onSubmit} noValidate>
        <NewPassword name={name} state={state} />
        <FormError error={error} />
        <Button kind="primary" type="submit" wide busy={isBusy.value}>
          {t('setup.submit')}
        </Button>
      </form>
    </Entrance>
  );
}
