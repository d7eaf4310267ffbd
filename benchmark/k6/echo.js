// The load of benchmarks that compare WebSocket servers by echoes: every virtual user connects, sends 1 to 20 binary
// messages one after another, gets each of them back, closes, and begins again.
//
//   shardcast-bench echo 127.0.0.1:3001
//   k6 run -e ECHO_URL=ws://127.0.0.1:3001/ws benchmark/k6/echo.js
//
// ECHO_URL (ws://127.0.0.1:3001/ws)    the server
// STAGES (1m:100,3m:500,7m:1000)       how many virtual users there are at the end of each step
// INTERVAL_MS (1000)                   milliseconds between two messages of a connection
// P95_MS (100)                         threshold: 95 % of the round trips are faster
//
// A message is a Protobuf WebsocketMessage, which is written by hand here: three texts need no library. Unlike where
// the load comes from, sending does not hold up receiving, so that round trips can be measured.

import { check } from 'k6';
import exec from 'k6/execution';
import { Counter, Rate, Trend } from 'k6/metrics';
import { clearTimeout, setTimeout } from 'k6/timers';
import { WebSocket } from 'k6/websockets';

import { count, stages } from './lib/settings.js';
import { brokenStreams, connectSuccess, connectTime } from './lib/streams.js';
import { summary, TREND_STATS } from './lib/summary.js';

const ECHO_URL = __ENV.ECHO_URL || 'ws://127.0.0.1:3001/ws';
const STAGES = stages('STAGES', '1m:100,3m:500,7m:1000');
const INTERVAL_MS = count('INTERVAL_MS', 1000);
const P95_MS = count('P95_MS', 100);
const MESSAGES_MAX = 20;
// How long an answer may take once all messages were sent.
const PATIENCE_MS = 5000;

// From sending a message to its answer.
const roundTrip = new Trend('round_trip', true);
const echoed = new Counter('echoed');
// Messages that came back as they were, of those that were sent.
const echoSuccess = new Rate('echo_success');

const patience = `${Math.ceil((MESSAGES_MAX * INTERVAL_MS + PATIENCE_MS) / 1000) + 5}s`;

export const options = {
  scenarios: {
    echo: {
      executor: 'ramping-vus',
      startVUs: 1,
      stages: STAGES.map(({ seconds, target }) => ({ duration: `${seconds}s`, target })),
      gracefulRampDown: patience,
      gracefulStop: patience,
    },
  },
  summaryTrendStats: TREND_STATS,
  thresholds: {
    checks: ['rate==1'],
    connect_success: ['rate==1'],
    echo_success: ['rate==1'],
    broken_streams: ['count<1'],
    // What was never sent is never missed.
    echoed: ['count>0'],
    round_trip: [`p(95)<${P95_MS}`],
  },
};

export default function () {
  const wanted = 1 + ((exec.vu.idInTest * 7 + exec.vu.iterationInScenario * 13) % MESSAGES_MAX);
  // What was sent and has not come back: the bytes in hexadecimal, and when.
  const waiting = [];
  const begun = Date.now();
  let [isOpen, isClosing, answers, timer] = [false, false, 0, null];

  const socket = new WebSocket(ECHO_URL);
  socket.binaryType = 'arraybuffer';
  const close = () => {
    isClosing = true;
    clearTimeout(timer);
    socket.close();
  };
  const send = (number) => {
    const message = encode([`${exec.vu.idInTest}-${number}`, 'client', 'server']);
    waiting.push({ text: hexadecimal(message), sent: Date.now() });
    socket.send(message.buffer);
    timer = number + 1 < wanted
      ? setTimeout(() => send(number + 1), INTERVAL_MS)
      : setTimeout(close, PATIENCE_MS);
  };
  socket.onopen = () => {
    isOpen = true;
    connectTime.add(Date.now() - begun);
    connectSuccess.add(true);
    send(0);
  };
  socket.onmessage = (event) => {
    const expected = waiting.shift();
    const isSame = expected !== undefined && hexadecimal(new Uint8Array(event.data)) === expected.text;
    check(isSame, { 'message is valid': (is) => is });
    echoSuccess.add(isSame);
    echoed.add(1);
    if (isSame) roundTrip.add(Date.now() - expected.sent);
    answers += 1;
    if (answers === wanted) close();
  };
  socket.onclose = () => {
    clearTimeout(timer);
    if (!isOpen) connectSuccess.add(false);
    else if (!isClosing) brokenStreams.add(1);
    check(isOpen, { 'status is 101': (is) => is });
    for (let lost = answers; lost < wanted && isOpen; lost += 1) echoSuccess.add(false);
  };
}

// Writes fields 1, 2, 3 and so on as Protobuf does: number and kind, length, bytes. For short texts of ASCII.
function encode(texts) {
  const bytes = [];
  texts.forEach((text, n) => {
    bytes.push(((n + 1) << 3) | 2, text.length, ...Array.from(text, (c) => c.charCodeAt(0)));
  });
  return new Uint8Array(bytes);
}

function hexadecimal(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export const handleSummary = summary('k6-echo', `steps ${__ENV.STAGES || '1m:100,3m:500,7m:1000'}, 1 to ${MESSAGES_MAX} messages per connection`);
