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

/** `14:05`. */
export function clockTime(time: number, language: string): string {
  return dateFormat(language, { hour: '2-digit', minute: '2-digit' }).format(time);
}

/** Everything, with seconds and time zone. */
export function exactTime(time: number, language: string): string {
  return dateFormat(language, { dateStyle: 'full', timeStyle: 'long' }).format(time);
}

/** `5 min. ago`, or null for what is older than half a day. What a clock that is wrong puts into the future is now. */
export function timeAgo(time: number, now: number, language: string): string | null {
  const age = Math.max(0, now - time);
  if (age >= 12 * HOUR) return null;
  const format = relativeFormat(language);
  if (age < MINUTE) return format.format(0, 'second');
  if (age < HOUR) return format.format(-Math.floor(age / MINUTE), 'minute');
  return format.format(-Math.floor(age / HOUR), 'hour');
}

/** `Today`, `Yesterday`, or the day with its name. */
export function dayName(time: number, now: number, language: string): string {
  const days = Math.round((startOfDay(now) - startOfDay(time)) / DAY);
  if (days === 0 || days === 1) {
    const name = relativeFormat(language).format(-days, 'day');
    return name.charAt(0).toLocaleUpperCase(language) + name.slice(1);
  }
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

const relativeFormats = new Map<string, Intl.RelativeTimeFormat>();

function relativeFormat(language: string): Intl.RelativeTimeFormat {
  let format = relativeFormats.get(language);
  if (!format) {
    format = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' });
    relativeFormats.set(language, format);
  }
  return format;
}
