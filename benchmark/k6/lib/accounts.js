// The users of a run: made before the load, removed after it with all that they have.

import encoding from 'k6/encoding';
import http from 'k6/http';

import { ADMIN, BASE_URL } from './settings.js';

// Makes `users` users with one application and `clients` clients each. Nothing is left behind if that fails.
//
// Every user is { id, app, clients }: its id, the application's token and the clients' tokens.
export function makeUsers(users, clients) {
  const made = [];
  try {
    for (let n = 0; n < users; n += 1) {
      const name = `k6-${Date.now().toString(36)}-${n}`;
      const pass = `${Math.random().toString(36).slice(2)}${Math.random().toString(36).slice(2)}`;
      const user = { id: call('POST', '/user', ADMIN, { name, pass, admin: false }).id };
      made.push(user);
      const own = { name, pass };
      user.app = call('POST', '/application', own, { name: 'k6' }).token;
      user.clients = [];
      for (let c = 0; c < clients; c += 1) {
        user.clients.push(call('POST', '/client', own, { name: `k6-${c}` }).token);
      }
    }
  } catch (error) {
    removeUsers(made);
    throw error;
  }
  return made;
}

// Removes users; their applications, clients and messages go with them.
export function removeUsers(users) {
  for (const user of users || []) call('DELETE', `/user/${user.id}`, ADMIN);
}

// Returns the greatest number among a user's newest stored messages, or -1 if the user has none.
export async function newestNumber(user) {
  const answer = await http.asyncRequest('GET', `${BASE_URL}/message?limit=50`, null, {
    headers: { 'X-Gotify-Key': user.clients[0] },
    tags: { name: 'GET /message' },
  });
  if (answer.status !== 200) throw new Error(`GET /message answered ${answer.status || answer.error}: ${answer.body}`);
  return answer.json('messages').reduce((greatest, message) => {
    const mark = readMark(message.message);
    return mark && mark.number > greatest ? mark.number : greatest;
  }, -1);
}

// The text of a published message: its number among those of its user, and when it was sent, in ms since 1970.
export function writeMark(number) {
  return `k6:${number}:${Date.now()}`;
}

// Returns { number, sent }, or null for a text that `writeMark` did not make.
export function readMark(text) {
  const parts = /^k6:(\d+):(\d+)$/.exec(text);
  return parts && { number: Number(parts[1]), sent: Number(parts[2]) };
}

function call(method, path, login, body) {
  const answer = http.request(method, `${BASE_URL}${path}`, body && JSON.stringify(body), {
    headers: {
      Authorization: `Basic ${encoding.b64encode(`${login.name}:${login.pass}`)}`,
      'Content-Type': 'application/json',
    },
    // Without the id: k6 would keep figures for each name.
    tags: { name: `${method} ${path.replace(/\d+/, 'id')}` },
  });
  if (answer.status !== 200) {
    throw new Error(`${method} ${path} answered ${answer.status || answer.error}: ${answer.body}`);
  }
  return answer.body ? answer.json() : null;
}
