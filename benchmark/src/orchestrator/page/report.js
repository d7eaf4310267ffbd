// Shows a report: in the orchestrator's page, and in a report's own page. Loads nothing.
'use strict';

/** Makes an element with text or children. */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function drawn(name, attributes, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function number(value, digits = 2) {
  if (value === null || value === undefined) return '-';
  return Number(value).toLocaleString('en', { maximumFractionDigits: Math.abs(value) >= 100 ? 0 : digits });
}

const LATENCIES = ['min', 'max', 'mean', 'median', 'mode', 'p95', 'p99'];

function failed(figures) {
  return Object.values(figures.errors).reduce((sum, count) => sum + count, 0);
}

function table(heads, rows) {
  const isText = (at) => at === 0 || rows.some((row) => row.children[at].className.startsWith('text'));
  const head = element('tr', {}, ...heads.map((text, at) =>
    element('th', isText(at) ? { scope: 'col', class: 'text' } : { scope: 'col' }, text)));
  return element('div', { class: 'scroll' },
    element('table', {}, element('thead', {}, head), element('tbody', {}, ...rows)));
}

function figureRow(name, state, figures, isBad) {
  const cells = [
    name, state, number(figures.counts.done), number(failed(figures)), number(figures.rate, 1),
    ...LATENCIES.map((key) => number(figures.latency[key])),
  ];
  return element('tr', {}, ...cells.map((text, at) =>
    element('td', at === 1 ? { class: isBad ? 'text bad' : 'text' } : {}, text)));
}

/** All drivers together, and each of them. */
function figureTable(report) {
  const rows = [figureRow('total', '', report.total, false)];
  for (const driver of report.drivers) {
    const state = driver.state + (driver.is_foreign ? ', another program' : '');
    rows.push(figureRow(driver.node_id, state, driver.figures, ['missing', 'lost', 'stopped'].includes(driver.state)));
  }
  return table(['driver', 'state', 'done', 'failed', 'per s', ...LATENCIES.map((key) => key + ' ms')], rows);
}

/** Lines over time. The scale ends above 98 % of the values: what is above it is drawn at the edge, and said. */
function plot(title, points, lines, phases) {
  // Not shrunk on a phone, where its text would be too small.
  const width = Math.min(560, Math.max(300, document.documentElement.clientWidth - 32));
  const [height, left, bottom, top] = [220, 52, 24, 10];
  const values = points.flatMap((point) => lines.map((line) => point[line.key]))
    .filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
  const box = element('figure', {}, element('figcaption', {}, element('b', {}, title), ' ',
    ...lines.map((line, at) => element('span', { class: 'key ' + ['one', 'two', 'three'][at] }, '■ ' + line.name + ' '))));
  if (values.length === 0) {
    box.append(element('p', {}, 'nothing yet'));
    return box;
  }
  const most = values[values.length - 1];
  const usual = values[Math.min(values.length - 1, Math.floor(values.length * 0.98))];
  const scale = most > usual * 3 && usual > 0 ? usual * 1.5 : most || 1;
  const [from, to] = [Math.min(points[0].second, 0), Math.max(points[points.length - 1].second, points[0].second + 1)];
  const x = (second) => left + (second - from) / (to - from) * (width - left - 8);
  const y = (value) => height - bottom - Math.min(value, scale) / scale * (height - bottom - top);
  const svg = drawn('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': title });
  for (let part = 0; part <= 4; part += 1) {
    const value = scale * part / 4;
    svg.append(drawn('line', { class: 'grid', x1: left, x2: width, y1: y(value), y2: y(value) }),
      drawn('text', { x: left - 6, y: y(value) + 4, 'text-anchor': 'end' }, number(value)));
  }
  svg.append(drawn('text', { x: left, y: height - 6 }, `${number(from, 0)} s`),
    drawn('text', { x: width, y: height - 6, 'text-anchor': 'end' }, `${number(to, 0)} s`));
  phases.filter((phase) => phase.second >= from && phase.second <= to).forEach((phase, at) => {
    // One below the other, so that names of short phases do not cover each other.
    svg.append(drawn('line', { class: 'phase', x1: x(phase.second), x2: x(phase.second), y1: top, y2: height - bottom }),
      drawn('text', { x: x(phase.second) + 3, y: top + 10 + at % 3 * 12 }, phase.label));
  });
  lines.forEach((line, at) => {
    const name = ['one', 'two', 'three'][at];
    const seen = points.filter((point) => Number.isFinite(point[line.key]));
    svg.append(drawn('polyline', { class: name, points: seen.map((point) => `${x(point.second)},${y(point[line.key])}`).join(' ') }));
    for (const point of seen.filter((point) => point[line.key] > scale || seen.length === 1)) {
      svg.append(drawn('circle', { class: name, cx: x(point.second), cy: y(point[line.key]), r: 3 },
        drawn('title', {}, `${line.name}: ${number(point[line.key])}`)));
    }
  });
  box.append(svg);
  if (most > scale) box.append(element('p', {}, `Dots at the upper edge are higher, up to ${number(most)}.`));
  return box;
}

