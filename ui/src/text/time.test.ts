import { expect, test } from 'vitest';
import { relativeTime } from './time';

test('a time is said by its largest whole unit', () => {
  const now = Date.parse('2026-11-30T12:00:00Z');
  const said = (time: string, language = 'en') => relativeTime(time, language, now);
  expect(said('2026-11-30T11:59:30Z')).toBe('now');
  expect(said('2026-11-30T11:57:01Z')).toBe('2 minutes ago');
  expect(said('2026-11-30T13:00:00Z')).toBe('in 1 hour');
  expect(said('2026-11-29T11:00:00Z')).toBe('yesterday');
  expect(said('2026-11-23T12:00:00Z', 'de')).toBe('letzte Woche');
  expect(said('2024-11-01T12:00:00Z')).toBe('2 years ago');
});
