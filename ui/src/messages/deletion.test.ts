import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Application, Message } from '../api/types';

const calls = vi.hoisted(() => ({
  request: vi.fn(async (_method: string, _path: string, _options?: object) => {}),
  removeMessages: vi.fn(),
  restoreMessage: vi.fn(),
  recount: vi.fn(),
  newestId: vi.fn((list: { rows: { newestId: number } }) => list.rows.newestId),
  t: (key: string) => key,
}));
vi.mock('../api/request', () => calls);
vi.mock('./reading', () => calls);
vi.mock('./lists', () => ({ ...calls, allMessages: { peek: () => ({ rows: { newestId: 9 } }) } }));
vi.mock('../text', () => calls);
const fakeDocument = Object.assign(new EventTarget(), { hidden: false });
vi.stubGlobal('document', fakeDocument);
vi.stubGlobal('addEventListener', () => {});
const { ApiError } = await import('../api/errors');
const { toasts, runToast } = await import('../state/toasts');
const { deleteAll, deleteWithUndo, dropDeleted, finishDeletions, forgetDeletions } = await import(
  './deletion'
);
const { isGone } = await import('./gone');
const { applications } = await import('../state/applications');

const message = (id: number): Message => ({ id, appid: 1, title: '', message: '', priority: 0, date: '' });
const asked = () => calls.request.mock.calls.map(([method, path]) => `${method} ${path}`);

beforeEach(() => {
  vi.useFakeTimers();
  vi.clearAllMocks();
  fakeDocument.hidden = false;
  toasts.value = [];
});

afterEach(() => vi.useRealTimers());

test('a message is gone at once, and deleted when the time to take it back is over', async () => {
  deleteWithUndo(message(1));
  expect([calls.removeMessages.mock.calls.length, isGone(1), asked()]).toEqual([1, true, []]);
  await vi.advanceTimersByTimeAsync(5000);
  expect(asked()).toEqual(['DELETE message/1']);
});

test('a deletion that is taken back is never sent', async () => {
  deleteWithUndo(message(2));
  runToast(toasts.value[0]?.id ?? 0);
  expect([calls.restoreMessage.mock.calls, isGone(2)]).toEqual([[[message(2)]], false]);
  await vi.advanceTimersByTimeAsync(60_000);
  await finishDeletions();
  expect(asked()).toEqual([]);
});

test('a page that is hidden deletes at once, with a request that outlives it', () => {
  deleteWithUndo(message(3));
  fakeDocument.hidden = true;
  fakeDocument.dispatchEvent(new Event('visibilitychange'));
  expect(calls.request).toHaveBeenCalledWith('DELETE', 'message/3', { keepalive: true });
});

test('who logs out waits for the deletions', async () => {
  let finish = () => {};
  calls.request.mockImplementationOnce(() => new Promise<void>((resolve) => (finish = resolve)));
  deleteWithUndo(message(4));
  let isDone = false;
  const waiting = finishDeletions().then(() => {
    isDone = true;
  });
  await vi.advanceTimersByTimeAsync(0);
  expect([asked(), isDone]).toEqual([['DELETE message/4'], false]);
  finish();
  await waiting;
});

test('a message comes back if the server refuses, but not if it has none', async () => {
  calls.request.mockRejectedValueOnce(new ApiError(500, 'no'));
  deleteWithUndo(message(5));
  await finishDeletions();
  expect([calls.restoreMessage.mock.calls, toasts.value.at(-1)?.kind]).toEqual([[[message(5)]], 'error']);
  calls.restoreMessage.mockClear();
  calls.request.mockRejectedValueOnce(new ApiError(404, 'no'));
  deleteWithUndo(message(6));
  await finishDeletions();
  expect(calls.restoreMessage).not.toHaveBeenCalled();
});

test('deleting all leaves what comes meanwhile', async () => {
  await deleteAll(1);
  expect(asked()).toEqual(['DELETE application/1/message']);
  const isRemoved = calls.removeMessages.mock.lastCall?.[0];
  expect([message(9), message(10), { ...message(8), appid: 2 }].map(isRemoved)).toEqual([true, false, false]);
  // The list of all messages is at older ones.
  calls.newestId.mockReturnValueOnce(20);
  await deleteAll(1);
  expect([message(20), message(21)].map(calls.removeMessages.mock.lastCall?.[0])).toEqual([true, false]);
});

test('a message that is deleted elsewhere meanwhile can not be taken back', async () => {
  deleteWithUndo(message(7));
  deleteWithUndo(message(8));
  dropDeleted(({ id }) => id === 7);
  expect(toasts.value.length).toBe(1);
  await finishDeletions();
  expect(asked()).toEqual(['DELETE message/8']);
});

test('an application that is gone takes its messages along, and one that is not known yet does not', () => {
  const list = (...ids: number[]) => ids.map((id) => ({ id }) as Application);
  applications.value = list(1, 2);
  applications.value = list(1);
  const isRemoved = calls.removeMessages.mock.lastCall?.[0];
  expect([1, 2, 3].map((appid) => isRemoved({ ...message(1), appid }))).toEqual([false, true, false]);
  calls.removeMessages.mockClear();
  applications.value = list(1, 4);
  applications.value = null;
  applications.value = list(5);
  expect(calls.removeMessages).not.toHaveBeenCalled();
});

test('what a user who is gone has deleted is neither sent nor brought back', async () => {
  deleteWithUndo(message(3));
  forgetDeletions();
  expect([toasts.value, isGone(3)]).toEqual([[], false]);
  await vi.advanceTimersByTimeAsync(60_000);
  calls.request.mockRejectedValueOnce(new DOMException('', 'AbortError'));
  deleteWithUndo(message(4));
  await finishDeletions();
  expect([asked(), calls.restoreMessage.mock.calls, toasts.value]).toEqual([['DELETE message/4'], [], []]);
});
