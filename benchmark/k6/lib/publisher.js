// Publishing through REST.

import { check } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';
import { Counter, Trend } from 'k6/metrics';

import { writeMark } from './accounts.js';
import { BASE_URL } from './settings.js';

// From the request to the server's 200, which stands for a message that is stored.
export const publishTime = new Trend('publish_time', true);
export const published = new Counter('published');

// Publishes message `number` of a user.
export function publish(user, number) {
  const answer = http.post(`${BASE_URL}/message`, body(number), parameters(user));
  note(answer);
}

// An iteration of a scenario that publishes: one message, to each user in turn.
export function publishInTurn(users) {
  const iteration = exec.scenario.iterationInTest;
  publish(users[iteration % users.length], Math.floor(iteration / users.length));
}

// The scenario that publishes `rate` messages a second for so many seconds, however long a publish takes. `messages` is
// the script's name for `publishInTurn`.
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

// `publish` without waiting: for a caller that has streams to listen to.
export async function publishAsync(user, number) {
  const answer = await http.asyncRequest('POST', `${BASE_URL}/message`, body(number), parameters(user));
  note(answer);
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
  publishTime.add(answer.timings.duration);
  published.add(1);
  check(answer, { 'publish is answered with 200': (a) => a.status === 200 });
}
