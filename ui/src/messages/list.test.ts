import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiError, NetworkError } from '../api/errors';
import type { Message, PagedMessages } from '../api/types';

vi.mock('../markdown/loader', () => ({ prepareMarkdown: async () => {} }));
const asked = vi.hoisted(() => vi.fn());
vi.mock('../api/messages', () => ({
  listMessages: asked,
  isSearch: (filter: { text?: string }) => Boolean(filter.text),
}));
const { MessageList } = await import('./list');

const message = (id: number): Message => ({ id, appid: 1, title: '', message: 'm', priority: 0, date: '' });
const range = (from: number, to: number) =>
  Array.from({ length: from - to + 1 }, (_, index) => message(from - index));

/** A server that has these messages. */
let stored: Message[] = [];

function answer(_: unknown, query: { limit: number; since?: number; after?: number }): PagedMessages {
  const { limit, since = 0, after } = query;
  const matching =
    after === undefined
      ? stored.filter(({ id }) => since === 0 || id < since)
      : stored.filter(({ id }) => id > after).reverse();
  const messages = matching.slice(0, limit);
  const next = matching.length > limit ? { next: 'more' } : {};
  return { paging: { size: messages.length, since: 0, limit, ...next }, messages };
}

beforeEach(() => {
  stored = range(500, 1);
  asked.mockReset();
  asked.mockImplementation(async (filter, query) => answer(filter, query));
});

afterEach(() => void vi.useRealTimers());

const ids = (list: InstanceType<typeof MessageList>) =>
  Array.from({ length: list.rows.length }, (_, index) => list.rows.at(index)?.message.id);
const isGapless = (list: InstanceType<typeof MessageList>) =>
  ids(list).every((id, index, all) => index === 0 || id === (all[index - 1] ?? 0) - 1);

async function opened() {
  const list = new MessageList({});
  await list.load();
  return list;
}

test('a list begins with the newest messages, and goes on with older ones to the end', async () => {
  const list = await opened();
  expect([list.rows.newestId, list.rows.length, list.hasOlder]).toEqual([500, 50, true]);
  while (list.hasOlder) await list.loadOlder();
  expect([list.rows.oldestId, list.rows.length, isGapless(list)]).toEqual([1, 500, true]);
});

test('what comes while the person looks at older messages is counted', async () => {
  const list = await opened();
  list.receive([message(501)]);
  expect(list.unseen.value).toBe(0);
  list.isAtTop = false;
  list.receive([message(502), message(503)]);
  expect([list.unseen.value, list.rows.newestId]).toEqual([2, 503]);
});

test('a list around a message goes on in both directions without a gap', async () => {
  const list = new MessageList({});
  await list.loadAround(250);
  expect([list.hasNewer, list.hasOlder, list.rows.indexOf(250) > 0]).toEqual([true, true, true]);
  list.receive([message(501)]);
  stored = range(501, 1);
  expect([list.rows.newestId, list.unseen.value]).toEqual([300, 1]);
  while (list.hasNewer) await list.loadNewer();
  expect([list.rows.newestId, isGapless(list)]).toEqual([501, true]);
});

test('what comes while the last newer page is loaded is not lost', async () => {
  const list = new MessageList({});
  await list.loadAround(450);
  expect(list.hasNewer).toBe(false);
  await list.loadAround(440);
  const loading = list.loadNewer();
  list.receive([message(501)]);
  await loading;
  expect([list.hasNewer, list.rows.newestId, isGapless(list)]).toEqual([false, 501, true]);
});

test('an older answer does not spoil a list that was loaded again', async () => {
  const list = await opened();
  let finish = (_: PagedMessages) => {};
  asked.mockImplementationOnce(() => new Promise((resolve) => (finish = resolve)));
  const loading = list.loadOlder();
  await list.loadAround(100);
  finish(answer(null, { limit: 100, since: 451 }));
  await loading;
  expect([list.rows.newestId, isGapless(list)]).toEqual([150, true]);
});

test('a failure to load older messages can be tried again', async () => {
  const list = await opened();
  asked.mockRejectedValueOnce(new Error('away'));
  await list.loadOlder();
  expect([list.olderFailed.value, list.rows.length]).toEqual([true, 50]);
  await list.loadOlder();
  expect([list.olderFailed.value, list.rows.length]).toEqual([false, 150]);
});

test('a refresh takes out what is gone, and keeps what came meanwhile', async () => {
  const list = await opened();
  stored = stored.filter(({ id }) => id !== 490);
  const refreshing = list.refresh();
  list.receive([message(501)]);
  await refreshing;
  expect([list.rows.indexOf(490), list.rows.newestId, list.hasNewer]).toEqual([-1, 501, false]);
  stored = [];
  await list.refresh();
  expect([list.rows.length, list.hasOlder]).toEqual([0, false]);
});

