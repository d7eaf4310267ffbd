// The frame: who is not logged in gets the entrance, everybody else the navigation and a screen.
import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { Button, IconButton } from './components/Button';
import { Confirm } from './components/Confirm';
import { EmptyState } from './components/EmptyState';
import { Spinner } from './components/Spinner';
import { Toasts } from './components/Toasts';
import { Elevation } from './elevation';
import { Lazy } from './lazy';
import { Navigation } from './navigation';
import { route, screenName } from './router';
import { Login } from './screens/login';
import { Messages } from './screens/messages';
import { Setup } from './screens/setup';
import { applicationsById, unreadTotal } from './state/applications';
import { shownConnection } from './state/connection';
import { closeDialog, openDialog } from './state/dialogs';
import { loadOverview, overview, overviewError, user } from './state/session';
import { setupLink } from './state/setup';
import { errorText, toast } from './state/toasts';
import { t } from './text';

type Load = () => Promise<{ default: ComponentType }>;

/** Screens that are loaded when they are shown. */
const SCREENS: Record<string, Load> = {
  applications: () => import('./screens/applications'),
  clients: () => import('./screens/clients'),
  users: () => import('./screens/users'),
  account: () => import('./screens/account'),
  live: () => import('./screens/live'),
  help: () => import('./screens/help'),
};

/** Dialogs that are loaded when they are opened. */
const DIALOGS: Record<'send' | 'help', Load> = {
  send: () => import('./screens/send'),
  help: () => import('./screens/help/Sheet'),
};

export function App() {
  return (
    <>
      <Content />
      <Dialogs />
      <Confirm />
      <Elevation />
      <Toasts />
    </>
  );
}

function Content() {
  if (overviewError.value && !overview.value) return <Unreachable error={overviewError.value} />;
  if (!overview.value) return null;
  if (setupLink.value) return <Setup {...setupLink.value} />;
  return user.value ? <Shell /> : <Login />;
}

function Dialogs() {
  if (!user.value || !openDialog.value) return null;
  const name = openDialog.value;
  return <Lazy key={name} load={DIALOGS[name]} onFailed={onDialogFailed} />;
}

function onDialogFailed(): void {
  closeDialog();
  const action = { label: t('error.reload'), run: () => location.reload() };
  toast(t('error.screen'), { kind: 'error', action });
}

/** The first request failed. Meanwhile it is made again. */
function Unreachable({ error }: { error: unknown }) {
  useEffect(() => {
    const again = () => void loadOverview();
    addEventListener('online', again);
    return () => removeEventListener('online', again);
  }, []);
  return (
    <main class="centered">
      <EmptyState icon="live" title={errorText(error)}>
        <Button kind="primary" onClick={() => void loadOverview()}>
          {t('button.retry')}
        </Button>
      </EmptyState>
    </main>
  );
}

function Shell() {
  const isOpen = useSignal(false);
  useEffect(() => {
    if (!isOpen.value) return;
    document.querySelector<HTMLElement>('#nav [tabindex="0"]')?.focus();
    const close = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      isOpen.value = false;
      document.querySelector<HTMLElement>('#menu-button')?.focus();
    };
    addEventListener('keydown', close);
    return () => removeEventListener('keydown', close);
  }, [isOpen.value]);

  const title = screenTitle();
  const unread = unreadTotal.value;
  useEffect(() => {
    const count = unread > 0 ? `(${unread}) ` : '';
    document.title = title === 'Shardcast' ? count + title : `${count}${title} · Shardcast`;
  }, [title, unread]);
  useEffect(
    () => () => {
      document.title = 'Shardcast';
    },
    [],
  );

  return (
    <div class="shell">
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          const main = document.querySelector<HTMLElement>('#main');
          (main?.querySelector<HTMLElement>('[data-first-focus]') ?? main)?.focus();
        }}
      >
        {t('nav.skip')}
      </a>
      <header class="header">
        <IconButton
          id="menu-button"
          icon="menu"
          label={t('nav.menu')}
          aria-expanded={isOpen.value}
          aria-controls="nav"
          onClick={() => {
            isOpen.value = !isOpen.value;
          }}
        />
        <span class="header-title" aria-hidden="true">
          {title}
        </span>
      </header>
      {shownConnection.value === 'lost' && <p class="connection-lost">{t('connection.lost')}</p>}
      <Navigation
        isOpen={isOpen.value}
        onPick={() => {
          isOpen.value = false;
        }}
      />
      {isOpen.value && (
        // biome-ignore lint/a11y/noStaticElementInteractions: Escape does the same
        // biome-ignore lint/a11y/useKeyWithClickEvents: Escape does the same
        <div
          class="nav-backdrop"
          onClick={() => {
            isOpen.value = false;
          }}
        />
      )}
      <main class="main" id="main" tabIndex={-1} inert={isOpen.value}>
        <Screen />
      </main>
    </div>
  );
}

function screenTitle(): string {
  const name = screenName.value;
  if (name === 'messages') {
    const id = Number(route.value.parts[1]);
    return applicationsById.value.get(id)?.name ?? t('messages.title');
  }
  const titles: Record<string, string> = {
    applications: t('applications.title'),
    clients: t('clients.title'),
    users: t('users.title'),
    account: t('account.title'),
    live: t('live.title'),
    help: t('help.title'),
  };
  return titles[name] ?? 'Shardcast';
}

function Screen() {
  const name = screenName.value;
  if (name === 'messages') return <Messages />;
  const load = SCREENS[name];
  if (load) return <Lazy key={name} load={load} waiting={<Spinner />} />;
  return (
    <EmptyState icon="search" title={t('notFound.title')}>
      <a class="button primary" href="#/messages">
        {t('notFound.back')}
      </a>
    </EmptyState>
  );
}
