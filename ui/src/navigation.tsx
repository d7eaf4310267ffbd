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
  const entries = shownEntries();
  const [screen, id] = [screenName.value, route.value.parts[1]];
  const current = screen === 'messages' && id ? `/messages/${id}` : `/${screen}`;
  // Where Tab stops: a screen may have no entry, such as the messages of an application that is not known.
  const stop = entries.flat().find(({ path }) => path === current) ?? entries[0]?.[0];
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
      {entries.map((group, index) => (
        <div key={group[0]?.path} class={index === entries.length - 1 ? 'nav-group last' : 'nav-group'}>
          {group.map((entry) => (
            <Link
              key={entry.path}
              {...entry}
              isCurrent={entry.path === current}
              isStop={entry.path === stop?.path}
            />
          ))}
          {index === entries.length - 1 && <ConnectionState />}
        </div>
      ))}
    </nav>
  );
}

type Entry = { path: string; label: string; icon?: IconName; application?: Application; unread?: number };

/** The entries that are shown now, in groups. */
function shownEntries(): readonly (readonly Entry[])[] {
  const messages: Entry[] = [
    { path: messagesPath(), icon: 'inbox', label: t('nav.all'), unread: unreadTotal.value },
  ];
  for (const application of applications.value ?? []) {
    const { id, name: label } = application;
    const unread = applicationStates.value?.get(id)?.unread ?? 0;
    messages.push({ path: messagesPath(id), application, label, unread });
  }
  const areas: Entry[] = [
    { path: '/applications', icon: 'applications', label: t('applications.title') },
    { path: '/clients', icon: 'clients', label: t('clients.title') },
  ];
  if (user.value?.admin) {
    areas.push({ path: '/users', icon: 'users', label: t('users.title') });
    areas.push({ path: '/live', icon: 'live', label: t('live.title') });
  }
  const account: Entry = { path: '/account', icon: 'account', label: user.value?.name ?? t('account.title') };
  // Only when it is known what stands above: nothing that is shown is to move.
  return areApplicationsAsked.value ? [messages, areas, [account]] : [messages, [account]];
}

type LinkProps = Entry & { isCurrent: boolean; isStop: boolean };

function Link({ path, label, icon, application, unread = 0, isCurrent, isStop }: LinkProps) {
  return (
    <a
      class="nav-link"
      href={`#${path}`}
      aria-current={isCurrent ? 'page' : undefined}
      tabIndex={isStop ? 0 : -1}
    >
      {icon && <Icon name={icon} />}
      {application && <AppImage application={application} size={20} />}
      <span class="nav-name">{label}</span>
      {unread > 0 && (
        <span class="badge">
          <span aria-hidden="true">{unread > 999 ? '999+' : unread}</span>
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
