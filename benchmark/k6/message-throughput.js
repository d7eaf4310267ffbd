// Messages at controlled rates to streams that are there from the beginning to the end.
//
//   k6 run benchmark/k6/message-throughput.js                                 # one rate after the other
//   k6 run -e RATES=10 -e STEP=2m benchmark/k6/message-throughput.js          # a steady one, for latencies
//
// RATES (10,50,100)    messages per second, one step after the other
// STEP (20s)           how long each step lasts
// STREAMS (100)        streams, spread over the users
// STREAMS_PER_VU (25)  streams that one virtual user holds
// USERS (1)            the server's users, at most one per virtual user. They get messages in turn: one message reaches
//                      the streams of one user
// P95_MS (100)         threshold: 95 % of the deliveries are faster
// DROPPED_MAX (0)      threshold: publishes that k6 could not begin in time
// BASE_URL, ADMIN_USER, ADMIN_PASS    the server, and a user of it that may make users
//
// A publish starts when it is due, however long the one before takes (an open model); what k6 could not begin in time
// is counted as dropped. Every message of a user must come on every stream of that user.

import exec from 'k6/execution';

import { makeUsers, removeUsers } from './lib/accounts.js';
import { Group, PATIENCE, pause } from './lib/group.js';
import { publishInTurn } from './lib/publisher.js';
import { count, numbers, seconds } from './lib/settings.js';
import { summary, TREND_STATS } from './lib/summary.js';
import { thresholds } from './lib/thresholds.js';

const RATES = numbers('RATES', '10,50,100');
const STEP = seconds('STEP', 20);
const STREAMS = count('STREAMS', 100);
const STREAMS_PER_VU = count('STREAMS_PER_VU', 25);
const P95_MS = count('P95_MS', 100);
const DROPPED_MAX = count('DROPPED_MAX', 0, 0);
// All streams are there before the first message.
const LEAD = 5;

const vus = Math.ceil(STREAMS / STREAMS_PER_VU);
const USERS = Math.min(count('USERS', 1), vus);
const publishing = RATES.length * STEP;

export const options = {
  scenarios: {
    streams: {
      executor: 'per-vu-iterations',
      exec: 'streams',
      vus,
      iterations: 1,
      maxDuration: `${LEAD + publishing + PATIENCE + 60}s`,
    },
    publish: {
      executor: 'ramping-arrival-rate',
      exec: 'messages',
      startTime: `${LEAD}s`,
      // k6 takes whole numbers alone, so the rates are per minute.
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
    ...thresholds(P95_MS),
    open_at_once: ['rate==1'],
    streams_open: [`count>=${STREAMS}`],
    dropped_iterations: [`count<=${DROPPED_MAX}`],
  },
};

export function setup() {
  return makeUsers(USERS, Math.min(10, STREAMS_PER_VU));
}

// Holds its share of the streams for the whole run, then looks whether all messages came.
export async function streams(users) {
  const vu = exec.scenario.iterationInTest;
  const until = (seconds) => pause(Math.max(seconds - (Date.now() - exec.scenario.startTime) / 1000, 0));
  const group = new Group(users[vu % USERS], Math.min(STREAMS_PER_VU, STREAMS - vu * STREAMS_PER_VU));
  for (let n = 0; n < group.asked; n += 1) group.open();
  await until(LEAD - 1);
  await group.count();
  await until(LEAD + publishing + 1);
  await group.finish();
}

export const messages = publishInTurn;
export const teardown = removeUsers;

export const handleSummary = summary(
  'k6-throughput',
  `${RATES.join(', ')} messages per second for ${STEP} s each to ${STREAMS} streams of ${USERS} users`,
);
