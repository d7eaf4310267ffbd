// The navigation: all messages, the applications, and the other screens. One stop of the Tab key; arrow keys move in it.
import { useRef } from 'preact/hooks';
import type { Application } from './api/types';
import { AppImage } from './components/AppImage';
import { Brand } from './components/Brand';
import { Icon, type IconName } from './components/Icon';
import { messagesPath, route, screenName } from './router';
import { applicationStates, applications, areApplicationsAsked, unreadTotal } from './state/applications';
import { shownConnection } from './state/connection';
import { user } from './state/session';
import { t } from './text';

export function Navigation({ isOpen, onPick }: { isOpen: boolean; onPick: () => void }) {
  const root = useRef<HTMLElement>(null);
  const name = screenName.value;
  const appid = name === 'messages' ? route.value.parts[1] : undefined;
  const hasCurrent =
    name === 'messages' || ['applications', 'clients', 'users', 'live', 'account'].includes(name);
  return (
    <nav
      ref={root}
      id="nav"
      class={isOpen ? 'nav open' : 'nav'}
      aria-label={t('nav.main')}
      onKeyDown={(event) => moveFocus(event, root.current)}
      onClick={(event) => {
        if (event.target instanceof Element && event.target.closest('a')) onPick();
      }}
    >
      <Brand />
      <div class="nav-group">
        <Entry
          path={messagesPath()}
          icon="inbox"
          label={t('nav.all')}
          unread={unreadTotal.value}
          isCurrent={name === 'messages' && appid === undefined}
          isStop={!hasCurrent}
        />
        {applications.value?.map((application) => (
          <Entry
            key={application.id}
            path={messagesPath(application.id)}
            application={application}
            label={application.name}
            unread={applicationStates.value?.get(application.id)?.unread ?? 0}
            isCurrent={appid === String(application.id)}
          />
        ))}
      </div>
      {/* Only when it is known what stands above: nothing that is shown is to move. */}
      {areApplicationsAsked.value && (
        <div class="nav-group">
          <Entry path="/applications" icon="applications" label={t('applications.title')} />
          <Entry path="/clients" icon="clients" label={t('clients.title')} />
          {user.value?.admin && <Entry path="/users" icon="users" label={t('users.title')} />}
          {user.value?.admin && <Entry path="/live" icon="live" label={t('live.title')} />}
        </div>
      )}
      <div class="nav-group last">
        <Entry path="/account" icon="account" label={user.value?.name ?? t('account.title')} />
        <ConnectionState />
      </div>
    </nav>
  );
}

type EntryProps = {
  path: string;
  label: string;
  icon?: IconName;
  application?: Application;
  unread?: number;
  isCurrent?: boolean;
  /** Where Tab stops if no entry is current. */
  isStop?: boolean;
};

function Entry({ path, label, icon, application, unread = 0, isCurrent, isStop }: EntryProps) {
  const current = isCurrent ?? `/${screenName.value}` === path;
  return (
    <a
      class="nav-link"
      href={`#${path}`}
      aria-current={current ? 'page' : undefined}
      tabIndex={current || isStop ? 0 : -1}
    >
      {icon && <Icon name={icon} />}
      {application && <AppImage application={application} size={20} />}
      <span class="nav-name">{label}</span>
      {unread > 0 && (
        <span class="badge">
          {unread > 999 ? '999+' : unread}
          <span class="visually-hidden"> {t('nav.unread', { count: unread })}</span>
        </span>
      )}
    </a>
  );
}

function ConnectionState() {
  const state = shownConnection.value;
  return (
    <div class={`connection ${state}`} role="status">
      <span class="connection-dot" />
      {t(`connection.${state}`)}
    </div>
  );
}

function moveFocus(event: KeyboardEvent, root: HTMLElement | null): void {
  const links = [...(root?.querySelectorAll<HTMLElement>('.nav-link') ?? [])];
  const current = links.indexOf(document.activeElement as HTMLElement);
  const targets: Record<string, number> = {
    ArrowDown: current + 1,
    ArrowUp: current - 1,
    Home: 0,
    End: links.length - 1,
  };
  const target = targets[event.key];
  if (target === undefined || current < 0) return;
  event.preventDefault();
  links[(target + links.length) % links.length]?.focus();
}
