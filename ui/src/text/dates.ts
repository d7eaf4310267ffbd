// Dates and times as the shown language writes them.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const formats = new Map<string, Intl.DateTimeFormat>();

function dateFormat(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language + JSON.stringify(options);
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(language, options);
    formats.set(key, format);
  }
  return format;
}

/** What a time before noon ends with, and one after it. */
export type HalvesOfDay = readonly [beforeNoon: string, afterNoon: string];

/** `02:05 PM`, or `14:05` without halves. The first `Intl.DateTimeFormat` of a page takes 15 ms, or 60 on a phone. */
export function clockTime(time: number, halves: HalvesOfDay | undefined): string {
  const date = new Date(time);
  const hours = date.getHours();
  const minutes = twoDigits(date.getMinutes());
  if (!halves) return `${twoDigits(hours)}:${minutes}`;
  return `${twoDigits(hours % 12 || 12)}:${minutes} ${halves[hours < 12 ? 0 : 1]}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** Everything, with seconds and time zone. */
export function exactTime(time: number, language: string): string {
  return dateFormat(language, { dateStyle: 'full', timeStyle: 'long' }).format(time);
}

/** The key of a text, and the number in it. Browsers take 20 ms to make an `Intl.RelativeTimeFormat`. */
export type Age = { key: 'time.now' | 'time.minutesAgo' | 'time.hoursAgo'; count: number };

/** Returns how long ago a time is; null for more than half a day. What a wrong clock puts into the future is now. */
export function ageOf(time: number, now: number): Age | null {
  const age = Math.max(0, now - time);
  if (age >= 12 * HOUR) return null;
  if (age < MINUTE) return { key: 'time.now', count: 0 };
  if (age < HOUR) return { key: 'time.minutesAgo', count: Math.floor(age / MINUTE) };
  return { key: 'time.hoursAgo', count: Math.floor(age / HOUR) };
}

/** Returns the key of the text for today or yesterday; null for other days. */
export function recentDay(time: number, now: number): 'time.today' | 'time.yesterday' | null {
  const days = Math.round((startOfDay(now) - startOfDay(time)) / DAY);
  if (days === 0) return 'time.today';
  return days === 1 ? 'time.yesterday' : null;
}

/** `Sunday, March 8`; with the year if that is another one. */
export function dayName(time: number, now: number, language: string): string {
  const isThisYear = new Date(time).getFullYear() === new Date(now).getFullYear();
  return dateFormat(language, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    ...(isThisYear ? {} : { year: 'numeric' }),
  }).format(time);
}

export function startOfDay(time: number): number {
  return new Date(time).setHours(0, 0, 0, 0);
}
