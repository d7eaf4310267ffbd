// A quick look whether a server works: every virtual user opens a stream, publishes, gets its own message back on the
// stream, closes, and begins again.
//
//   k6 run benchmark/k6/websocket-simple.js
//
// VUS (100)            virtual users
// DURATION (2m)        how long they go on
// USERS (10)           the server's users; the virtual users are spread over them
// PATIENCE (5s)        how long connecting, publishing and the message may take together
// P95_MS (100)         threshold: 95 % of the deliveries are faster
// BASE_URL, ADMIN_USER, ADMIN_PASS    the server, and a user of it that may make users

import { check } from 'k6';
import exec from 'k6/execution';
import { setTimeout, clearTimeout } from 'k6/timers';

import { makeUsers, removeUsers } from './lib/accounts.js';
import { publishAsync } from './lib/publisher.js';
import { count, seconds } from './lib/settings.js';
import { Stream, deliverySuccess } from './lib/streams.js';
import { summary, TREND_STATS } from './lib/summary.js';
import { thresholds } from './lib/thresholds.js';

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
  thresholds: thresholds(P95_MS),
};

export function setup() {
  return makeUsers(USERS, Math.ceil(VUS / USERS));
}

export default function (users) {
  const vu = exec.vu.idInTest - 1;
  const user = users[vu % USERS];
  const token = user.clients[Math.floor(vu / USERS) % user.clients.length];
  // No other message of this user has this number.
  const number = exec.scenario.iterationInTest;
  let isFinished = false;
  const finish = (isDelivered) => {
    if (isFinished) return;
    isFinished = true;
    clearTimeout(timer);
    check(isDelivered, { 'message came back': (is) => is });
    deliverySuccess.add(isDelivered);
    stream.close();
  };
  // The iteration lasts until the stream has ended.
  const stream = new Stream(token, {
    onOpen: () => publishAsync(user, number),
    onMessage: (mark) => {
      if (mark.number === number) finish(true);
    },
    onEnd: () => finish(false),
  });
  const timer = setTimeout(() => finish(false), PATIENCE * 1000);
}

export const teardown = removeUsers;

export const handleSummary = summary('k6-simple', `${VUS} virtual users publish to themselves for ${DURATION} s`);
