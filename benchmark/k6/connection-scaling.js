// A given number of streams, opened at a steady rate and held, with a message to each user in turn all the time.
//
//   k6 run -e SCALE=1k benchmark/k6/connection-scaling.js
//
// SCALE (1k)           1k, 10k or 100k streams, or a number
// CONNECT_RATE (500)   streams opened per second
// HOLD (30s)           how long all of them are held; in the middle of it they are counted
// STREAMS_PER_VU (50)  streams that one virtual user holds
// USERS (10)           the server's users, at most one per virtual user; the virtual users are spread over them
// RATE (1)             messages per second, to each user in turn: one message reaches the streams of one user
// P95_MS (100), CONNECT_P95_MS (1000)    thresholds of delivery and of connecting
// DROPPED_MAX (0)      threshold: publishes that k6 could not begin in time
// BASE_URL, ADMIN_USER, ADMIN_PASS       the server, and a user of it that may make users
//
// Above about 28 000 streams k6 needs more than one source address: `k6 run --local-ips=127.0.0.2-127.0.0.9`. It
// also needs an open file for each stream, and so does the server.

import exec from 'k6/execution';

import { makeUsers, removeUsers } from './lib/accounts.js';
import { Group, PATIENCE, pause } from './lib/group.js';
import { publishInTurn, steadily } from './lib/publisher.js';
import { count, seconds } from './lib/settings.js';
import { summary, TREND_STATS } from './lib/summary.js';
import { thresholds } from './lib/thresholds.js';

const NAMED = { '1k': 1000, '10k': 10000, '100k': 100000 };
const SCALE = NAMED[(__ENV.SCALE || '1k').toLowerCase()] || count('SCALE', 1000);
const CONNECT_RATE = count('CONNECT_RATE', 500);
const HOLD = seconds('HOLD', 30);
const STREAMS_PER_VU = count('STREAMS_PER_VU', 50);
const RATE = count('RATE', 1);
const P95_MS = count('P95_MS', 100);
const CONNECT_P95_MS = count('CONNECT_P95_MS', 1000);
const DROPPED_MAX = count('DROPPED_MAX', 0, 0);

const vus = Math.ceil(SCALE / STREAMS_PER_VU);
const USERS = Math.min(count('USERS', 10), vus);
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
      maxDuration: `${duration + PATIENCE + 60}s`,
    },
    publish: steadily(RATE, duration),
  },
  summaryTrendStats: TREND_STATS,
  thresholds: {
    ...thresholds(P95_MS),
    connect_time: [`p(95)<${CONNECT_P95_MS}`],
    open_at_once: ['rate==1'],
    streams_open: [`count>=${SCALE}`],
    dropped_iterations: [`count<=${DROPPED_MAX}`],
  },
};

export function setup() {
  return makeUsers(USERS, 10);
}

// Opens its share of the streams when their turn has come, and holds them to the end.
export async function streams(users) {
  const vu = exec.scenario.iterationInTest;
  const until = (seconds) => pause(Math.max(seconds - (Date.now() - exec.scenario.startTime) / 1000, 0));
  // Virtual users take turns, so that all of them open at the same rate.
  const places = [];
  for (let place = vu; place < SCALE; place += vus) places.push(place);
  const group = new Group(users[vu % USERS], places.length);
  for (const place of places) {
    await until(place / CONNECT_RATE);
    group.open();
  }
  await until(opening + HOLD / 2);
  await group.count();
  await until(duration);
  await group.finish();
}

export const messages = publishInTurn;
export const teardown = removeUsers;

export const handleSummary = summary(
  'k6-scale',
  `${SCALE} streams of ${USERS} users, ${CONNECT_RATE} opened per second, held for ${HOLD} s, ${RATE} messages per second`,
);
