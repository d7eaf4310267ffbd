import { beforeEach, expect, test, vi } from 'vitest';

const listeners: Record<string, (event: unknown) => void> = {};
vi.stubGlobal('addEventListener', () => {});
vi.stubGlobal('location', { hash: '' });
vi.stubGlobal('history', {
  pushState: (_: null, __: string, url: string) => Object.assign(location, { hash: url }),
});
vi.stubGlobal('Element', class {});
vi.stubGlobal('document', {
  addEventListener: (name: string, listener: (event: unknown) => void) => {
    listeners[name] = listener;
  },
  querySelector: () => null,
});
vi.mock('./api/overview', () => ({}));
vi.mock('./state/toasts', () => ({ runLastToast: () => {} }));
const { listenToKeys } = await import('./keyboard');
const { listCommands, wantsSearch } = await import('./messages/commands');
const { navigate, screenName } = await import('./router');
const { openDialog } = await import('./state/dialogs');
const { overview } = await import('./state/session');

const list = { move: vi.fn(), remove: vi.fn(), read: vi.fn() };
listenToKeys();

beforeEach(() => {
  vi.clearAllMocks();
  overview.value = {
    version: '',
    compatibility: '',
    register: false,
    oidc: false,
    push: null,
    user: { id: 1, name: 'admin', admin: true },
  };
  listCommands.current = list;
  wantsSearch.value = false;
  openDialog.value = null;
  navigate('/messages');
});

function press(key: string, options: Partial<KeyboardEvent> = {}): void {
  listeners.keydown?.({ key, target: null, preventDefault: () => {}, ...options });
}

test.each(['c', '?'])('what is typed while the dialog of %s is loaded is no command', (key) => {
  press(key);
  for (const typed of 'else') press(typed);
  expect(list.remove).not.toHaveBeenCalled();
  openDialog.value = null;
  press('e');
  expect(list.remove).toHaveBeenCalledOnce();
});

test('what is typed before the search has the focus is no command', () => {
  navigate('/account');
  press('/');
  expect([screenName.value, wantsSearch.value]).toEqual(['messages', true]);
  press('e');
  expect(list.remove).not.toHaveBeenCalled();
  listeners.focusin?.({});
  press('e');
  expect(list.remove).toHaveBeenCalledOnce();
});

test('a key that is held down moves on, but deletes once', () => {
  for (const repeat of [false, true, true])
    for (const key of ['e', 'Delete', 'j', 'k']) press(key, { repeat });
  expect([list.remove.mock.calls.length, list.move.mock.calls.length]).toEqual([2, 6]);
});
