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
  if (text.trim()) filter.text = text.trim();
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
