// The stream: a WebSocket that brings messages and events, and is opened again whenever it is lost.
//
// It is resumed after the newest message that has come, so nothing is missed. A WebSocket, because a browser has only
// six HTTP/1.1 connections per host, and an event stream would keep one of them.
import { request } from '../api/request';
import type { Message, StreamEvent } from '../api/types';
import { connection } from '../state/connection';
import { waitMs } from './backoff';

/** The server's close code for a stream that has missed more than it would bring. */
const TOO_FAR_BEHIND = 4001;
/** A stream that lived so long was a good one. */
const GOOD_AFTER_MS = 10_000;
/** A timer that is so late says that the device has slept: the connection is dead, though nobody has noticed. */
const TICK_MS = 10_000;
const SLEPT_MS = 30_000;

export type StreamReceiver = {
  onMessage: (message: Message) => void;
  onEvent: (event: StreamEvent) => void;
  /** Messages were missed that the stream will not bring. Resolves to the newest message's id, to go on after. */
  onTooFarBehind: () => Promise<number>;
};

export class Stream {
  private socket: WebSocket | null = null;
  private failures = 0;
  /** Nothing was lost yet. */
  private isFirst = true;
  private openedAt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly ticker: ReturnType<typeof setInterval>;
  private lastTick = Date.now();
  private readonly ending = new AbortController();

  /** Connects, and brings what was stored after the message `since`. */
  constructor(
    private since: number,
    private readonly receiver: StreamReceiver,
  ) {
    const { signal } = this.ending;
    addEventListener('online', () => this.reconnect(), { signal });
    window.addEventListener('pageshow', (event) => event.persisted && this.reconnect(), { signal });
    document.addEventListener('visibilitychange', () => !document.hidden && this.retryNow(), { signal });
    this.ticker = setInterval(() => this.tick(), TICK_MS);
    this.connect();
  }

  /** Ends the stream for good. */
  close(): void {
    this.ending.abort();
    clearInterval(this.ticker);
    this.drop();
    connection.value = { state: 'off' };
  }

  private connect(): void {
    this.drop();
    connection.value = { state: 'connecting' };
    const socket = new WebSocket(streamUrl(this.since));
    this.socket = socket;
    this.openedAt = 0;
    socket.onopen = () => {
      this.openedAt = Date.now();
      connection.value = { state: 'open' };
    };
    socket.onmessage = ({ data }) => this.receive(data);
    socket.onclose = ({ code }) => {
      if (this.socket === socket) void this.lost(code);
    };
  }

  private receive(data: unknown): void {
    if (typeof data !== 'string') return;
    const received = JSON.parse(data) as Message | StreamEvent;
    if ('event' in received) {
      if (received.event === 'missed' && this.isFirst) {
        // A server can't know what came before a stream; here the lists were loaded the moment before.
        this.isFirst = false;
        return;
      }
      this.receiver.onEvent(received);
    } else if (received.id > this.since) {
      this.since = received.id;
      this.receiver.onMessage(received);
    }
  }

  private async lost(code: number): Promise<void> {
    this.isFirst = false;
    const wasOpen = this.openedAt > 0;
    if (wasOpen && Date.now() - this.openedAt >= GOOD_AFTER_MS) this.failures = 0;
    this.drop();
    const wait = waitMs(this.failures);
    this.failures += 1;
    connection.value = { state: 'lost', retryAt: Date.now() + wait };
    try {
      if (code === TOO_FAR_BEHIND) this.since = await this.receiver.onTooFarBehind();
      // A browser does not say why a handshake was refused. Who is not logged in any more is sent to the login by this.
      else if (!wasOpen) await request('GET', 'current/user');
    } catch {
      // The next attempt will say more.
    }
    if (this.ending.signal.aborted || this.socket) return;
    // Not by a timer: those of a hidden page are late.
    if (wait === 0) this.connect();
    else this.timer = setTimeout(() => this.connect(), wait);
  }

  /** Tries at once, if the stream is lost. */
  private retryNow(): void {
    this.tick();
    if (connection.peek().state !== 'lost') return;
    this.failures = 0;
    this.connect();
  }

  /** Connects anew even if the stream seems to be open: the network has changed. */
  private reconnect(): void {
    this.failures = 0;
    this.connect();
  }

  private tick(): void {
    const now = Date.now();
    const late = now - this.lastTick - TICK_MS;
    this.lastTick = now;
    // Hidden pages have slow timers, but not that slow.
    if (late > SLEPT_MS + (document.hidden ? 60_000 : 0)) this.reconnect();
  }

  private drop(): void {
    clearTimeout(this.timer);
    const { socket } = this;
    this.socket = null;
    if (!socket) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }
}

function streamUrl(since: number): string {
  const url = new URL(`stream?events=true&since=${since}`, document.baseURI);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}
