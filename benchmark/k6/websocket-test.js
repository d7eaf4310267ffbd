// A ramp: 1000, 5000, 10 000 streams, with messages coming all the time.
//
//   k6 run benchmark/k6/websocket-test.js
//   k6 run -e STAGES=20s:100,20s:500 benchmark/k6/websocket-test.js
//
// STAGES (1m:1000,1m:1000,1m:5000,1m:5000,1m:10000,2m:10000)    how many streams there are at the end of each step
// STREAMS_PER_VU (50)  streams that one virtual user holds
// USERS (10)           the server's users, at most one per virtual user; the virtual users are spread over them
// HOLD (20s)           how long a virtual user holds its streams; then it closes them and opens them again
// RATE (1)             messages per second, to each user in turn: one message reaches the streams of one user
// P95_MS (100)         threshold: 95 % of the deliveries are faster
// CONNECT_P95_MS (1000)    threshold: 95 % of the connections are faster
// DROPPED_MAX (0)      threshold: publishes that k6 could not begin in time
// BASE_URL, ADMIN_USER, ADMIN_PASS    the server, and a user of it that may make users

import exec from 'k6/execution';

import { makeUsers, removeUsers } from './lib/accounts.js';
import { Group, PATIENCE, pause } from './lib/group.js';
import { publishInTurn, steadily } from './lib/publisher.js';
import { count, seconds, stages } from './lib/settings.js';
import { summary, TREND_STATS } from './lib/summary.js';
import { thresholds } from './lib/thresholds.js';

const STAGES = stages('STAGES', '1m:1000,1m:1000,1m:5000,1m:5000,1m:10000,2m:10000');
const STREAMS_PER_VU = count('STREAMS_PER_VU', 50);
const HOLD = seconds('HOLD', 20);
const RATE = count('RATE', 1);
const P95_MS = count('P95_MS', 100);
const CONNECT_P95_MS = count('CONNECT_P95_MS', 1000);
const DROPPED_MAX = count('DROPPED_MAX', 0, 0);
// How long a virtual user takes to open its streams, and how long the last answer may take after that.
const OPENING = 1;
const CONNECT_PATIENCE = 10;

const duration = STAGES.reduce((sum, stage) => sum + stage.seconds, 0);
const most = Math.max(...STAGES.map((stage) => stage.target));
const USERS = Math.min(count('USERS', 10), Math.ceil(most / STREAMS_PER_VU));
// So that no stream is cut off: its messages could not be accounted for.
const graceful = `${OPENING + CONNECT_PATIENCE + HOLD + PATIENCE + 5}s`;

export const options = {
  scenarios: {
    streams: {
      executor: 'ramping-vus',
      exec: 'streams',
      startVUs: 0,
      stages: STAGES.map(({ seconds: time, target }) => ({
        duration: `${time}s`,
        target: Math.ceil(target / STREAMS_PER_VU),
      })),
      gracefulRampDown: graceful,
      gracefulStop: graceful,
    },
    publish: steadily(RATE, duration),
  },
  summaryTrendStats: TREND_STATS,
  thresholds: {
    ...thresholds(P95_MS),
    connect_time: [`p(95)<${CONNECT_P95_MS}`],
    open_at_once: ['rate==1'],
    dropped_iterations: [`count<=${DROPPED_MAX}`],
  },
};

export function setup() {
  return makeUsers(USERS, 10);
}

// Holds its share of the streams for a while.
export async function streams(users) {
  const group = new Group(users[exec.scenario.iterationInTest % USERS], STREAMS_PER_VU);
  // One after the other, as many devices would come.
  for (let n = 0; n < STREAMS_PER_VU; n += 1) {
    group.open();
    await pause(OPENING / STREAMS_PER_VU);
  }
  await group.answered(CONNECT_PATIENCE);
  await group.count();
  await pause(HOLD);
  await group.finish();
}

export const messages = publishInTurn;
export const teardown = removeUsers;

export const handleSummary = summary(
  'k6-ramp',
  `up to ${most} streams of ${USERS} users in ${duration} s, ${RATE} messages per second`,
);
