// Which messages an address names: `#/messages/3?text=disk&minpriority=5&from=2026-01-01&to=2026-01-31&m=77`.
import type { Filter } from '../../api/messages';
import { messagesPath, type Route } from '../../router';

/** What the person has put into the search. Days are `YYYY-MM-DD`, both included. */
export type Search = { appid?: number; text: string; minPriority: string; from: string; to: string };

export function readSearch({ parts, query }: Route): Search {
  const id = Number(parts[1]);
  return {
    ...(Number.isSafeInteger(id) && id > 0 ? { appid: id } : {}),
    text: query.get('text') ?? '',
    minPriority: query.get('minpriority') ?? '',
    from: query.get('from') ?? '',
    to: query.get('to') ?? '',
  };
}

/** Returns the address of a search. */
export function searchPath({ appid, text, minPriority, from, to }: Search): string {
  const query = new URLSearchParams();
  const values = { text, minpriority: minPriority, from, to };
  for (const [name, value] of Object.entries(values)) if (value) query.set(name, value);
  return query.size === 0 ? messagesPath(appid) : `${messagesPath(appid)}?${query}`;
}

/** Turns a search into what the server is asked for. Days are those of this device's time zone. */
export function toFilter({ appid, text, minPriority, from, to }: Search): Filter {
  const filter: Filter = {};
  if (appid !== undefined) filter.appid = appid;
  if (text.trim()) filter.text = withOpenEnd(text);
  if (/^-?\d+$/.test(minPriority)) filter.minPriority = Number(minPriority);
  const begin = startOf(from, 0);
  const end = startOf(to, 1);
  if (begin) filter.from = begin;
  if (end) filter.to = end;
  return filter;
}

/** Returns when a day begins, or the day so many days later. */
function startOf(day: string, later: number): string | null {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day);
  if (!match) return null;
  const [, year, month, date] = match.map(Number);
  return new Date(year ?? 0, (month ?? 1) - 1, (date ?? 1) + later).toISOString();
}

/** The server takes no more words. */
const MOST_WORDS = 32;

/** A word of the server's index: letters and digits. Nothing separates Chinese and Japanese words: each character is one. */
const WORD = /\p{Ideographic}|(?:(?!\p{Ideographic})[\p{Alphabetic}\p{N}]\p{M}*)+/gu;
const ENDS_WITH_WORD = /[\p{Alphabetic}\p{N}\p{M}]$/u;

/** The last word may not be finished yet, so it matches words that begin with it. A space after it says that it is whole. */
function withOpenEnd(text: string): string {
  return ENDS_WITH_WORD.test(text) ? `${text.trimStart()}*` : text.trim();
}

/** Why the server would refuse a search: what to tell the person instead of asking. */
export type SearchProblem = 'search.noWord' | 'search.tooManyWords' | 'search.daysReversed';

export function problemOf({ text, from, to }: Search): SearchProblem | null {
  const count = text.normalize('NFKD').match(WORD)?.length ?? 0;
  if (count === 0 && text.trim()) return 'search.noWord';
  if (count > MOST_WORDS) return 'search.tooManyWords';
  const [begin, end] = [startOf(from, 0), startOf(to, 0)];
  return begin && end && begin > end ? 'search.daysReversed' : null;
}
