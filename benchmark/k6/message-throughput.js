// Messages at controlled rates to streams that are there from the beginning to the end.
//
//   k6 run benchmark/k6/message-throughput.js                                 # one rate after the other
//   k6 run -e RATES=10 -e STEP=2m benchmark/k6/message-throughput.js          # a steady one, for latencies
//
// RATES (10,50,100)    messages a second, one step after the other
// STEP (20s)           how long each step lasts
// STREAMS (100)        streams, spread over the users
// USERS (1)            the server's users, who get messages in turn: one message reaches the streams of one user
// STREAMS_PER_VU (25)  streams that one virtual user holds
// P95_MS (100)         threshold: 95 % of the deliveries are faster
// DROPPED_MAX (0)      threshold: publishes that k6 could not start in time
// BASE_URL, ADMIN_USER, ADMIN_PASS    the server and a user of it that may make users
//
// A publish starts when it is due, however long the one before takes (an open model); what k6 could not start in time
// is counted as dropped. What a stream should have got is known exactly: every message of its user.

import exec from 'k6/execution';
import { setTimeout } from 'k6/timers';

import { makeUsers, newestNumber, removeUsers } from './lib/accounts.js';
import { publishInTurn } from './lib/publisher.js';
import { count, numbers, seconds } from './lib/settings.js';
import { Stream } from './lib/streams.js';
import { summary, TREND_STATS } from './lib/summary.js';

const RATES = numbers('RATES', '10,50,100');
const STEP = seconds('STEP', 20);
const STREAMS = count('STREAMS', 100);
const USERS = count('USERS', 1);
const STREAMS_PER_VU = count('STREAMS_PER_VU', 25);
const P95_MS = count('P95_MS', 100);
const DROPPED_MAX = count('DROPPED_MAX', 0, 0);
// Before the first message all streams are there; after the last one they have time to get it.
const LEAD = 5;
const DRAIN = 5;

const publishing = RATES.length * STEP;

export const options = {
  scenarios: {
    streams: {
      executor: 'per-vu-iterations',
      exec: 'streams',
      vus: Math.ceil(STREAMS / STREAMS_PER_VU),
      iterations: 1,
      maxDuration: `${LEAD + publishing + DRAIN + 60}s`,
    },
    publish: {
      executor: 'ramping-arrival-rate',
      exec: 'messages',
      startTime: `${LEAD}s`,
      // Whole numbers alone are allowed, so the rates are a minute's.
      timeUnit: '1m',
      startRate: Math.round(RATES[0] * 60),
      stages: RATES.flatMap((rate) => [
        { duration: '0s', target: Math.round(rate * 60) },
        { duration: `${STEP}s`, target: Math.round(rate * 60) },
      ]),
      // Enough for publishes that take a second each.
      preAllocatedVUs: 20 + Math.ceil(Math.max(...RATES)),
      maxVUs: 20 + 4 * Math.ceil(Math.max(...RATES)),
    },
  },
  summaryTrendStats: TREND_STATS,
  thresholds: {
    connect_success: ['rate==1'],
    delivery_success: ['rate==1'],
    // What was never sent is never missed.
    deliveries: ['count>0'],
    delivery_latency: [`p(95)<${P95_MS}`],
    duplicates: ['count<1'],
    broken_streams: ['count<1'],
    checks: ['rate==1'],
    dropped_iterations: [`count<=${DROPPED_MAX}`],
  },
};

export function setup() {
  return makeUsers(USERS, Math.min(10, Math.ceil(STREAMS / USERS)));
}

// Holds its share of the streams for the whole run, then looks whether all messages came.
export function streams(users) {
  const vu = exec.vu.idInTest - 1;
  const end = exec.scenario.startTime + (LEAD + publishing + DRAIN) * 1000;
  const own = [];
  for (let n = 0; n < STREAMS_PER_VU; n += 1) {
    const place = (vu % Math.ceil(STREAMS / STREAMS_PER_VU)) * STREAMS_PER_VU + n;
    if (place < STREAMS) {
      const user = users[place % USERS];
      own.push({ user, stream: new Stream(user.clients[Math.floor(place / USERS) % user.clients.length]) });
    }
  }
  setTimeout(() => {
    const newest = {};
    for (const { user, stream } of own) {
      if (newest[user.id] === undefined) newest[user.id] = newestNumber(user.clients[0]);
      stream.account(0, newest[user.id]);
      stream.close();
    }
  }, end - Date.now());
}

export const messages = publishInTurn;
export const teardown = removeUsers;

export const handleSummary = summary(
  'k6-throughput',
  `${RATES.join(', ')} messages a second for ${STEP} s each to ${STREAMS} streams of ${USERS} users`,
);
