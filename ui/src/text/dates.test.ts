import { expect, test } from 'vitest';
import { dayName, timeAgo } from './dates';

const at = (text: string) => new Date(text).getTime();
const NOW = at('2026-03-10T15:00:00');

test('what is recent is told by its age, and what is older is not', () => {
  expect(timeAgo(NOW - 59_000, NOW, 'en')).toBe('now');
  expect(timeAgo(NOW - 5 * 60_000, NOW, 'en')).toBe('5 min. ago');
  expect(timeAgo(NOW - 3 * 3_600_000, NOW, 'de')).toBe('vor 3 Std.');
  expect(timeAgo(NOW - 12 * 3_600_000, NOW, 'en')).toBeNull();
  expect(timeAgo(NOW + 60_000, NOW, 'en')).toBe('now');
});

test('days have names, and years only if they are not this one', () => {
  expect(dayName(at('2026-03-10T00:00:01'), NOW, 'en')).toBe('Today');
  expect(dayName(at('2026-03-09T23:59:59'), NOW, 'de')).toBe('Gestern');
  expect(dayName(at('2026-03-08T12:00:00'), NOW, 'en')).toBe('Sunday, March 8');
  expect(dayName(at('2025-12-31T12:00:00'), NOW, 'en')).toBe('Wednesday, December 31, 2025');
});
