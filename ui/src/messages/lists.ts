// The lists that are in memory: that of all messages, and the one that is shown.
import { batch, signal } from '@preact/signals';
import { type Filter, isSearch } from '../api/messages';
import type { Message, PagedMessages } from '../api/types';
import { MessageList } from './list';

/** All messages; null for who is not logged in. */
export const allMessages = signal<MessageList | null>(null);

let shown: MessageList | null = null;

/** Makes the list of all messages, with a first page that was asked for already. */
export function openAll(loading?: Promise<PagedMessages>): MessageList {
  const list = new MessageList({});
  allMessages.value = list;
  void list.load(loading);
  return list;
}

/** Returns the list of a filter, to be shown; loads it. `around` is a message that is to be seen. */
export function openList(filter: Filter, around: number | null): MessageList {
  const isAll = Object.values(filter).every((value) => value === undefined);
  const all = allMessages.peek();
  const list = isAll && all ? all : new MessageList(filter);
  if (shown !== list) {
    if (shown === all) all?.shrink();
    else shown?.close();
  }
  shown = list;
  if (around !== null && list.rows.indexOf(around) >= 0) list.show(around);
  else if (around !== null && !isSearch(filter)) void list.loadAround(around);
  else if (list !== all) void list.load();
  return list;
}

function each(change: (list: MessageList) => void): void {
  batch(() => {
    const all = allMessages.peek();
    if (all) change(all);
    if (shown && shown !== all) change(shown);
  });
}

export function receiveMessages(messages: readonly Message[]): void {
  each((list) => list.receive(messages));
}

export function removeMessages(isRemoved: (message: Message) => boolean): void {
  each((list) => list.remove(isRemoved));
}

export function restoreMessage(message: Message): void {
  each((list) => list.restore(message));
}

/** The stream has not told of everything. */
export function refreshLists(): void {
  each((list) => void list.refresh().catch(() => {}));
}

/** Forgets everything of a user who is gone. */
export function closeLists(): void {
  each((list) => list.close());
  allMessages.value = null;
  shown = null;
}
