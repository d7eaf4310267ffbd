// Keys that work everywhere on the page. The sheet `?` lists them.
import { listCommands, wantsSearch } from './messages/commands';
import { navigate, screenName } from './router';
import { openDialog } from './state/dialogs';
import { user } from './state/session';
import { shortcuts } from './state/settings';
import { runLastToast } from './state/toasts';

/** So long a second key may take after `g`. */
const SECOND_KEY_MS = 1500;

/** Screens by the key after `g`. */
const SCREENS: Record<string, string> = {
  m: '/messages',
  a: '/applications',
  c: '/clients',
  u: '/users',
  l: '/live',
  s: '/account',
};

const FOR_ADMINISTRATORS = ['u', 'l'];

/** What a key that is held down may do many times. Another one is held by accident. */
const REPEATED = ['j', 'k'];

let goUntil = 0;

export function listenToKeys(): void {
  document.addEventListener('focusin', () => {
    wantsSearch.value = false;
  });
  document.addEventListener('keydown', (event) => {
    if (isForSomethingElse(event)) return;
    const isSecond = performance.now() < goUntil;
    goUntil = 0;
    if (isSecond && FOR_ADMINISTRATORS.includes(event.key) && !user.peek()?.admin) return;
    const path = isSecond ? SCREENS[event.key] : undefined;
    const run = path ? () => navigate(path) : keys[event.key];
    if (!run) return;
    event.preventDefault();
    run();
  });
}

/** Typing, browsers' own keys, and dialogs come first, also what is typed for a field that is not drawn yet. */
function isForSomethingElse(event: KeyboardEvent): boolean {
  if (!user.peek() || !shortcuts.peek() || event.defaultPrevented) return true;
  if (event.repeat && !REPEATED.includes(event.key)) return true;
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return true;
  if (wantsSearch.peek() || openDialog.peek() || document.querySelector('dialog[open]')) return true;
  const { target } = event;
  return (
    target instanceof Element &&
    target.closest('input, textarea, select, [contenteditable], [role=menu]') !== null
  );
}

const keys: Record<string, () => void> = {
  j: () => listCommands.current?.move(1),
  k: () => listCommands.current?.move(-1),
  e: () => listCommands.current?.remove(),
  Delete: () => listCommands.current?.remove(),
  r: () => listCommands.current?.read(),
  u: runLastToast,
  c: () => {
    openDialog.value = 'send';
  },
  '/': () => {
    wantsSearch.value = true;
    if (screenName.peek() !== 'messages') navigate('/messages');
  },
  '?': () => {
    openDialog.value = 'help';
  },
  g: () => {
    goUntil = performance.now() + SECOND_KEY_MS;
  },
};
