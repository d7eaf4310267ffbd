// Streams, and what is measured of them.

import { check } from 'k6';
import { Counter, Rate, Trend } from 'k6/metrics';
import { WebSocket } from 'k6/websockets';

import { readMark } from './accounts.js';
import { STREAM_URL } from './settings.js';

// From the first byte of the connection to the server's 101.
export const connectTime = new Trend('connect_time', true);
// Streams that were opened, of those that were tried.
export const connectSuccess = new Rate('connect_success');
// From just before the publish to the message on a stream, in the clock of this process.
export const deliveryLatency = new Trend('delivery_latency', true);
// Messages on streams; its rate is the messages a second.
export const deliveries = new Counter('deliveries');
// Messages that a stream got, of those that it should have got.
export const deliverySuccess = new Rate('delivery_success');
// Messages that came twice on a stream.
export const duplicates = new Counter('duplicates');
// Streams that ended before they were closed from here.
export const brokenStreams = new Counter('broken_streams');

// What must hold where streams come and go while messages are published.
export function thresholds(p95Ms, connectP95Ms) {
  return {
    connect_success: ['rate>0.99'],
    connect_time: [`p(95)<${connectP95Ms}`],
    delivery_success: ['rate>0.999'],
    // What was never sent is never missed.
    deliveries: ['count>0'],
    delivery_latency: [`p(95)<${p95Ms}`],
    duplicates: ['count<1'],
    broken_streams: ['count<1'],
    checks: ['rate>0.999'],
  };
}

// One stream. `onMessage`, if any, is told each message with its mark.
export class Stream {
  constructor(token, { onOpen, onMessage, onEnd } = {}) {
    this.seen = new Set();
    this.first = Infinity;
    this.last = -Infinity;
    this.isOpen = false;
    // Whether the server ever answered with 101.
    this.wasOpen = false;
    this.isClosing = false;
    const begun = Date.now();
    this.socket = new WebSocket(`${STREAM_URL}/stream?token=${token}`, null, { tags: { name: '/stream' } });
    this.socket.onopen = () => {
      this.isOpen = true;
      this.wasOpen = true;
      connectTime.add(Date.now() - begun);
      connectSuccess.add(true);
      if (onOpen) onOpen(this);
    };
    this.socket.onmessage = (event) => {
      const received = Date.now();
      const message = JSON.parse(event.data);
      const mark = readMark(message.message);
      if (!mark) return;
      deliveries.add(1);
      deliveryLatency.add(received - mark.sent);
      if (this.seen.has(mark.number)) duplicates.add(1);
      this.seen.add(mark.number);
      this.first = Math.min(this.first, mark.number);
      this.last = Math.max(this.last, mark.number);
      if (onMessage) onMessage(this, message, mark);
    };
    this.socket.onerror = (event) => {
      if (!this.isOpen) connectSuccess.add(false);
      else if (!this.isClosing) brokenStreams.add(1);
      if (__ENV.VERBOSE) console.error(`a stream failed: ${event.error}`);
    };
    this.socket.onclose = () => {
      if (this.isOpen && !this.isClosing) brokenStreams.add(1);
      this.isOpen = false;
      if (onEnd) onEnd(this);
    };
  }

  // Counts what is missing among the messages from number `first` to `last`: by default, between what came first and
  // what came last.
  account(first = this.first, last = this.last) {
    for (let number = first; number <= last; number += 1) deliverySuccess.add(this.seen.has(number));
  }

  close() {
    this.isClosing = true;
    this.socket.close();
  }
}

// What holds for a message that came on a stream of a user.
export function checkMessage(message) {
  check(message, {
    'message is valid': (m) => m.id > 0 && m.appid > 0 && typeof m.priority === 'number' && !Number.isNaN(Date.parse(m.date)),
  });
}
