import { expect, test } from 'vitest';
import { paths, top } from './scale';

test('the axis ends at a round number that no value exceeds', () => {
  for (const [highest, end] of [
    [0, 1],
    [0.4, 1],
    [1, 1],
    [1.5, 2],
    [3, 5],
    [5, 5],
    [7, 10],
    [10, 10],
    [11, 20],
    [4999, 5000],
  ] as const) {
    expect(top([null, highest]), `${highest}`).toBe(end);
  }
});

test('the latest value is at the right edge, and a gap interrupts the line', () => {
  const size = { width: 40, height: 10 };
  expect(paths([0, 1], 5, size)).toEqual({ line: 'M30 10L40 0', area: 'M30 10L30 10L40 0L40 10Z' });
  expect(paths([1, null, 1], 5, size).line).toBe('M20 0M40 0');
  expect(paths([], 5, size)).toEqual({ line: '', area: '' });
});
