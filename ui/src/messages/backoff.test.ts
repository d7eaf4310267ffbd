import { expect, test } from 'vitest';
import { waitMs } from './backoff';

test('the first attempt is made at once, and later ones wait longer and longer, up to a limit', () => {
  const waits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 100].map((failures) => waitMs(failures, () => 1));
  expect(waits).toEqual([0, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

test('chance shortens a wait to half of it at most', () => {
  expect(waitMs(3, () => 0)).toBe(1000);
  expect(waitMs(3, () => 0.5)).toBe(1500);
});
