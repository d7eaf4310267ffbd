// Writes times as the shown language does.
import { once } from './format';

const DAY = 86_400;

/** Units with their lengths in seconds, and from how many seconds on they are used. */
const UNITS = [
  ['year', 365 * DAY, 365 * DAY],
  ['month', 30 * DAY, 60 * DAY],
  ['day', DAY, DAY],
  ['hour', 3_600, 3_600],
  ['minute', 60, 60],
] as const;

const relativeFormat = once((language) => new Intl.RelativeTimeFormat(language, { numeric: 'auto' }));

/** Says how far away a time is, such as `3 minutes ago` or `in 2 days`. */
export function relativeTime(time: string, language: string, now: number): string {
  const seconds = (Date.parse(time) - now) / 1000;
  const format = relativeFormat(language);
  for (const [unit, length, from] of UNITS) {
    // Half a minute more or less is how late the page's clock may be.
    if (Math.abs(seconds) >= from - 30) return format.format(Math.round(seconds / length), unit);
  }
  return format.format(0, 'second');
}
