// Publishing through REST.

import { check } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';
import { Counter, Rate, Trend } from 'k6/metrics';

import { writeMark } from './accounts.js';
import { BASE_URL } from './settings.js';

// From the request to the server's 200, which means that the message is stored.
export const publishTime = new Trend('publish_time', true);
// Messages that the server answered with 200.
export const published = new Counter('published');
// Publishes that were answered with 200, of those that were sent.
export const publishSuccess = new Rate('publish_success');

// Publishes message `number` of a user.
export function publish(user, number) {
  note(http.post(`${BASE_URL}/message`, body(number), parameters(user)));
}

// An iteration of a scenario that publishes: one message, to each user in turn.
export function publishInTurn(users) {
  const iteration = exec.scenario.iterationInTest;
  publish(users[iteration % users.length], Math.floor(iteration / users.length));
}

// The scenario that publishes `rate` messages per second for `duration` seconds, however long a publish takes. The
// script must export `publishInTurn` as `messages`.
export function steadily(rate, duration) {
  return {
    executor: 'constant-arrival-rate',
    exec: 'messages',
    rate,
    duration: `${duration}s`,
    preAllocatedVUs: 2 + Math.ceil(rate / 10),
    maxVUs: 10 + rate,
  };
}

// `publish` without blocking: for a caller that has streams to listen to.
export async function publishAsync(user, number) {
  note(await http.asyncRequest('POST', `${BASE_URL}/message`, body(number), parameters(user)));
}

function body(number) {
  return JSON.stringify({ title: 'k6', message: writeMark(number), priority: 5 });
}

function parameters(user) {
  return {
    headers: { 'Content-Type': 'application/json', 'X-Gotify-Key': user.app },
    tags: { name: 'POST /message' },
  };
}

function note(answer) {
  const isStored = answer.status === 200;
  publishTime.add(answer.timings.duration);
  publishSuccess.add(isStored);
  if (isStored) published.add(1);
  check(isStored, { 'publish is answered with 200': (is) => is });
}
