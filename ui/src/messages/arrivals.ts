// What the stream brings goes into the lists and the counts from here, many messages at once.
import { batch } from '@preact/signals';
import { listMessages } from '../api/messages';
import type { Message, StreamEvent } from '../api/types';
import { notify } from '../notifications';
import { applicationsById, reloadApplicationStates, reloadApplications } from '../state/applications';
import { announce, dropAnnouncements } from './announcer';
import { dropDeleted } from './deletion';
import { noteGone } from './gone';
import { receiveMessages, refreshLists } from './lists';
import { countArrived, noteRead, recount } from './reading';
import type { StreamReceiver } from './stream';

/** The lists are changed at most so often. */
const FLUSH_MS = 100;
/** Because of messages the list of applications is asked for at most so often. */
const ASK_MS = 5000;

let arrived: Message[] = [];
let lastFlush = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

function flush(): void {
  clearTimeout(timer);
  timer = undefined;
  lastFlush = performance.now();
  const messages = arrived;
  arrived = [];
  batch(() => {
    countArrived(messages);
    receiveMessages(messages);
  });
  // Never shown without its application's name: the list of applications is asked for again.
  if (messages.some(({ appid }) => !applicationsById.peek().has(appid))) {
    askForApplications();
    recount();
  }
  announce(messages);
  notify(messages);
}

let asking: ReturnType<typeof setTimeout> | undefined;
let lastAsked = Number.NEGATIVE_INFINITY;

/** Asks at once, but not for each of many messages: the list may lack their application for long. */
function askForApplications(): void {
  asking ??= setTimeout(
    () => {
      asking = undefined;
      lastAsked = performance.now();
      reloadApplications().catch(() => {});
    },
    Math.max(0, lastAsked + ASK_MS - performance.now()),
  );
}

function onMessage(message: Message): void {
  arrived.push(message);
  const wait = FLUSH_MS - (performance.now() - lastFlush);
  // Browsers let the timers of a hidden page wait for up to a minute, and its notifications with them.
  if (document.hidden && wait <= 0) flush();
  else timer ??= setTimeout(flush, Math.max(0, wait));
}

function onEvent(event: StreamEvent): void {
  // Events come in order with messages: what came before is there first.
  if (timer !== undefined) flush();
  switch (event.event) {
    case 'deleted':
      onDeleted(event);
      break;
    case 'replaced':
      onDeleted({ ids: event.ids });
      break;
    case 'read':
      noteRead(event.upTo, event.appid);
      break;
    case 'applications':
      reloadApplications().catch(() => {});
      recount();
      break;
    case 'missed':
      reloadApplications().catch(() => {});
      reloadApplicationStates().catch(() => {});
      refreshLists();
      break;
  }
}

function onDeleted({ ids, appid, upTo }: { ids?: number[]; appid?: number; upTo?: number }): void {
  const deleted = new Set(ids);
  for (const id of deleted) noteGone(id);
  dropDeleted((message) => {
    if (ids) return deleted.has(message.id);
    return (appid === undefined || message.appid === appid) && message.id <= (upTo ?? 0);
  });
  recount();
}

/** The lists are loaded again, which shows everything; so the stream goes on after the newest message there is. */
async function onTooFarBehind(): Promise<number> {
  const page = await listMessages({}, { limit: 1 });
  refreshLists();
  reloadApplicationStates().catch(() => {});
  return page.messages[0]?.id ?? 0;
}

export const receiver: StreamReceiver = { onMessage, onEvent, onTooFarBehind };

/** Forgets what has not been shown or said yet. */
export function dropArrivals(): void {
  dropAnnouncements();
  clearTimeout(timer);
  clearTimeout(asking);
  timer = undefined;
  asking = undefined;
  arrived = [];
}
