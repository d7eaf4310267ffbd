// One stream, and what is measured of it.
//
// k6's own metrics are not used. Its `ws_sessions` counts connections that were refused too, and it calls `onerror`
// before `onclose` when a server closes with another code than 1000; so a stream is judged once, in `onclose`.

import { check } from 'k6';
import { Counter, Rate, Trend } from 'k6/metrics';
import { WebSocket } from 'k6/websockets';

import { readMark } from './accounts.js';
import { STREAM_URL } from './settings.js';

// From the first byte of the connection to the server's 101.
export const connectTime = new Trend('connect_time', true);
// Streams that were opened, of those that were asked for.
export const connectSuccess = new Rate('connect_success');
// Streams that ended before they were closed from here.
export const brokenStreams = new Counter('broken_streams');
// Frames on streams that can't be decoded as one of Gotify's messages.
export const badFrames = new Counter('bad_frames');
// From just before the publish to the message on a stream, in the clock of this process.
export const deliveryLatency = new Trend('delivery_latency', true);
// Messages that came on streams.
export const deliveries = new Counter('deliveries');
// Messages that came on a stream, of those that had to come on it.
export const deliverySuccess = new Rate('delivery_success');
// Messages that came on a stream a second time.
export const duplicates = new Counter('duplicates');

// One stream of a user. `onOpen`, `onMessage` (with the message's mark) and `onEnd` are called if they are given.
export class Stream {
  constructor(token, { onOpen, onMessage, onEnd } = {}) {
    // The numbers of the messages that came.
    this.seen = new Set();
    // The first message that came and was sent after the stream was open: each later one must come too.
    this.first = Infinity;
    this.isOpen = false;
    this.isClosing = false;
    this.openedAt = null;
    // Whether `connect_success` knows of this stream.
    this.isCounted = false;
    const begun = Date.now();
    this.socket = new WebSocket(`${STREAM_URL}/stream?token=${token}`, null, { tags: { name: '/stream' } });
    this.socket.onopen = () => {
      this.isOpen = true;
      this.openedAt = Date.now();
      connectTime.add(this.openedAt - begun);
      this.countConnect(true);
      if (this.isClosing) this.socket.close();
      else if (onOpen) onOpen();
    };
    this.socket.onmessage = ({ data }) => {
      const mark = this.receive(data, Date.now());
      if (mark && onMessage) onMessage(mark);
    };
    this.socket.onerror = ({ error }) => {
      if (__ENV.VERBOSE) console.error(`a stream failed: ${error}`);
    };
    this.socket.onclose = ({ code }) => {
      this.countConnect(false);
      if (this.isOpen && !this.isClosing) {
        brokenStreams.add(1);
        if (__ENV.VERBOSE) console.error(`a stream was ended by the server, with code ${code}`);
      }
      this.isOpen = false;
      if (onEnd) onEnd();
    };
  }

  // Counts a frame. Returns its mark, or null if it has none.
  receive(data, received) {
    const message = decode(data);
    if (message === null) {
      badFrames.add(1);
      if (__ENV.VERBOSE) console.error(`a frame is no message: ${data}`);
      return null;
    }
    const mark = readMark(message.message);
    if (mark === null) return null;
    deliveries.add(1);
    deliveryLatency.add(received - mark.sent);
    if (this.seen.has(mark.number)) duplicates.add(1);
    this.seen.add(mark.number);
    if (mark.sent >= this.openedAt) this.first = Math.min(this.first, mark.number);
    return mark;
  }

  // Counts, once, whether the stream was opened. Without an answer from the server it was not.
  countConnect(isOpened) {
    if (this.isCounted) return;
    this.isCounted = true;
    connectSuccess.add(isOpened);
    check(isOpened, { 'status is 101': (is) => is });
  }

  // Whether all messages came whose numbers are above `after` and at most `last`, and those between that came first
  // and `last`.
  hasAll(after, last) {
    for (let number = Math.min(this.first, after + 1); number <= last; number += 1) {
      if (!this.seen.has(number)) return false;
    }
    return true;
  }

  // Counts the same messages: those that came, and those that are missing.
  account(after, last) {
    for (let number = Math.min(this.first, after + 1); number <= last; number += 1) {
      deliverySuccess.add(this.seen.has(number));
    }
  }

  // Closes the stream. One that the server has not answered yet counts as not opened; k6's `close` would block its
  // virtual user, so that such a one is closed when the answer comes.
  close() {
    this.isClosing = true;
    this.countConnect(false);
    if (this.isOpen) this.socket.close();
  }
}

// Returns the message in a frame, or null if it is none: a frame that is not text, not JSON, or lacks a field.
function decode(data) {
  try {
    const message = JSON.parse(data);
    const isMessage = Number.isInteger(message.id) && Number.isInteger(message.appid)
      && typeof message.message === 'string' && typeof message.priority === 'number'
      && !Number.isNaN(Date.parse(message.date));
    return isMessage ? message : null;
  } catch (error) {
    return null;
  }
}
