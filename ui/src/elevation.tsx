// Asks for the password again where the server demands an elevated session, and elevates it.
import { signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ApiError } from './api/errors';
import { elevateWithPassword } from './api/session';
import { Button } from './components/Button';
import { Dialog } from './components/Dialog';
import { PasswordField } from './components/PasswordField';
import { overview, reloadUser, user } from './state/session';
import { errorText } from './state/toasts';
import { t } from './text';

/** For how long a session is elevated, as after a login. */
export const ELEVATION_SECONDS = 3600;

const asked = signal<{ answer: (isElevated: boolean) => void } | null>(null);
let asking: Promise<boolean> | null = null;

/** Resolves to whether the session is elevated now. Requests that ask at the same time share one dialog. */
export function elevate(): Promise<boolean> {
  asking ??= new Promise<boolean>((resolve) => {
    asked.value = { answer: resolve };
  }).finally(() => {
    asked.value = null;
    asking = null;
  });
  return asking;
}

/** Where the dialog is shown; the frame has one. */
export function Elevation() {
  return asked.value && user.value ? <ElevationDialog answer={asked.value.answer} /> : null;
}

function ElevationDialog({ answer }: { answer: (isElevated: boolean) => void }) {
  const password = useSignal('');
  const error = useSignal<string | null>(null);
  const isBusy = useSignal(false);
  const { name = '', clientId = 0 } = user.value ?? {};

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    isBusy.value = true;
    try {
      await elevateWithPassword(name, password.value, clientId, ELEVATION_SECONDS);
      answer(true);
      await reloadUser();
    } catch (refused) {
      const isWrong = refused instanceof ApiError && refused.status === 401;
      error.value = isWrong ? t('elevate.wrong') : errorText(refused);
    } finally {
      isBusy.value = false;
    }
  };

  return (
    <Dialog title={t('elevate.title')} onClose={() => answer(false)}>
      <p>{t('elevate.text')}</p>
      <form class="stack" onSubmit={submit} noValidate>
        <input
          class="visually-hidden"
          autocomplete="username"
          value={name}
          readOnly
          tabIndex={-1}
          aria-hidden="true"
        />
        <PasswordField
          label={t('elevate.password')}
          value={password.value}
          autocomplete="current-password"
          autoFocus
          error={error.value}
          onValue={(value) => {
            password.value = value;
            error.value = null;
          }}
        />
        <div class="dialog-actions">
          <Button onClick={() => answer(false)}>{t('button.cancel')}</Button>
          <Button kind="primary" type="submit" busy={isBusy.value}>
            {t('elevate.confirm')}
          </Button>
        </div>
      </form>
      {overview.value?.oidc && <Provider clientId={clientId} onElevated={() => answer(true)} />}
    </Dialog>
  );
}

/** Elevates by a login with the identity provider in another tab. */
function Provider({ clientId, onElevated }: { clientId: number; onElevated: () => void }) {
  const state = useSignal<'waiting' | 'blocked' | null>(null);
  useEffect(() => {
    if (state.value !== 'waiting') return;
    const look = async () => {
      if (document.visibilityState === 'visible' && (await reloadUser())?.elevatedUntil) onElevated();
    };
    const timer = setInterval(() => void look().catch(() => {}), 2000);
    return () => clearInterval(timer);
  }, [state.value]);
  return (
    <div class="stack" role="status">
      <Button
        icon="external"
        onClick={() => {
          const url = `auth/oidc/elevate?id=${clientId}&durationSeconds=${ELEVATION_SECONDS}`;
          state.value = open(url, '_blank') ? 'waiting' : 'blocked';
        }}
      >
        {t('elevate.provider')}
      </Button>
      {state.value && <p>{t(`elevate.${state.value}`)}</p>}
    </div>
  );
}
