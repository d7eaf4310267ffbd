// Asks for the password again where the server demands an elevated session, and elevates it.
import { signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { unauthorizedMeans } from './api/errors';
import { elevateWithPassword } from './api/session';
import { Button } from './components/Button';
import { FormDialog } from './components/FormDialog';
import { useSubmit } from './components/form';
import { PasswordField } from './components/PasswordField';
import { overview, reloadUser, user } from './state/session';
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

/** Ends the question, if it is open, without an elevation. */
export function denyElevation(): void {
  asked.peek()?.answer(false);
}

/** Where the dialog is shown; the frame has one. */
export function Elevation() {
  return asked.value && user.value ? <ElevationDialog answer={asked.value.answer} /> : null;
}

function ElevationDialog({ answer }: { answer: (isElevated: boolean) => void }) {
  const password = useSignal('');
  const { id, name = '', clientId = 0 } = user.value ?? {};
  const submit = useSubmit(async () => {
    await elevateWithPassword(name, password.value, clientId, ELEVATION_SECONDS).catch(
      unauthorizedMeans(t('elevate.wrong')),
    );
    answer((await reloadUser()).id === id);
  });

  return (
    <FormDialog
      title={t('elevate.title')}
      submit={submit}
      action={t('elevate.confirm')}
      onClose={() => answer(false)}
      below={overview.value?.oidc && <Provider clientId={clientId} onElevated={() => answer(true)} />}
    >
      <p>{t('elevate.text')}</p>
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
        onValue={(value) => {
          password.value = value;
          submit.error.value = null;
        }}
      />
    </FormDialog>
  );
}

/** Elevates by a login with the identity provider in another tab. */
function Provider({ clientId, onElevated }: { clientId: number; onElevated: () => void }) {
  const state = useSignal<'waiting' | 'blocked' | null>(null);
  useEffect(() => {
    if (state.value !== 'waiting') return;
    const look = async () => {
      if (document.visibilityState !== 'visible') return;
      const now = await reloadUser();
      if (now.clientId === clientId && now.elevatedUntil) onElevated();
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
