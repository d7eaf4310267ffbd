import { expect, test, vi } from 'vitest';
import { ageOf, clockTime, dayName, recentDay } from './dates';

// Its clocks go forward on 29 March 2026.
vi.stubEnv('TZ', 'Europe/Berlin');
const at = (text: string) => new Date(text).getTime();
const NOW = at('2026-03-10T15:00:00');

test('what is recent is told by its age, and what is older is not', () => {
  expect(ageOf(NOW - 59_000, NOW)).toEqual({ key: 'time.now', count: 0 });
  expect(ageOf(NOW - 60_000, NOW)).toEqual({ key: 'time.minutesAgo', count: 1 });
  expect(ageOf(NOW - 3.9 * 3_600_000, NOW)).toEqual({ key: 'time.hoursAgo', count: 3 });
  expect(ageOf(NOW - 12 * 3_600_000, NOW)).toBeNull();
  expect(ageOf(NOW + 60_000, NOW)).toEqual({ key: 'time.now', count: 0 });
});

test('today and yesterday are days of the calendar', () => {
  expect(recentDay(at('2026-03-10T00:00:01'), NOW)).toBe('time.today');
  expect(recentDay(at('2026-03-09T23:59:59'), NOW)).toBe('time.yesterday');
  expect(recentDay(at('2026-03-08T23:59:59'), NOW)).toBeNull();
  // A day of 23 hours lies between.
  expect(at('2026-03-30T00:00:00') - at('2026-03-29T00:00:00')).toBe(23 * 3_600_000);
  expect(recentDay(at('2026-03-29T12:00:00'), at('2026-03-30T01:00:00'))).toBe('time.yesterday');
  expect(recentDay(at('2026-03-28T12:00:00'), at('2026-03-30T01:00:00'))).toBeNull();
});

test('other days have names, and years only if they are not this one', () => {
  expect(dayName(at('2026-03-08T12:00:00'), NOW, 'en')).toBe('Sunday, March 8');
  expect(dayName(at('2025-12-31T12:00:00'), NOW, 'de')).toBe('Mittwoch, 31. Dezember 2025');
});

test('a language without halves of the day counts the hours to 24', () => {
  const times = ['00:05', '09:30', '12:00', '23:59'].map((time) => at(`2026-03-10T${time}:30`));
  expect(times.map((time) => clockTime(time, undefined))).toEqual(['00:05', '09:30', '12:00', '23:59']);
  const inEnglish = ['12:05 AM', '09:30 AM', '12:00 PM', '11:59 PM'];
  expect(times.map((time) => clockTime(time, ['AM', 'PM']))).toEqual(inEnglish);
});
