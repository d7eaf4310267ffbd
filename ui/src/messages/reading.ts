// What is unread: counted as messages come, and marked as read once they were seen.
import { ApiError } from '../api/errors';
import { isSearch, markRead } from '../api/messages';
import type { ApplicationState, Message } from '../api/types';
import { applicationStates, reloadApplicationStates } from '../state/applications';
import type { MessageList } from './list';

/** A message counts as seen after it was visible so long. Then everything up to it is read. */
const SEEN_AFTER_MS = 1000;
/** Counts are asked for again at most so often. */
const RECOUNT_MS = 1000;

function change(changed: (state: ApplicationState) => ApplicationState): void {
  const states = applicationStates.peek();
  if (!states) return;
  applicationStates.value = new Map([...states].map(([id, state]) => [id, changed(state)]));
}

/** Counts messages that have just come. */
export function countArrived(messages: readonly Message[]): void {
  const counts = new Map<number, { count: number; newest: number }>();
  for (const { id, appid } of messages) {
    const counted = counts.get(appid) ?? { count: 0, newest: 0 };
    counts.set(appid, { count: counted.count + 1, newest: Math.max(counted.newest, id) });
  }
  change((state) => {
    const more = counts.get(state.id);
    if (!more || more.newest <= state.newest) return state;
    return { ...state, newest: more.newest, unread: state.unread + more.count };
  });
}

/** Notes that messages up to an id are read, here or on another device. */
export function noteRead(upTo: number, appid?: number): void {
  let isCounted = true;
  change((state) => {
    if ((appid !== undefined && appid !== state.id) || upTo <= state.readUpTo) return state;
    if (upTo >= state.newest) return { ...state, readUpTo: upTo, unread: 0 };
    isCounted = isCounted && state.unread === 0;
    return { ...state, readUpTo: upTo };
  });
  if (!isCounted) recount();
}

let recounting: ReturnType<typeof setTimeout> | undefined;

/** Asks the server how many are unread, soon. */
export function recount(): void {
  if (recounting !== undefined) return;
  recounting = setTimeout(() => {
    recounting = undefined;
    reloadApplicationStates().catch(() => {});
  }, RECOUNT_MS);
}

/** Whether a message is unread. */
export function isUnread({ id, appid }: Message): boolean {
  const state = applicationStates.value?.get(appid);
  return state !== undefined && id > state.readUpTo;
}

function hasUnread(upTo: number, appid?: number): boolean {
  for (const state of applicationStates.peek()?.values() ?? []) {
    if ((appid === undefined || appid === state.id) && state.unread > 0 && upTo > state.readUpTo) return true;
  }
  return false;
}

/** The newest message that is known, in a list or not, of all applications or of one. */
export function newestId(list: MessageList | null, appid?: number): number {
  let newest = list?.rows.newestId ?? 0;
  for (const state of applicationStates.peek()?.values() ?? []) {
    if (appid === undefined || appid === state.id) newest = Math.max(newest, state.newest);
  }
  return newest;
}

let seen: { list: MessageList; id: number } | null = null;
let waiting: ReturnType<typeof setTimeout> | undefined;

/** Notes the newest message of a list that is visible. */
export function noteSeen(list: MessageList, id: number): void {
  if (isSearch(list.filter) || document.hidden || id === 0) return;
  if (seen?.list !== list) {
    // Each list has its own second.
    clearTimeout(waiting);
    waiting = undefined;
  } else if (seen.id >= id) return;
  seen = { list, id };
  waiting ??= setTimeout(() => {
    waiting = undefined;
    if (seen && !document.hidden) void readUpTo(seen.id, seen.list.filter.appid);
    seen = null;
  }, SEEN_AFTER_MS);
}

/** Forgets what was seen: nobody is logged in any more. */
export function forgetSeen(): void {
  clearTimeout(waiting);
  clearTimeout(recounting);
  waiting = undefined;
  recounting = undefined;
  seen = null;
}

/** Marks messages up to an id as read, of all applications or of one. */
export async function readUpTo(id: number, appid?: number): Promise<void> {
  if (!hasUnread(id, appid)) return;
  noteRead(id, appid);
  try {
    await markRead(id, appid);
  } catch (error) {
    // A server that keeps no such marks has none to show either.
    if (!(error instanceof ApiError && error.status === 404)) recount();
  }
}

/** Draws the line "new" of a list: above the newest message that is read. */
export function drawNewLine(list: MessageList): void {
  const states = applicationStates.peek();
  if (!states || isSearch(list.filter)) return;
  let line = 0;
  for (let index = 0; index < list.rows.length && line === 0; index++) {
    const message = list.rows.at(index)?.message;
    if (message && message.id <= (states.get(message.appid)?.readUpTo ?? 0)) line = message.id;
  }
  list.newAbove.value = line;
}
