// As many streams as one is told, opened at a steady rate and held, with a message to all of them each second.
//
//   k6 run -e SCALE=1k benchmark/k6/connection-scaling.js
//
// SCALE (1k)           1k, 10k or 100k streams, or a number
// CONNECT_RATE (500)   streams opened a second
// HOLD (30s)           how long all of them are held once they are there
// STREAMS_PER_VU (50)  streams that one virtual user holds
// USERS (10)           the server's users; the streams are spread over them
// RATE (1)             messages a second, to each user in turn: one message reaches the streams of one user
// P95_MS (100), CONNECT_P95_MS (1000)    thresholds of delivery and of connecting
// BASE_URL, ADMIN_USER, ADMIN_PASS       the server and a user of it that may make users
//
// Above about 28 000 streams k6 needs more than one source address: `k6 run --local-ips=127.0.0.2-127.0.0.9`. It
// also needs an open file for each stream, and so does the server.

import exec from 'k6/execution';
import { setTimeout } from 'k6/timers';

import { makeUsers, removeUsers } from './lib/accounts.js';
import { publishInTurn, steadily } from './lib/publisher.js';
import { count, seconds } from './lib/settings.js';
import { Stream, thresholds } from './lib/streams.js';
import { summary, TREND_STATS } from './lib/summary.js';

const NAMED = { '1k': 1000, '10k': 10000, '100k': 100000 };
const SCALE = NAMED[(__ENV.SCALE || '1k').toLowerCase()] || count('SCALE', 1000);
const CONNECT_RATE = count('CONNECT_RATE', 500);
const HOLD = seconds('HOLD', 30);
const STREAMS_PER_VU = count('STREAMS_PER_VU', 50);
const USERS = count('USERS', 10);
const RATE = count('RATE', 1);
const P95_MS = count('P95_MS', 100);
const CONNECT_P95_MS = count('CONNECT_P95_MS', 1000);

const vus = Math.ceil(SCALE / STREAMS_PER_VU);
const opening = Math.ceil(SCALE / CONNECT_RATE);
const duration = opening + HOLD;

export const options = {
  setupTimeout: '2m',
  scenarios: {
    streams: {
      executor: 'per-vu-iterations',
      exec: 'streams',
      vus,
      iterations: 1,
      maxDuration: `${duration + 60}s`,
    },
    publish: steadily(RATE, duration),
  },
  summaryTrendStats: TREND_STATS,
  thresholds: thresholds(P95_MS, CONNECT_P95_MS),
};

export function setup() {
  return makeUsers(USERS, 10);
}

// Opens its share of the streams when their turn has come, and holds them to the end.
export function streams(users) {
  const vu = exec.vu.idInTest - 1;
  const elapsed = Date.now() - exec.scenario.startTime;
  for (let n = 0; n < STREAMS_PER_VU; n += 1) {
    // Virtual users take turns, so that all of them open at the same rate.
    const place = n * vus + (vu % vus);
    if (place < SCALE) {
      const user = users[place % USERS];
      const token = user.clients[Math.floor(place / USERS) % user.clients.length];
      setTimeout(() => {
        const stream = new Stream(token, { onEnd: (ended) => ended.account() });
        setTimeout(() => stream.close(), ((SCALE - place) * 1000) / CONNECT_RATE + HOLD * 1000);
      }, Math.max((place * 1000) / CONNECT_RATE - elapsed, 0));
    }
  }
}

export const messages = publishInTurn;
export const teardown = removeUsers;

export const handleSummary = summary(
  'k6-scale',
  `${SCALE} streams of ${USERS} users, ${CONNECT_RATE} opened a second, held for ${HOLD} s, ${RATE} messages a second`,
);
