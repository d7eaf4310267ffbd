// Reading, sending and deleting messages.
import { request } from './request';
import type { Extras, Message, PagedMessages } from './types';

/** Which messages a list shows. */
export type Filter = {
  appid?: number;
  text?: string;
  minPriority?: number;
  /** RFC 3339. */
  from?: string;
  to?: string;
};

export type PageRequest = { limit: number; since?: number; after?: number; signal?: AbortSignal };

/** Whether a filter asks for more than the list of all or of one application. */
export function isSearch(filter: Filter): boolean {
  return Boolean(filter.text || filter.minPriority !== undefined || filter.from || filter.to);
}

/** Lists messages, the newest first; with `after` the oldest first. A search knows no `after`. */
export function listMessages(filter: Filter, page: PageRequest): Promise<PagedMessages> {
  const { signal, ...query } = page;
  const options = signal ? { signal } : {};
  if (isSearch(filter)) {
    const { minPriority, ...rest } = filter;
    return request('GET', 'shardcast/search', {
      ...options,
      query: { ...rest, minpriority: minPriority, ...query },
    });
  }
  const path = filter.appid === undefined ? 'message' : `application/${filter.appid}/message`;
  return request('GET', path, { ...options, query });
}

export function deleteMessage(id: number, keepalive = false): Promise<void> {
  return request('DELETE', `message/${id}`, { keepalive });
}

/** Deletes all messages, or all of an application. */
export function deleteMessages(appid?: number): Promise<void> {
  return request('DELETE', appid === undefined ? 'message' : `application/${appid}/message`);
}

export type NewMessage = {
  appid: number;
  title: string;
  message: string;
  priority?: number;
  extras?: Extras;
};

/** Sends a message: with the application's token where the list has it (Gotify 2), or by its id (Gotify 3). */
export function sendMessage(message: NewMessage, token?: string): Promise<Message> {
  const headers: Record<string, string> = token ? { 'x-gotify-key': token } : {};
  return request('POST', 'message', { json: message, headers });
}

/** Marks the messages up to an id as read, of all applications or of one. */
export function markRead(upTo: number, appid?: number): Promise<void> {
  return request('POST', 'shardcast/read', { json: appid === undefined ? { upTo } : { upTo, appid } });
}