test('a refresh of a list that was scrolled keeps what is seen', async () => {
  const list = await opened();
  while (list.hasOlder) await list.loadOlder();
  list.isAtTop = false;
  list.anchor = { id: 200, delta: 0 };
  stored = stored.filter(({ id }) => id !== 199);
  await list.refresh();
  expect([list.rows.indexOf(200) >= 0, list.rows.indexOf(199), list.hasNewer, list.hasOlder]).toEqual([
    true,
    -1,
    true,
    true,
  ]);
  while (list.hasNewer) await list.loadNewer();
  expect(list.rows.newestId).toBe(500);
});

test('memory has a limit, and what was dropped is loaded again', async () => {
  const list = await opened();
  for (let id = 501; id <= 10_501; id++) list.receive([message(id)]);
  stored = range(10_501, 1);
  expect(list.rows.length).toBeLessThanOrEqual(10_000);
  expect([list.rows.newestId, list.hasOlder, list.hasNewer, isGapless(list)]).toEqual([
    10_501,
    true,
    false,
    true,
  ]);
  await list.loadOlder();
  expect(isGapless(list)).toBe(true);
});

test('who looks at the oldest messages keeps them when memory is full', async () => {
  const list = await opened();
  while (list.hasOlder) await list.loadOlder();
  list.isAtTop = false;
  list.anchor = { id: 3, delta: 0 };
  for (let id = 501; id <= 10_100; id++) list.receive([message(id)]);
  expect([list.rows.oldestId, list.hasNewer, isGapless(list)]).toEqual([1, true, true]);
  expect(list.unseen.value).toBe(9600);
});

test('a filter decides about what comes, except for words', () => {
  const came = (filter: object, changed: Partial<Message>) => {
    const list = new MessageList(filter);
    list.receive([{ ...message(1), date: '2026-03-01T12:00:00Z', ...changed }]);
    return list.rows.length === 1;
  };
  expect(came({ appid: 1 }, {})).toBe(true);
  expect(came({ appid: 2 }, {})).toBe(false);
  expect(came({ minPriority: 5 }, { priority: 4 })).toBe(false);
  expect(came({ minPriority: 5 }, { priority: 5 })).toBe(true);
  expect(came({ to: '2026-03-01T00:00:00Z' }, {})).toBe(false);
  expect(came({ from: '2026-03-01T00:00:00Z' }, {})).toBe(true);
  expect(came({ text: 'm' }, {})).toBe(false);
});

const settled = (list: InstanceType<typeof MessageList>) =>
  vi.waitFor(() => {
    expect([list.status.value, list.isIncomplete]).toEqual(['ready', false]);
  });
/** Deletes on the server and in the list. */
function remove(list: InstanceType<typeof MessageList>, isRemoved: (one: Message) => boolean) {
  stored = stored.filter((one) => !isRemoved(one));
  list.remove(isRemoved);
}

test('a list that was opened around a message and is emptied shows what comes', async () => {
  const list = new MessageList({});
  await list.loadAround(250);
  remove(list, () => true);
  await settled(list);
  list.receive([message(501)]);
  expect([ids(list), list.hasNewer]).toEqual([[501], false]);
});

test('a list that was refreshed in place and is emptied shows what comes', async () => {
  const list = await opened();
  while (list.hasOlder) await list.loadOlder();
  list.isAtTop = false;
  list.anchor = { id: 200, delta: 0 };
  await list.refresh();
  remove(list, () => true);
  await settled(list);
  list.receive([message(501)]);
  expect(ids(list)).toEqual([501]);
});

test('when all that is in memory is deleted, older messages are loaded', async () => {
  const list = await opened();
  remove(list, ({ id }) => id > 450);
  expect([list.rows.length, list.isIncomplete]).toEqual([0, true]);
  await settled(list);
  expect([list.rows.newestId, list.isAtTop, isGapless(list)]).toEqual([450, true, true]);
  while (list.hasOlder) await list.loadOlder();
  expect(list.rows.oldestId).toBe(1);
});

test('an emptied list whose older messages can not be loaded has failed, and can be loaded again', async () => {
  const list = await opened();
  asked.mockRejectedValueOnce(new Error('away'));
  remove(list, ({ id }) => id > 450);
  await vi.waitFor(() => expect(list.status.value).toBe('failed'));
  list.receive([message(501)]);
  expect(list.rows.length).toBe(0);
  await list.load();
  expect(list.rows.newestId).toBe(450);
});

test('the oldest message in memory comes back when its deletion is taken back', async () => {
  const list = await opened();
  list.remove(({ id }) => id === 451);
  list.restore(message(451));
  expect([list.rows.oldestId, isGapless(list)]).toEqual([451, true]);
});

