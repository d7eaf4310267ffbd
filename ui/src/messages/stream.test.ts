import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Message } from '../api/types';

/** A socket that does what a test says. */
class FakeSocket {
  static all: FakeSocket[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  isClosed = false;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  close(): void {
    this.isClosed = true;
  }
}

const listeners = new EventTarget();
const fakeDocument = Object.assign(new EventTarget(), {
  hidden: false,
  baseURI: 'https://example.org/push/#/messages',
});
const asked = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.stubGlobal('document', fakeDocument);
  // Not the same target: Node may forget to remove all but the last of a target's listeners that share a signal,
  // see https://github.com/nodejs/node/issues/63954.
  vi.stubGlobal('window', new EventTarget());
  vi.stubGlobal('addEventListener', listeners.addEventListener.bind(listeners));
  vi.spyOn(Math, 'random').mockReturnValue(1);
  FakeSocket.all = [];
  asked.mockReset();
  asked.mockResolvedValue({});
  receiver.onMessage.mockReset();
  receiver.onEvent.mockReset();
});

afterEach(() => {
  opened?.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

vi.mock('../api/request', () => ({ request: (...parameters: unknown[]) => asked(...parameters) }));
const { Stream } = await import('./stream');
const { connection } = await import('../state/connection');

const receiver = { onMessage: vi.fn(), onEvent: vi.fn(), onTooFarBehind: vi.fn(async () => 900) };
let opened: InstanceType<typeof Stream> | undefined;

function open(since = 5): void {
  opened = new Stream(since, receiver);
}

const last = () => FakeSocket.all.at(-1) as FakeSocket;
const since = () => new URL(last().url).searchParams.get('since');
const message = (id: number): Message => ({ id, appid: 1, title: '', message: '', priority: 0, date: '' });
const bring = (data: unknown) => last().onmessage?.({ data: `${JSON.stringify(data)}\n` });

/** Lets the connection be lost, and what follows at once happen. */
async function lose(code = 1006): Promise<void> {
  last().onclose?.({ code });
  await vi.advanceTimersByTimeAsync(0);
}

test('the address is below that of the page, and has no token', () => {
  open();
  expect(last().url).toBe('wss://example.org/push/stream?events=true&since=5');
});

test('a lost stream is resumed at once, after the newest message that has come', async () => {
  open();
  last().onopen?.();
  bring(message(6));
  bring(message(7));
  bring(message(7));
  expect(receiver.onMessage.mock.calls.map(([{ id }]) => id)).toEqual([6, 7]);
  await lose();
  expect([FakeSocket.all.length, since(), connection.value.state]).toEqual([2, '7', 'connecting']);
});

test('attempts that fail wait longer and longer, and a good stream forgets that', async () => {
  open();
  await lose();
  expect(FakeSocket.all).toHaveLength(2);
  for (const wait of [500, 1000, 2000]) {
    await lose();
    expect(connection.value).toEqual({ state: 'lost', retryAt: Date.now() + wait });
    await vi.advanceTimersByTimeAsync(wait - 1);
    const before = FakeSocket.all.length;
    await vi.advanceTimersByTimeAsync(1);
    expect(FakeSocket.all).toHaveLength(before + 1);
  }
  last().onopen?.();
  await vi.advanceTimersByTimeAsync(10_000);
  const before = FakeSocket.all.length;
  await lose();
  expect(FakeSocket.all).toHaveLength(before + 1);
});

test('a stream that ends as soon as it begins does not make a page hammer the server', async () => {
  open();
  for (let attempt = 0; attempt < 4; attempt++) {
    last().onopen?.();
    await lose(1013);
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(FakeSocket.all).toHaveLength(2);
});

test('a refused handshake asks who is logged in, which ends a session that is over', async () => {
  open();
  await lose();
  expect(asked).toHaveBeenCalledWith('GET', 'current/user');
  asked.mockClear();
  last().onopen?.();
  await lose();
  expect(asked).not.toHaveBeenCalled();
});

test('a stream that would have to bring too much goes on after what was loaded instead', async () => {
  open();
  last().onopen?.();
  await lose(4001);
  expect(since()).toBe('900');
});

test('a network that comes back is used at once', async () => {
  open();
  for (let attempt = 0; attempt < 6; attempt++) {
    await lose();
    await vi.advanceTimersByTimeAsync(attempt < 5 ? 30_000 : 0);
  }
  expect(connection.value.state).toBe('lost');
  const before = FakeSocket.all.length;
  listeners.dispatchEvent(new Event('online'));
  expect(FakeSocket.all).toHaveLength(before + 1);
});

test('a device that has slept connects anew, though its stream looks open', async () => {
  open();
  last().onopen?.();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(FakeSocket.all).toHaveLength(1);
  vi.setSystemTime(Date.now() + 3_600_000);
  await vi.advanceTimersByTimeAsync(10_000);
  expect([FakeSocket.all.length, FakeSocket.all[0]?.isClosed]).toEqual([2, true]);
});

test('that events were missed is passed on, but not before the first loss', async () => {
  open();
  last().onopen?.();
  bring({ event: 'missed' });
  expect(receiver.onEvent).not.toHaveBeenCalled();
  bring({ event: 'missed' });
  expect(receiver.onEvent).toHaveBeenCalledTimes(1);
  await lose();
  bring({ event: 'missed' });
  expect(receiver.onEvent).toHaveBeenCalledTimes(2);
});

test('a stream that was closed stays closed', async () => {
  open();
  last().onopen?.();
  const [socket] = FakeSocket.all;
  opened?.close();
  listeners.dispatchEvent(new Event('online'));
  await vi.advanceTimersByTimeAsync(100_000);
  expect([FakeSocket.all.length, socket?.isClosed, connection.value.state]).toEqual([1, true, 'off']);
});
