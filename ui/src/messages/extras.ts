// What a message's extras ask for, checked: they come from whoever sends messages.
import type { Extras, Message } from '../api/types';

export type Action =
  | { type: 'open'; label: string; url: string }
  | { type: 'copy'; label: string; text: string }
  | {
      type: 'request';
      label: string;
      url: string;
      method: string;
      headers?: Record<string, string>;
      body?: string;
    };

/** Browsers send no such requests for a page. */
const FORBIDDEN_METHODS = ['CONNECT', 'TRACE', 'TRACK'];
const MOST_ACTIONS = 5;
const MOST_LABEL_CHARACTERS = 60;

/** Where a press on the message leads; null unless it is a link that can do no harm. */
export function clickUrl({ extras }: Message): string | null {
  const click = object(object(extras?.['client::notification'])?.click);
  return safeUrl(click?.url, ['http:', 'https:', 'mailto:', 'tel:']);
}

/** The address of the message's picture. */
export function pictureUrl({ extras }: Message): string | null {
  return safeUrl(object(extras?.['client::notification'])?.bigImageUrl, ['http:', 'https:']);
}

export function isMarkdown({ extras }: Message): boolean {
  return object(extras?.['client::display'])?.contentType === 'text/markdown';
}

/** The message's buttons. What is unknown or wrong is left out. */
export function actionsOf({ extras }: Message): Action[] {
  const list = extras?.['shardcast::actions'];
  if (!Array.isArray(list)) return [];
  return list.flatMap((one) => readAction(object(one)) ?? []).slice(0, MOST_ACTIONS);
}

function readAction(action: Extras | undefined): Action | null {
  const { type, label, text, method = 'POST', headers, body } = action ?? {};
  if (typeof label !== 'string' || label.trim() === '') return null;
  const common = { label: label.slice(0, MOST_LABEL_CHARACTERS) };
  if (type === 'copy') return typeof text === 'string' ? { ...common, type, text } : null;
  const url = safeUrl(action?.url, ['http:', 'https:']);
  if (!url) return null;
  if (type === 'open') return { ...common, type, url };
  if (type !== 'request' || typeof method !== 'string' || !/^[A-Za-z]{1,20}$/.test(method)) return null;
  const read: Action = { ...common, type, url, method: method.toUpperCase() };
  if (FORBIDDEN_METHODS.includes(read.method)) return null;
  if (typeof body === 'string') read.body = body;
  const pairs = Object.entries(object(headers) ?? {}).map(([name, value]) => [name, String(value)] as const);
  if (!pairs.every(isHeader)) return null;
  if (pairs.length > 0) read.headers = Object.fromEntries(pairs);
  return read;
}

function isHeader(pair: readonly [string, string]): boolean {
  try {
    return new Headers([[...pair]]).has(pair[0]);
  } catch {
    return false;
  }
}

/** Returns the request of a button as a person reads it. The values of headers may be secret. */
export function describeRequest({
  method,
  url,
  headers,
  body,
}: Extract<Action, { type: 'request' }>): string {
  const names = Object.keys(headers ?? {}).map((name) => `${name}: …`);
  return [[`${method} ${url}`, ...names].join('\n'), body].filter(Boolean).join('\n\n');
}

/** Returns an absolute URL with one of these schemes as the browser writes it, or null. */
export function safeUrl(value: unknown, schemes: readonly string[]): string | null {
  if (typeof value !== 'string' || !URL.canParse(value)) return null;
  const url = new URL(value);
  return schemes.includes(url.protocol) ? url.href : null;
}

function object(value: unknown): Extras | undefined {
  return typeof value === 'object' && value !== null ? (value as Extras) : undefined;
}
