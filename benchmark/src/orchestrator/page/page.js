// The orchestrator's page: follows the live view, starts and aborts tests, shows and compares reports.
'use strict';

const byId = (id) => document.getElementById(id);
const RETRY_MS = 1000;
/** Series of running tests, by their ids: the live view brings one point each second. */
const series = new Map();
const chosen = new Set();
let socket = null;
let heard = 0;
let shownHistory = '';

function connect() {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const opened = new WebSocket(`${scheme}//${location.host}/ws`);
  socket = opened;
  opened.addEventListener('open', () => opened.send(JSON.stringify({ token: sessionStorage.getItem('token') || '' })));
  opened.addEventListener('message', (message) => {
    heard = Date.now();
    const state = JSON.parse(message.data);
    if ('authorized' in state) {
      const has = Boolean(sessionStorage.getItem('token'));
      byId('authorized').textContent = state.authorized ? 'the token is right' : has ? 'the token is wrong' : '';
    } else {
      show(state);
    }
  });
  opened.addEventListener('close', () => {
    if (socket !== opened) return;
    byId('connection').textContent = 'not connected, trying again';
    setTimeout(connect, RETRY_MS);
  });
}

// A connection that is silent has broken without a word.
setInterval(() => {
  if (socket && socket.readyState === WebSocket.OPEN && heard > 0 && Date.now() - heard > 5000) {
    heard = Date.now();
    socket.close();
  }
}, 1000);

async function call(method, path, body) {
  const headers = { authorization: `Bearer ${sessionStorage.getItem('token') || ''}` };
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) {
    let reason = text;
    try { reason = JSON.parse(text).errorDescription; } catch { /* The text itself says it. */ }
    throw new Error(reason);
  }
  return text;
}

async function attempt(action) {
  byId('message').textContent = '';
  try {
    await action();
  } catch (error) {
    byId('message').textContent = error.message;
  }
}

function show(state) {
  const away = state.bus_away ? 'Kafka is away' : 'live';
  const unreadable = state.unreadable > 0 ? `, ${state.unreadable} unreadable messages` : '';
  byId('connection').textContent = away + unreadable;
  showDrivers(state.drivers);
  showRunning(state.running);
  showHistory(state.tests);
}

function showDrivers(drivers) {
  if (drivers.length === 0) {
    byId('drivers').replaceChildren(element('p', {}, 'None yet. Start one with shardcast-bench driver.'));
    return;
  }
  const rows = drivers.map((driver) => element('tr', {},
    element('td', {}, driver.node_id),
    element('td', { class: driver.state === 'missing' ? 'text bad' : 'text good' }, driver.state),
    element('td', {}, `${number(driver.silent_ms / 1000, 1)} s ago`),
    element('td', {}, number(driver.running.length)),
    element('td', {}, driver.is_foreign ? 'another program' : driver.address)));
  byId('drivers').replaceChildren(table(['driver', 'state', 'heard', 'tests', 'address'], rows));
}

function showRunning(reports) {
  byId('running-section').hidden = reports.length === 0;
  for (const id of series.keys()) if (!reports.some((report) => report.test_id === id)) series.delete(id);
  byId('running').replaceChildren(...reports.map((report) => {
    const known = series.get(report.test_id);
    if (!known) {
      series.set(report.test_id, [...report.series]);
      fetchSeries(report.test_id);
    } else {
      const last = known.length > 0 ? known[known.length - 1].second : -1;
      known.push(...report.series.filter((point) => point.second > last));
    }
    const box = element('div', {});
    showReport(box, { ...report, series: series.get(report.test_id) });
    const abort = element('button', { type: 'button' }, 'Abort');
    abort.addEventListener('click', () => attempt(() => call('DELETE', `/tests/${report.test_id}`)));
    box.append(abort);
    return box;
  }));
}

/** Brings the points from before this page was opened. */
async function fetchSeries(id) {
  const answer = await fetch(`/tests/${id}/report`);
  if (answer.ok && series.has(id)) series.set(id, (await answer.json()).series);
}

