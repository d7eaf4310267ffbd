import { expect, test } from 'vitest';
import { type Live, MAX_SAMPLES, remembered, sample } from './history';

function live(seconds: number, stored: number, delivered: number, changed: Partial<Live> = {}): Live {
  return {
    node: 'a',
    uptimeSeconds: 100 + seconds,
    time: new Date(1_800_000_000_000 + seconds * 1000).toISOString(),
    streams: { total: 3, shards: [1, 2], users: [] },
    messages: { stored, delivered, waiting: 0 },
    slowConsumers: 0,
    database: { kind: 'sqlite', health: 'green' },
    backplane: { kind: 'none', connected: null },
    nodes: [],
    ...changed,
  };
}

test('two answers make rates per second', () => {
  const made = sample(live(0, 10, 100), live(4, 20, 120));
  expect(made).toEqual({ time: 1_800_000_004_000, streams: 3, stored: 2.5, delivered: 5 });
});

test('there is no rate without a first answer, after a restart, or between two nodes', () => {
  const none = { stored: null, delivered: null };
  expect(sample(null, live(0, 10, 100))).toMatchObject(none);
  expect(sample(live(0, 10, 100), live(2, 0, 0, { uptimeSeconds: 1 }))).toMatchObject(none);
  expect(sample(live(0, 10, 100), live(2, 50, 0, { node: 'b' }))).toMatchObject(none);
  expect(sample(live(0, 10, 100), live(0, 10, 100))).toMatchObject(none);
});

test('the history keeps the latest samples', () => {
  let history: ReturnType<typeof remembered> = [];
  for (let seconds = 0; seconds < MAX_SAMPLES + 5; seconds += 1) {
    history = remembered(history, sample(null, live(seconds, 0, 0)));
  }
  expect(history.length).toBe(MAX_SAMPLES);
  expect(history.at(-1)?.time).toBe(1_800_000_154_000);
});
