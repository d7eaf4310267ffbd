import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Message } from '../api/types';

const calls = vi.hoisted(() => ({
  receiveMessages: vi.fn(),
  dropDeleted: vi.fn(),
  refreshLists: vi.fn(),
  countArrived: vi.fn(),
  noteRead: vi.fn(),
  recount: vi.fn(),
  announce: vi.fn(),
  dropAnnouncements: vi.fn(),
  notify: vi.fn(),
  reloadApplications: vi.fn(async () => {}),
  reloadApplicationStates: vi.fn(async () => {}),
  request: vi.fn(async () => ({ messages: [{ id: 77 }] })),
}));
vi.mock('./lists', () => calls);
vi.mock('./deletion', () => calls);
vi.mock('./reading', () => calls);
vi.mock('./announcer', () => calls);
vi.mock('../notifications', () => calls);
vi.mock('../api/request', () => calls);
vi.mock('../state/applications', () => ({ ...calls, applicationsById: { peek: () => new Map([[1, {}]]) } }));
const { dropArrivals, receiver } = await import('./arrivals');

const message = (id: number, appid = 1): Message => ({
  id,
  appid,
  title: '',
  message: '',
  priority: 0,
  date: '',
});
const received = () =>
  calls.receiveMessages.mock.calls.map(([messages]) => messages.map(({ id }: Message) => id));
const fakeDocument = { hidden: false };

let past = 0;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('document', fakeDocument);
  fakeDocument.hidden = false;
  vi.clearAllMocks();
  // Fake clocks begin at the same time, and the last flush was in the test before.
  past += 10_000;
  vi.advanceTimersByTime(past);
});

afterEach(() => {
  dropArrivals();
  vi.useRealTimers();
});

test('messages that come together change the lists once', () => {
  for (const id of [1, 2, 3]) receiver.onMessage(message(id));
  vi.advanceTimersByTime(0);
  for (const id of [4, 5]) receiver.onMessage(message(id));
  vi.advanceTimersByTime(99);
  expect(received()).toEqual([[1, 2, 3]]);
  vi.advanceTimersByTime(1);
  expect(received()).toEqual([
    [1, 2, 3],
    [4, 5],
  ]);
  expect(calls.notify).toHaveBeenCalledTimes(2);
});

test('a hidden page waits for no timer', () => {
  fakeDocument.hidden = true;
  receiver.onMessage(message(1));
  expect(received()).toEqual([[1]]);
});

test('an event does not overtake the messages before it', () => {
  receiver.onMessage(message(1));
  receiver.onEvent({ event: 'deleted', ids: [1] });
  expect(calls.receiveMessages.mock.invocationCallOrder[0]).toBeLessThan(
    calls.dropDeleted.mock.invocationCallOrder[0] ?? 0,
  );
});

test('what is deleted is chosen by id, or by application and newest id', () => {
  const removed = (event: Parameters<typeof receiver.onEvent>[0]) => {
    receiver.onEvent(event);
    const isRemoved = calls.dropDeleted.mock.lastCall?.[0];
    return [message(5), message(6), message(5, 2)].map(isRemoved);
  };
  expect(removed({ event: 'deleted', ids: [6, 9] })).toEqual([false, true, false]);
  expect(removed({ event: 'deleted', appid: 1, upTo: 5 })).toEqual([true, false, false]);
  expect(removed({ event: 'deleted', upTo: 5 })).toEqual([true, false, true]);
  expect(removed({ event: 'replaced', id: 7, ids: [5] })).toEqual([true, false, true]);
});

test('a message of an application that is not known asks for the list of applications', () => {
  receiver.onMessage(message(1));
  vi.advanceTimersByTime(100);
  expect(calls.reloadApplications).not.toHaveBeenCalled();
  receiver.onMessage(message(2, 9));
  vi.advanceTimersByTime(100);
  expect(calls.reloadApplications).toHaveBeenCalledOnce();
});

test('many messages of an unknown application ask for the list now and then', () => {
  for (let id = 1; id <= 100; id += 1) {
    receiver.onMessage(message(id, 9));
    vi.advanceTimersByTime(100);
  }
  const { length } = calls.reloadApplications.mock.calls;
  expect([length > 1, length <= 3]).toEqual([true, true]);
});

test('events that were missed are made up for', () => {
  receiver.onEvent({ event: 'missed' });
  expect(calls.refreshLists).toHaveBeenCalledOnce();
  expect(calls.reloadApplications).toHaveBeenCalledOnce();
  expect(calls.reloadApplicationStates).toHaveBeenCalledOnce();
});

test('what was read elsewhere is noted', () => {
  receiver.onEvent({ event: 'read', upTo: 9, appid: 1 });
  expect(calls.noteRead).toHaveBeenCalledWith(9, 1);
});

test('a stream that is too far behind goes on after the newest message', async () => {
  expect(await receiver.onTooFarBehind()).toBe(77);
  expect(calls.refreshLists).toHaveBeenCalledOnce();
});
