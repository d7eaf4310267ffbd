import { beforeEach, expect, test, vi } from 'vitest';
import { ApiError, NetworkError } from '../api/errors';
import type { CurrentUser, Message, PagedMessages } from '../api/types';

const fakes = vi.hoisted(() => ({
  sinces: [] as number[],
  onEvent: vi.fn(),
  forgetDeletions: vi.fn(),
  endSession: vi.fn(async () => {}),
  listMessages: vi.fn(),
  fetchUser: vi.fn(),
  refreshLists: vi.fn(),
  listApplications: vi.fn(),
  listStates: vi.fn(async () => []),
}));
vi.stubGlobal('addEventListener', () => {});
vi.stubGlobal('document', new EventTarget());
vi.stubGlobal('location', { hash: '', reload: vi.fn() });
vi.mock('../markdown/loader', () => ({ prepareMarkdown: async () => {} }));
vi.mock('../messages/stream', () => ({
  Stream: class {
    constructor(since: number) {
      fakes.sinces.push(since);
    }
    close() {}
  },
}));
vi.mock('../messages/arrivals', () => ({ receiver: { onEvent: fakes.onEvent }, dropArrivals: () => {} }));
vi.mock('../messages/deletion', () => ({
  finishDeletions: async () => {},
  forgetDeletions: fakes.forgetDeletions,
}));
vi.mock('../messages/reading', () => ({ forgetSeen: () => {} }));
vi.mock('../messages/lists', async (original) => ({
  ...(await original<object>()),
  refreshLists: fakes.refreshLists,
}));
vi.mock('../api/messages', () => ({ listMessages: fakes.listMessages, isSearch: () => false }));
vi.mock('../api/session', () => ({ fetchUser: fakes.fetchUser, logOut: fakes.endSession }));
vi.mock('../api/overview', () => ({ fetchOverview: async () => null }));
vi.mock('../api/applications', () => ({
  listApplications: fakes.listApplications,
  listApplicationStates: fakes.listStates,
}));
const { followSession, leave } = await import('./start');
const { loseSession, overview, sessionEnded } = await import('./session');
const { request, setHooks } = await import('../api/request');
const { elevate } = await import('../elevation');
const { confirm } = await import('../components/Confirm');
const { connection } = await import('./connection');
const { applications } = await import('./applications');
const { allMessages } = await import('../messages/lists');

const message = (id: number): Message => ({ id, appid: 1, title: '', message: 'm', priority: 0, date: '' });
const page = (ids: number[], next?: string): PagedMessages => ({
  paging: { size: ids.length, since: 0, limit: 50, ...(next ? { next } : {}) },
  messages: ids.map(message),
});
const info = { version: '', compatibility: '', register: false, oidc: false, push: null };
const user = (id: number) => ({ id, name: '', admin: false }) as CurrentUser;
const open = () => {
  connection.value = { state: 'connecting' };
  connection.value = { state: 'open' };
};

vi.useFakeTimers();
followSession();

beforeEach(async () => {
  overview.value = { ...info, user: null };
  await vi.advanceTimersByTimeAsync(100_000);
  vi.clearAllMocks();
  fakes.sinces.length = 0;
  fakes.listMessages.mockResolvedValue(page([9, 8]));
  fakes.listApplications.mockResolvedValue([]);
  fakes.fetchUser.mockResolvedValue(user(1));
});

async function logIn() {
  overview.value = { ...info, user: user(1) };
  await vi.advanceTimersByTimeAsync(0);
}

test('the stream begins after the newest message, though the list is around an old one', async () => {
  overview.value = { ...info, user: user(1) };
  fakes.listMessages.mockImplementation(async (_, { after }) =>
    after ? page([3, 4], 'more') : page([2, 1]),
  );
  await allMessages.value?.loadAround(2);
  await vi.advanceTimersByTimeAsync(0);
  expect([fakes.sinces, allMessages.value?.rows.newestId]).toEqual([[9], 4]);
});

