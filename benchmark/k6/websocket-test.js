// A ramp: 1000, 5000, 10 000 streams, with messages coming all the time.
//
//   k6 run benchmark/k6/websocket-test.js
//   k6 run -e STAGES=20s:100,20s:500 benchmark/k6/websocket-test.js
//
// STAGES (1m:1000,1m:1000,1m:5000,1m:5000,1m:10000,2m:10000)    how many streams there are at the end of each step
// STREAMS_PER_VU (50)  streams that one virtual user holds
// USERS (10)           the server's users; the streams are spread over them
// HOLD (20s)           how long a stream stays; then its virtual user closes all of its own and opens them again
// RATE (1)             messages a second, to each user in turn: one message reaches the streams of one user
// P95_MS (100)         threshold: 95 % of the deliveries are faster
// CONNECT_P95_MS (1000)    threshold: 95 % of the connections are faster
// BASE_URL, ADMIN_USER, ADMIN_PASS    the server and a user of it that may make users

import exec from 'k6/execution';
import { setTimeout } from 'k6/timers';

import { makeUsers, removeUsers } from './lib/accounts.js';
import { publishInTurn, steadily } from './lib/publisher.js';
import { count, seconds, stages } from './lib/settings.js';
import { Stream, thresholds } from './lib/streams.js';
import { summary, TREND_STATS } from './lib/summary.js';

const STAGES = stages('STAGES', '1m:1000,1m:1000,1m:5000,1m:5000,1m:10000,2m:10000');
const STREAMS_PER_VU = count('STREAMS_PER_VU', 50);
const USERS = count('USERS', 10);
const HOLD = seconds('HOLD', 20);
const RATE = count('RATE', 1);
const P95_MS = count('P95_MS', 100);
const CONNECT_P95_MS = count('CONNECT_P95_MS', 1000);

const duration = STAGES.reduce((sum, stage) => sum + stage.seconds, 0);
const most = Math.max(...STAGES.map((stage) => stage.target));

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
      // So that no stream is cut off: what it got could not be accounted for.
      gracefulRampDown: `${HOLD + 10}s`,
      gracefulStop: `${HOLD + 10}s`,
    },
    publish: steadily(RATE, duration),
  },
  summaryTrendStats: TREND_STATS,
  thresholds: thresholds(P95_MS, CONNECT_P95_MS),
};

export function setup() {
  return makeUsers(USERS, 10);
}

// Holds its share of the streams for a while.
export function streams(users) {
  const vu = exec.vu.idInTest - 1;
  for (let n = 0; n < STREAMS_PER_VU; n += 1) {
    const user = users[(vu * STREAMS_PER_VU + n) % USERS];
    const token = user.clients[n % user.clients.length];
    // One after the other over the first second, as many devices would come.
    setTimeout(() => {
      const stream = new Stream(token, { onEnd: (ended) => ended.account() });
      setTimeout(() => stream.close(), HOLD * 1000);
    }, (n * 1000) / STREAMS_PER_VU);
  }
}

export const messages = publishInTurn;
export const teardown = removeUsers;

export const handleSummary = summary(
  'k6-ramp',
  `up to ${most} streams of ${USERS} users in ${duration} s, ${RATE} messages a second`,
);
