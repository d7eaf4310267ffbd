// The streams of one virtual user, which belong to one user of the server.

import { Counter, Rate } from 'k6/metrics';
import { setTimeout } from 'k6/timers';

import { newestNumber } from './accounts.js';
import { Stream, deliverySuccess } from './streams.js';

// Streams that were open at the moment when all of them should be, of those that were asked for.
export const openAtOnce = new Rate('open_at_once');
// The same as a number: a virtual user that did not run at all is missing here, and not in the rate.
export const streamsOpen = new Counter('streams_open');

// How long a message that the server has stored may take to a stream.
export const PATIENCE = 5;
const LOOK_AGAIN = 0.1;

// Resolves after so many seconds.
export function pause(seconds) {
  return new Promise((done) => {
    setTimeout(done, seconds * 1000);
  });
}

// Used in this order: `open` for each stream, `count` when all should be open, `finish` at the end.
export class Group {
  // `asked` is how many streams there will be.
  constructor(user, asked) {
    this.user = user;
    this.asked = asked;
    this.streams = [];
    // The streams that were open when they were counted, and the newest message at that time.
    this.counted = [];
    this.newest = Infinity;
  }

  // Opens the next stream, with the user's clients in turn.
  open() {
    const { clients } = this.user;
    this.streams.push(new Stream(clients[this.streams.length % clients.length]));
  }

  // Waits until the server has answered for each stream, at most so many seconds.
  async answered(seconds) {
    const end = Date.now() + seconds * 1000;
    while (this.streams.some((stream) => !stream.isCounted) && Date.now() < end) await pause(LOOK_AGAIN);
  }

  // Counts the streams that are open now. Each message that is stored from now on must come on each of them.
  async count() {
    this.counted = this.streams.filter((stream) => stream.isOpen);
    streamsOpen.add(this.counted.length);
    for (let n = 0; n < this.asked; n += 1) openAtOnce.add(n < this.counted.length);
    this.newest = await this.newestStored(Infinity);
  }

  // Waits until the streams that were counted have each message that is stored by now, at most `PATIENCE`; counts what
  // is missing, and closes all streams.
  async finish() {
    const last = await this.newestStored(-1);
    const end = Date.now() + PATIENCE * 1000;
    const isWaiting = (stream) => stream.isOpen && !stream.hasAll(this.newest, last);
    while (this.counted.some(isWaiting) && Date.now() < end) await pause(LOOK_AGAIN);
    for (const stream of this.counted) stream.account(this.newest, last);
    for (const stream of this.streams) stream.close();
  }

  // Returns the number of the user's newest message. If the server does not say, this counts as a message that did not
  // come, and `otherwise` is returned.
  async newestStored(otherwise) {
    try {
      return await newestNumber(this.user);
    } catch (error) {
      console.error(error.message);
      deliverySuccess.add(false);
      return otherwise;
    }
  }
}
