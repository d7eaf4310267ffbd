// A quick look whether a server works: every virtual user opens a stream, publishes, gets its own message back on the
// stream, closes, and begins again.
//
//   k6 run benchmark/k6/websocket-simple.js
//
// VUS (100)            virtual users
// DURATION (2m)        how long
// USERS (10)           the server's users; the virtual users are spread over them
// PATIENCE (5s)        how long a message may take
// P95_MS (100)         threshold: 95 % of the deliveries are faster
// BASE_URL, ADMIN_USER, ADMIN_PASS    the server and a user of it that may make users

import { check } from 'k6';
import exec from 'k6/execution';
import { setTimeout, clearTimeout } from 'k6/timers';

import { makeUsers, removeUsers } from './lib/accounts.js';
import { publishAsync } from './lib/publisher.js';
import { count, seconds } from './lib/settings.js';
import { Stream, checkMessage, deliverySuccess } from './lib/streams.js';
import { summary, TREND_STATS } from './lib/summary.js';

const VUS = count('VUS', 100);
const DURATION = seconds('DURATION', 120);
const USERS = Math.min(count('USERS', 10), VUS);
const PATIENCE = seconds('PATIENCE', 5);
const P95_MS = count('P95_MS', 100);

export const options = {
  scenarios: {
    simple: { executor: 'constant-vus', vus: VUS, duration: `${DURATION}s`, gracefulStop: `${PATIENCE + 5}s` },
  },
  summaryTrendStats: TREND_STATS,
  thresholds: {
    checks: ['rate>0.99'],
    connect_success: ['rate>0.99'],
    delivery_success: ['rate>0.99'],
    // What was never sent is never missed.
    deliveries: ['count>0'],
    delivery_latency: [`p(95)<${P95_MS}`],
    broken_streams: ['count<1'],
  },
};

export function setup() {
  return makeUsers(USERS, Math.ceil(VUS / USERS));
}

export default function (users) {
  const vu = exec.vu.idInTest - 1;
  const user = users[vu % USERS];
  const token = user.clients[Math.floor(vu / USERS) % user.clients.length];
  // A number of its own among all that this user is sent.
  const number = exec.scenario.iterationInTest;
  let timer = null;
  const finish = (stream, isDelivered) => {
    if (timer === null) return;
    clearTimeout(timer);
    timer = null;
    check(isDelivered, { 'message came back': (is) => is });
    deliverySuccess.add(isDelivered);
    stream.close();
  };
  // The iteration lasts until the stream has ended.
  new Stream(token, {
    onOpen: (opened) => {
      timer = setTimeout(() => finish(opened, false), PATIENCE * 1000);
      publishAsync(user, number);
    },
    onMessage: (opened, message, mark) => {
      if (mark.number !== number) return;
      checkMessage(message);
      finish(opened, true);
    },
    onEnd: (ended) => check(ended.wasOpen, { 'status is 101': (was) => was }),
  });
}

export const teardown = removeUsers;

export const handleSummary = summary('k6-simple', `${VUS} virtual users publish to themselves for ${DURATION} s`);
