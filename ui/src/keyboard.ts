// Keys that work everywhere on the page. The sheet `?` lists them.
import { listCommands, openSearch } from './messages/commands';
import { navigate, screenName } from './router';
import { openDialog } from './state/dialogs';
import { user } from './state/session';
import { shortcuts } from './state/settings';
import { runLastToast } from './state/toasts';

/** So long a second key may take after `g`. */
const SECOND_KEY_MS = 1500;

/** So long the field of the search may take to appear. What is typed meanwhile is meant for it. */
const SEARCH_MS = 1000;

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

let goUntil = 0;
let searchUntil = 0;

export function listenToKeys(): void {
  document.addEventListener('focusin', () => {
    searchUntil = 0;
  });
  document.addEventListener('keydown', (event) => {
    if (isForSomethingElse(event) || performance.now() < searchUntil) return;
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

/** Typing, browsers' own keys, and dialogs come first. */
function isForSomethingElse(event: KeyboardEvent): boolean {
  if (!user.peek() || !shortcuts.peek() || event.defaultPrevented) return true;
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return true;
  if (document.querySelector('dialog[open]')) return true;
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
    searchUntil = performance.now() + SEARCH_MS;
    if (screenName.peek() !== 'messages') navigate('/messages');
    // The screen may have to be drawn first.
    setTimeout(() => openSearch.current?.());
  },
  '?': () => {
    openDialog.value = 'help';
  },
  g: () => {
    goUntil = performance.now() + SECOND_KEY_MS;
  },
};
