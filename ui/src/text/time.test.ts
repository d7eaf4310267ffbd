import { expect, test, vi } from 'vitest';
import { relativeTime } from './time';

test('a time is said by its largest unit, and a month by its days', () => {
  const now = Date.parse('2026-11-30T12:00:00Z');
  const said = (time: string, language = 'en') => relativeTime(time, language, now);
  expect(said('2026-11-30T11:59:45Z')).toBe('now');
  expect(said('2026-11-30T11:59:00Z')).toBe('1 minute ago');
  expect(said('2026-11-30T11:57:00Z')).toBe('3 minutes ago');
  expect(said('2026-11-30T13:00:00Z')).toBe('in 1 hour');
  expect(said('2026-11-29T11:00:00Z')).toBe('yesterday');
  expect(said('2026-12-30T11:59:45Z')).toBe('in 30 days');
  expect(said('2026-09-01T12:00:00Z')).toBe('3 months ago');
  expect(said('2026-11-29T12:00:00Z', 'de')).toBe('gestern');
  expect(said('2024-11-01T12:00:00Z')).toBe('2 years ago');
});

test('the format of a language is made once', () => {
  const made: unknown[] = [];
  class RelativeTimeFormat extends Intl.RelativeTimeFormat {
    constructor(...[language, options]: ConstructorParameters<typeof Intl.RelativeTimeFormat>) {
      super(language, options);
      made.push(language);
    }
  }
  vi.stubGlobal('Intl', { RelativeTimeFormat });
  for (let second = 0; second < 10; second++) relativeTime('2026-11-30T11:59:00Z', 'fr', second * 1000);
  vi.unstubAllGlobals();
  expect(made).toEqual(['fr']);
});