test('a deletion before the stream is noticed: quietly after a prompt start, and at once after a slow one', async () => {
  await logIn();
  open();
  expect([fakes.onEvent.mock.calls.length, fakes.refreshLists.mock.calls.length]).toEqual([0, 0]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(fakes.refreshLists).toHaveBeenCalledTimes(1);
  overview.value = { ...info, user: null };
  await logIn();
  await vi.advanceTimersByTimeAsync(3000);
  open();
  expect(fakes.onEvent).toHaveBeenCalledWith({ event: 'missed' });
});

test('applications that did not come are asked for again when the stream opens', async () => {
  fakes.listApplications.mockRejectedValueOnce(new NetworkError(''));
  await logIn();
  expect(applications.value).toBeNull();
  open();
  await vi.advanceTimersByTimeAsync(0);
  expect(applications.value).toEqual([]);
});

test('a reconnect that finds another user loads the page again', async () => {
  await logIn();
  open();
  open();
  await vi.advanceTimersByTimeAsync(0);
  expect(location.reload).not.toHaveBeenCalled();
  fakes.fetchUser.mockResolvedValue(user(2));
  open();
  await vi.advanceTimersByTimeAsync(0);
  expect(location.reload).toHaveBeenCalledTimes(1);
});

test('questions end with the session, and what was asked for is not sent for who logs in next', async () => {
  await logIn();
  const refusal = JSON.stringify({ errorDescription: 'session not elevated' });
  const asked = vi.fn(async () => new Response(refusal, { status: 403 }));
  vi.stubGlobal('fetch', asked);
  setHooks({ elevate });
  const answers = Promise.all([
    confirm({ title: '', text: '', action: '' }),
    request('DELETE', 'user/7').catch(({ status }) => status),
  ]);
  await vi.advanceTimersByTimeAsync(0);
  loseSession();
  overview.value = { ...info, user: user(2) };
  expect(await answers).toEqual([false, 403]);
  expect(asked).toHaveBeenCalledOnce();
});

test('nothing of a session is awaited once it is over', async () => {
  await logIn();
  vi.stubGlobal('fetch', (_: string, { signal }: RequestInit) => {
    return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
  });
  const answer = request('GET', 'client').catch(({ name }) => name);
  const login = vi.fn();
  request('POST', 'auth/local/login', { isLogin: true }).catch(login);
  loseSession();
  expect(await answer).toBe('AbortError');
  expect([login.mock.calls.length, fakes.forgetDeletions.mock.calls.length > 0]).toEqual([0, true]);
});

test('who logs out of a session that is over can log in again', async () => {
  await logIn();
  fakes.endSession.mockImplementationOnce(async () => {
    loseSession();
    throw new ApiError(401, '');
  });
  await leave();
  expect([overview.value?.user, sessionEnded.value, allMessages.value]).toEqual([null, false, null]);
  await logIn();
  expect([allMessages.value?.status.value, fakes.sinces.length]).toEqual(['ready', 2]);
});

test('who could not log out goes on', async () => {
  await logIn();
  fakes.endSession.mockRejectedValueOnce(new NetworkError(''));
  await expect(leave()).rejects.toBeInstanceOf(NetworkError);
  await vi.advanceTimersByTimeAsync(0);
  expect([overview.value?.user?.id, allMessages.value?.status.value]).toEqual([1, 'ready']);
});

test('who deletes the own account is not told that the session has ended', async () => {
  await logIn();
  await leave(async () => loseSession());
  expect([overview.value?.user, sessionEnded.value]).toEqual([null, false]);
});

test('a session that is elevated to end it asks for nothing more', async () => {
  await logIn();
  await leave(async () => {
    overview.value = { ...info, user: { ...user(1), elevatedUntil: 'soon' } };
    expect(allMessages.value).toBeNull();
  });
  await logIn();
  expect(allMessages.value).not.toBeNull();
});