function showHistory(tests) {
  // Only when it has changed, so that nobody loses the focus.
  const key = JSON.stringify([tests, [...chosen]]);
  if (key === shownHistory) return;
  shownHistory = key;
  const rows = tests.map((test) => {
    const choice = element('input', { type: 'checkbox', 'aria-label': `compare ${test.test_id}` });
    choice.checked = chosen.has(test.test_id);
    choice.disabled = test.phase !== 'ended';
    choice.addEventListener('change', () => choose(test.test_id, choice.checked));
    const open = element('button', { type: 'button' }, test.test_id.slice(0, 8));
    open.addEventListener('click', () => attempt(() => openReports([test.test_id])));
    const formats = ['html', 'json', 'csv', 'md'].flatMap((format) =>
      [element('a', { href: `/tests/${test.test_id}/report?format=${format}` }, format), ' ']);
    const cells = [choice, open, new Date(test.created_unix_ms).toLocaleString(), test.phase === 'ended' ? test.verdict : test.phase];
    const row = element('tr', {}, ...cells.map((cell) => element('td', { class: 'text' }, cell)), element('td', { class: 'text' }, ...formats));
    if (test.phase === 'created' || test.phase === 'waiting') {
      const start = element('button', { type: 'button' }, 'Start');
      start.addEventListener('click', () => attempt(() => call('POST', '/trigger', { TestID: test.test_id })));
      const drop = element('button', { type: 'button' }, 'Abort');
      drop.addEventListener('click', () => attempt(() => call('DELETE', `/tests/${test.test_id}`)));
      row.lastChild.replaceChildren(start, ' ', drop);
    }
    return row;
  });
  byId('history').replaceChildren(rows.length > 0
    ? table(['', 'test', 'created', 'state', 'report'], rows) : element('p', {}, 'No test yet.'));
}

function choose(id, isChosen) {
  if (isChosen) chosen.add(id); else chosen.delete(id);
  if (chosen.size > 2) chosen.delete(chosen.values().next().value);
  if (chosen.size === 2) attempt(() => openReports([...chosen]));
}

async function openReports(ids) {
  const reports = await Promise.all(ids.map(async (id) => JSON.parse(await call('GET', `/tests/${id}/report`))));
  byId('shown-section').hidden = false;
  byId('shown-title').textContent = reports.length === 2 ? 'Two tests compared' : 'Report';
  const boxes = reports.map((report) => {
    const box = element('div', {});
    showReport(box, report);
    return box;
  });
  if (reports.length === 2) boxes.unshift(comparison(...reports));
  byId('shown').replaceChildren(...boxes);
  byId('shown-section').scrollIntoView({ behavior: 'smooth' });
}

function comparison(one, two) {
  const values = [['per second', (report) => report.total.rate], ['failed', (report) => failed(report.total)],
    ...LATENCIES.map((key) => [`${key} ms`, (report) => report.total.latency[key]])];
  const rows = values.map(([name, of]) => {
    const [first, second] = [of(one), of(two)];
    const ratio = first > 0 && second !== null ? `${number(second / first)} times` : '-';
    return element('tr', {}, ...[name, number(first), number(second), ratio].map((text) => element('td', {}, text)));
  });
  return table(['', one.test_id.slice(0, 8), two.test_id.slice(0, 8), 'second to first'], rows);
}

byId('login').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem('token', byId('token').value.trim());
  byId('token').value = '';
  if (socket) socket.close();
});

byId('create').addEventListener('submit', (event) => {
  event.preventDefault();
  const fields = new FormData(event.target);
  const test = { TestType: fields.get('TestType'), NumRequests: Number(fields.get('NumRequests')) };
  if (fields.get('TestMessageDelay')) test.TestMessageDelay = Number(fields.get('TestMessageDelay'));
  if (fields.get('Throughput')) test.Throughput = Number(fields.get('Throughput'));
  if (fields.get('Target')) test.Target = fields.get('Target');
  attempt(async () => {
    const id = await call('POST', '/tests', test);
    await call('POST', '/trigger', { TestID: id });
  });
});

byId('create-plan').addEventListener('submit', (event) => {
  event.preventDefault();
  attempt(async () => {
    const id = await call('POST', '/tests', { Plan: new FormData(event.target).get('Plan') });
    await call('POST', '/trigger', { TestID: id });
  });
});

connect();
