import { beforeEach, expect, test, vi } from 'vitest';

type Waiting = { waitUntil: (work: Promise<unknown>) => void };

const listeners: Record<string, (event: object) => void> = {};
const shown = vi.fn(async (_title: string, _options: { actions: { action: string }[]; data: object }) => {});
const openWindow = vi.fn(async (_url: string) => null);
const windows: object[] = [];
vi.stubGlobal('self', {
  addEventListener: (name: string, listener: (event: object) => void) => {
    listeners[name] = listener;
  },
  registration: { scope: 'https://example.com/push/', showNotification: shown },
  clients: { matchAll: async () => windows, openWindow },
  navigator: {},
});
// The build puts the list of files in.
vi.spyOn(JSON, 'parse').mockReturnValueOnce([]);
// @ts-expect-error: it is a script, and exports nothing
await import('./sw');

const payload = {
  id: 7,
  appid: 3,
  title: 'Full',
  message: 'The disk',
  priority: 5,
  url: null as string | null,
};

beforeEach(() => {
  vi.clearAllMocks();
  windows.length = 0;
});

/** Lets the worker do what an event asks for. */
async function dispatch(name: string, event: object): Promise<void> {
  let work: Promise<unknown> = Promise.resolve();
  const waiting: Waiting = {
    waitUntil: (promise) => {
      work = promise;
    },
  };
  listeners[name]?.({ ...waiting, ...event });
  await work;
}

const push = (changed: object = {}) =>
  dispatch('push', { data: { json: () => ({ ...payload, ...changed }) } });
const open = (url: string) => {
  const opened = { url, visibilityState: 'visible', focus: vi.fn(async () => {}), postMessage: vi.fn() };
  windows.push(opened);
  return opened;
};

test('a push is shown unless the page itself is visible, with whatever route', async () => {
  open('https://example.com/push/docs');
  open('https://example.com/');
  await push();
  expect(shown).toHaveBeenCalledOnce();
  open('https://example.com/push/#/messages/3?m=1');
  await push();
  expect(shown).toHaveBeenCalledOnce();
});

test('a press goes to the window that has the page, and to no other of the host', async () => {
  const other = open('https://example.com/push/docs');
  const notification = { close: () => {}, data: { path: '/messages/3?m=7', url: null } };
  await dispatch('notificationclick', { action: '', notification });
  expect(openWindow.mock.calls).toEqual([['https://example.com/push/#/messages/3?m=7']]);
  const page = open('https://example.com/push/index.html#/live');
  await dispatch('notificationclick', { action: '', notification });
  expect([page.postMessage.mock.calls, other.postMessage.mock.calls]).toEqual([
    [[{ path: '/messages/3?m=7' }]],
    [],
  ]);
});

test('a message with a link has an action that opens it, if it leads to the web', async () => {
  const actions = async (url: string | null) => {
    await push({ url });
    return shown.mock.lastCall?.[1].actions.map(({ action }) => action);
  };
  expect(await actions('https://example.com/a')).toEqual(['link']);
  const notification = { close: () => {}, data: shown.mock.lastCall?.[1].data };
  await dispatch('notificationclick', { action: 'link', notification });
  expect(openWindow.mock.calls).toEqual([['https://example.com/a']]);
  for (const url of [null, 'javascript:alert(1)', 'myapp://x', ' https://example.com']) {
    expect(await actions(url), String(url)).toEqual([]);
  }
});