function plots(report) {
  return element('div', { class: 'plots' },
    plot('Requests per second', report.series, [{ key: 'rate', name: 'done' }, { key: 'errors', name: 'failed' }], report.phases || []),
    plot('Latency in ms', report.series,
      [{ key: 'p50', name: 'p50' }, { key: 'p95', name: 'p95' }, { key: 'p99', name: 'p99' }], report.phases || []));
}

function headline(report) {
  const figure = (text, name, style) => element('div', {}, element('b', style ? { class: style } : {}, text), element('span', {}, name));
  const asked = report.asked_rate === null ? '' : ` of ${number(report.asked_rate, 1)} asked`;
  const wrong = failed(report.total);
  return element('div', { class: 'figures' },
    figure(number(report.total.counts.done), `of ${number(report.total.counts.asked)} requests`),
    figure(number(report.total.rate, 1), `per second${asked}`),
    figure(number(report.total.latency.median), 'median, ms'),
    figure(number(report.total.latency.p95), 'p95, ms'),
    figure(number(report.total.latency.p99), 'p99, ms'),
    figure(number(wrong), 'failed', wrong > 0 ? 'bad' : ''),
    figure(number(report.total.counts.late), 'started late', report.total.counts.late > 0 ? 'bad' : ''));
}

/** What a plan wanted, and what was measured. */
function thresholdTable(report) {
  if (!report.thresholds || report.thresholds.length === 0) return null;
  return table(['threshold', 'measured', 'kept'], report.thresholds.map((verdict) => element('tr', {},
    element('td', {}, verdict.threshold),
    element('td', {}, verdict.value === null ? 'not measured' : number(verdict.value) + verdict.unit),
    element('td', { class: verdict.kept ? 'text good' : 'text bad' }, verdict.kept ? 'yes' : 'no'))));
}

function deliveries(report) {
  const { streams, deliveries: delivered } = report.total;
  const lines = [];
  if (streams) {
    lines.push(element('p', { class: streams.closed > 0 ? 'bad' : '' },
      `Streams: ${number(streams.open)} open, ${number(streams.closed)} closed by the server.`));
  }
  if (delivered) {
    const cells = [delivered.received, delivered.expected, delivered.lost, delivered.duplicated, delivered.out_of_order,
      delivered.latency.median, delivered.latency.p95, delivered.latency.p99, delivered.latency.max];
    lines.push(table(
      ['deliveries', 'expected', 'lost', 'duplicated', 'out of order', 'median ms', 'p95 ms', 'p99 ms', 'max ms'],
      [element('tr', {}, ...cells.map((value) => element('td', {}, number(value))))]));
  }
  return lines;
}

/** What the load cost those who sent it. */
function generatorTable(report) {
  const rows = report.drivers.filter((driver) => !driver.is_foreign).map((driver) => element('tr', {},
    ...[driver.node_id, number(driver.cpu_ms / 1000), number(driver.open_files), number(driver.figures.counts.late),
      number(driver.figures.counts.dropped)].map((text) => element('td', {}, text))));
  return rows.length > 0 ? table(['load generator', 'CPU s', 'open files', 'started late', 'never started'], rows) : null;
}

/** Fills an element with a report. */
function showReport(root, report) {
  const verdict = report.ended_unix_ms === null ? 'running'
    : report.aborted ? 'aborted' : !report.complete ? 'incomplete'
      : (report.thresholds || []).some((verdict) => !verdict.kept) ? 'complete, thresholds not kept' : 'complete';
  const lines = report.missing.map((missing) => element('p', { class: 'bad' }, `${missing.node_id}: ${missing.reason}`));
  for (const note of report.notes) lines.push(element('p', {}, note));
  for (const [kind, count] of Object.entries(report.total.errors)) {
    lines.push(element('p', { class: 'bad' }, `${number(count)} × ${kind}`));
  }
  root.replaceChildren(
    element('h3', {}, 'Test ', report.test_id, ': ',
      element('span', { class: verdict === 'complete' ? 'good' : verdict === 'running' ? '' : 'bad' }, verdict)),
    element('p', {}, report.load),
    ...[headline(report), ...lines, thresholdTable(report), plots(report), figureTable(report),
      element('p', {}, 'Latency counts from the moment a request was due.'), ...deliveries(report),
      generatorTable(report)].filter((part) => part !== null));
}
