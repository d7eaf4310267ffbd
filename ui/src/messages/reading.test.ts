import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ApplicationState, Message } from '../api/types';
import type { MessageList } from './list';
import { MessageWindow } from './window';

const asked = vi.hoisted(() =>
  vi.fn(async (_method: string, _path: string, _options?: { json?: unknown }) => []),
);
vi.mock('../api/request', () => ({ request: asked }));
const { applicationStates } = await import('../state/applications');
const { countArrived, drawNewLine, forgetSeen, isUnread, newestId, noteRead, noteSeen, readUpTo } =
  await import('./reading');

const fakeDocument = { hidden: false };
const state = (id: number, unread: number, readUpTo: number, newest: number): ApplicationState => {
  return { id, unread, readUpTo, newest, keepDays: 0, keepNewest: 0 };
};
const message = (id: number, appid = 1): Message => ({
  id,
  appid,
  title: '',
  message: '',
  priority: 0,
  date: '',
});
const unread = (id: number) => applicationStates.value?.get(id)?.unread;
const posted = () =>
  asked.mock.calls.filter(([method]) => method === 'POST').map(([, , options]) => options?.json);

function listOf(ids: [number, number][], filter = {}): MessageList {
  const rows = new MessageWindow();
  rows.insert(ids.map(([id, appid]) => message(id, appid)));
  return { rows, filter, newAbove: { value: 0 } } as unknown as MessageList;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('document', fakeDocument);
  fakeDocument.hidden = false;
  asked.mockClear();
  applicationStates.value = new Map([
    [1, state(1, 2, 10, 14)],
    [2, state(2, 0, 13, 13)],
  ]);
});

afterEach(() => {
  forgetSeen();
  vi.useRealTimers();
});

test('what comes is counted once, for its application', () => {
  countArrived([message(15), message(16), message(17, 2)]);
  expect([unread(1), unread(2)]).toEqual([4, 1]);
  countArrived([message(16)]);
  expect(unread(1)).toBe(4);
});

test('a message is unread if it is newer than what is read of its application', () => {
  expect([
    isUnread(message(11)),
    isUnread(message(10)),
    isUnread(message(14, 2)),
    isUnread(message(9, 7)),
  ]).toEqual([true, false, true, false]);
});

test('what another device has read is not unread here either', async () => {
  noteRead(14, 1);
  expect(unread(1)).toBe(0);
  await vi.advanceTimersByTimeAsync(5000);
  expect(asked).not.toHaveBeenCalled();
});

test('the server is asked how many are left where only it can know', async () => {
  noteRead(12);
  expect(applicationStates.value?.get(1)?.readUpTo).toBe(12);
  await vi.advanceTimersByTimeAsync(5000);
  expect(asked).toHaveBeenCalledWith('GET', 'shardcast/application');
});

test('marks only go up', () => {
  noteRead(3);
  expect([applicationStates.value?.get(1)?.readUpTo, unread(1)]).toEqual([10, 2]);
});

test('what is visible for a moment is marked as read, with one request', async () => {
  const list = listOf([[14, 1]]);
  noteSeen(list, 12);
  noteSeen(list, 14);
  noteSeen(list, 13);
  expect(posted()).toEqual([]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(posted()).toEqual([{ upTo: 14 }]);
  expect(unread(1)).toBe(0);
});

test('the list of an application marks what is read of it alone', async () => {
  noteSeen(listOf([], { appid: 1 }), 14);
  await vi.advanceTimersByTimeAsync(1000);
  expect(posted()).toEqual([{ upTo: 14, appid: 1 }]);
});

test('each list has its own second', async () => {
  noteSeen(listOf([], { appid: 1 }), 14);
  await vi.advanceTimersByTimeAsync(900);
  const second = listOf([], { appid: 2 });
  countArrived([message(15, 2)]);
  noteSeen(second, 15);
  await vi.advanceTimersByTimeAsync(900);
  expect(posted()).toEqual([]);
  await vi.advanceTimersByTimeAsync(100);
  expect(posted()).toEqual([{ upTo: 15, appid: 2 }]);
});

test('the newest message is known, be it in the list or not', () => {
  const list = listOf([[12, 1]]);
  expect([newestId(list), newestId(list, 1), newestId(list, 2)]).toEqual([14, 14, 13]);
  expect([newestId(listOf([[20, 3]])), newestId(null, 2)]).toEqual([20, 13]);
});

test('a hidden page and a search mark nothing', async () => {
  noteSeen(listOf([], { text: 'disk' }), 14);
  fakeDocument.hidden = true;
  noteSeen(listOf([]), 14);
  await vi.advanceTimersByTimeAsync(1000);
  fakeDocument.hidden = false;
  noteSeen(listOf([]), 14);
  fakeDocument.hidden = true;
  await vi.advanceTimersByTimeAsync(1000);
  expect(posted()).toEqual([]);
});

test('nothing is sent where nothing is unread', async () => {
  await readUpTo(13, 2);
  await readUpTo(10);
  expect(posted()).toEqual([]);
});

test('the line is above the newest message that is read', () => {
  const list = listOf([
    [14, 1],
    [13, 2],
    [12, 1],
    [9, 1],
  ]);
  drawNewLine(list);
  expect(list.newAbove.value).toBe(13);
  noteRead(14, 1);
  drawNewLine(list);
  expect(list.newAbove.value).toBe(14);
});
