// What a run found: printed as a table, and written for `run-benchmark.sh report`.
//
// RESULT names the file; SERVER is what the server is called there, and without it nothing is written.

const RESULT = __ENV.RESULT || '';
const SERVER = __ENV.SERVER || 'server';

// What k6 is to keep of each Trend.
export const TREND_STATS = ['count', 'min', 'med', 'p(95)', 'p(99)', 'max'];

// Each figure: its key in the report, its name with the unit, and where it is found.
const FIGURES = [
  ['streams_open', 'streams open at once, sum of the virtual users', 'streams_open', 'count'],
  ['open_at_once', 'streams open at once, share of those asked for', 'open_at_once', 'rate'],
  ['connect_success', 'streams opened, share', 'connect_success', 'rate'],
  ['connect_p50_ms', 'connect p50, ms', 'connect_time', 'med'],
  ['connect_p95_ms', 'connect p95, ms', 'connect_time', 'p(95)'],
  ['connect_p99_ms', 'connect p99, ms', 'connect_time', 'p(99)'],
  ['p50_ms', 'delivery p50, ms', 'delivery_latency', 'med'],
  ['p95_ms', 'delivery p95, ms', 'delivery_latency', 'p(95)'],
  ['p99_ms', 'delivery p99, ms', 'delivery_latency', 'p(99)'],
  ['max_ms', 'delivery max, ms', 'delivery_latency', 'max'],
  ['publish_p50_ms', 'publish p50, ms', 'publish_time', 'med'],
  ['publish_p99_ms', 'publish p99, ms', 'publish_time', 'p(99)'],
  ['published', 'published', 'published', 'count'],
  ['publish_success', 'publishes answered with 200, share', 'publish_success', 'rate'],
  ['deliveries', 'deliveries', 'deliveries', 'count'],
  ['deliveries_per_s', 'deliveries per second, over the whole run', 'deliveries', 'rate'],
  ['delivery_success', 'messages delivered, share', 'delivery_success', 'rate'],
  ['duplicates', 'delivered twice', 'duplicates', 'count'],
  ['bad_frames', 'frames that are no message', 'bad_frames', 'count'],
  ['broken_streams', 'streams broken', 'broken_streams', 'count'],
  ['rtt_p50_ms', 'round trip p50, ms', 'round_trip', 'med'],
  ['rtt_p95_ms', 'round trip p95, ms', 'round_trip', 'p(95)'],
  ['rtt_p99_ms', 'round trip p99, ms', 'round_trip', 'p(99)'],
  ['echoed', 'messages echoed', 'echoed', 'count'],
  ['echo_success', 'messages echoed unchanged, share', 'echo_success', 'rate'],
  ['dropped_iterations', 'publishes that k6 could not begin in time', 'dropped_iterations', 'count'],
  ['checks', 'checks passed, share', 'checks', 'rate'],
];

// Makes k6's `handleSummary` for a script. `kind` is its place in the report, `title` says what it did.
export function summary(kind, title) {
  return (data) => {
    const found = FIGURES.map(([key, label, metric, value]) => {
      const values = data.metrics[metric] && data.metrics[metric].values;
      return { key, label, value: values && values[value] };
    }).filter((figure) => figure.value !== undefined && figure.value !== null);
    const missed = thresholds(data.metrics).filter((threshold) => !threshold.ok);
    const faults = missed.map(({ text, value }) => `${SERVER}: ${text} was missed: ${value}`);
    const outputs = { stdout: table(`${kind}: ${title}`, found, thresholds(data.metrics)) };
    if (RESULT) {
      outputs[RESULT] = JSON.stringify({
        scenario: `${kind}: ${title}`,
        figures: found.map(({ key, label }) => ({ key, label })),
        cases: [{ name: SERVER, rounds: [Object.fromEntries(found.map(({ key, value }) => [key, value]))] }],
        faults,
        notes: [],
      }, null, 2);
    }
    return outputs;
  };
}

// Every threshold, with the value that it was held against.
function thresholds(metrics) {
  return Object.entries(metrics).flatMap(([name, metric]) =>
    Object.entries(metric.thresholds || {}).map(([rule, { ok }]) => {
      const value = metric.values[/^[a-z]+(\([\d.]+\))?/.exec(rule)[0]];
      return { text: `${name} ${rule}`, ok, value: value === undefined ? 'not measured' : Number(value.toPrecision(9)) };
    }));
}

function table(title, figures, rules) {
  const width = Math.max(...figures.map(({ label }) => label.length));
  const lines = figures.map(({ label, value }) => `  ${label.padEnd(width)}  ${short(value)}`);
  const verdicts = rules.map(({ text, ok, value }) => (ok ? `  met     ${text}` : `  MISSED  ${text}: it is ${value}`));
  return `\n${[title, ...lines, 'thresholds', ...verdicts].join('\n')}\n`;
}

function short(value) {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}