test('a deletion is taken back while older messages are loaded in its place', async () => {
  const list = await opened();
  remove(list, ({ id }) => id > 450 && id < 500);
  list.remove(({ id }) => id === 500);
  list.restore(message(500));
  while (list.rows.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(ids(list).slice(0, 2)).toEqual([500, 450]);
});

/** Holds the next answer back, with what the server has now; returns what lets it through. */
function holdAnswer(): () => void {
  let finish = () => {};
  asked.mockImplementationOnce((filter, query) => {
    const page = answer(filter, query);
    return new Promise((resolve) => (finish = () => resolve(page)));
  });
  return () => finish();
}

test('what comes while a list is loaded around an older message leaves no gap', async () => {
  const list = new MessageList({});
  const loading = list.loadAround(250);
  list.receive([message(501)]);
  stored = range(501, 1);
  await loading;
  expect([list.rows.newestId, list.hasNewer, list.unseen.value]).toEqual([300, true, 1]);
  while (list.hasNewer) await list.loadNewer();
  expect([list.rows.newestId, isGapless(list)]).toEqual([501, true]);
});

test('what comes while a list is loaded around one of the newest messages is not lost', async () => {
  const list = new MessageList({});
  const loading = list.loadAround(490);
  list.receive([message(501)]);
  await loading;
  expect([list.rows.newestId, list.hasNewer, isGapless(list)]).toEqual([501, false, true]);
});

test('a refresh keeps what is seen, also if few messages are above it', async () => {
  const around = new MessageList({});
  await around.loadAround(250);
  around.anchor = { id: 295, delta: 0 };
  await around.refresh();
  expect([around.rows.newestId, around.rows.indexOf(295) > 0, around.hasNewer]).toEqual([300, true, true]);

  const list = await opened();
  list.isAtTop = false;
  list.anchor = { id: 495, delta: 0 };
  await list.refresh();
  expect([list.rows.newestId, list.hasNewer]).toEqual([500, false]);
  stored = range(700, 1);
  await list.refresh();
  expect([list.rows.indexOf(495) >= 0, list.hasNewer, isGapless(list)]).toEqual([true, true, true]);
  while (list.hasNewer) await list.loadNewer();
  expect([list.rows.newestId, isGapless(list)]).toEqual([700, true]);
});

test('what is loaded at an end that is gone meanwhile leaves no gap', async () => {
  const list = await opened();
  while (list.rows.length < 250) await list.loadOlder();
  const finish = holdAnswer();
  const loading = list.loadOlder();
  await list.refresh();
  finish();
  await loading;
  expect([list.rows.length, isGapless(list)]).toEqual([100, true]);
  await list.loadOlder();
  expect([list.rows.length, isGapless(list)]).toEqual([200, true]);
});

test('newer messages that can not be loaded are asked for again after a while, and more rarely each time', async () => {
  vi.useFakeTimers();
  const list = new MessageList({});
  await list.loadAround(250);
  asked.mockClear();
  asked.mockRejectedValue(new NetworkError(''));
  // As it is asked for whenever the person scrolls.
  for (let second = 0; second < 100; second++) {
    void list.loadNewer();
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(asked.mock.calls.length).toBeGreaterThan(4);
  expect(asked.mock.calls.length).toBeLessThan(14);
  asked.mockImplementation(async (filter, query) => answer(filter, query));
  await vi.advanceTimersByTimeAsync(30_000);
  expect([list.rows.newestId, isGapless(list)]).toEqual([400, true]);
});

test('newer messages that are refused for good are not asked for again, until the list is refreshed', async () => {
  const list = new MessageList({});
  await list.loadAround(250);
  asked.mockClear();
  asked.mockRejectedValueOnce(new ApiError(403, ''));
  await list.loadNewer();
  await list.loadNewer();
  expect(asked).toHaveBeenCalledTimes(1);
  await list.refresh();
  while (list.hasNewer) await list.loadNewer();
  expect(list.rows.newestId).toBe(500);
});

test('older messages that could not be loaded are loaded once the server answers', async () => {
  vi.useFakeTimers();
  const list = await opened();
  asked.mockRejectedValueOnce(new NetworkError(''));
  const loading = list.loadOlder();
  await vi.advanceTimersByTimeAsync(0);
  expect([list.olderFailed.value, list.rows.length]).toEqual([true, 50]);
  await vi.advanceTimersByTimeAsync(1000);
  await loading;
  expect([list.olderFailed.value, list.rows.length]).toEqual([false, 150]);
});

test('a failure to load older messages is over when the list is loaded again or refreshed', async () => {
  for (const again of ['load', 'refresh'] as const) {
    const list = await opened();
    asked.mockRejectedValueOnce(new Error('away'));
    await list.loadOlder();
    expect(list.olderFailed.value).toBe(true);
    await list[again]();
    expect(list.olderFailed.value).toBe(false);
  }
});

test('a failure of what is not wanted any more says nothing', async () => {
  const list = await opened();
  let fail = (_: Error) => {};
  asked.mockImplementationOnce(() => new Promise((_, reject) => (fail = reject)));
  const loading = list.loadOlder();
  await list.load();
  fail(new Error('away'));
  await loading;
  expect([list.olderFailed.value, list.status.value]).toEqual([false, 'ready']);
});

test('a list that is not shown again asks no more', async () => {
  vi.useFakeTimers();
  const list = await opened();
  asked.mockClear();
  asked.mockRejectedValue(new NetworkError(''));
  const loading = list.loadOlder();
  await vi.advanceTimersByTimeAsync(0);
  list.close();
  await vi.advanceTimersByTimeAsync(100_000);
  await loading;
  expect(asked).toHaveBeenCalledTimes(1);
});
