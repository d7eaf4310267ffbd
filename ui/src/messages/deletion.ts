// Deletes messages: at once for the eye, on the server when the time to take it back is over.
import { ApiError, isAbort } from '../api/errors';
import { deleteMessage, deleteMessages } from '../api/messages';
import type { Message } from '../api/types';
import { applications } from '../state/applications';
import { closeToast, toast, toastError } from '../state/toasts';
import { t } from '../text';
import { forgetGone, noteBack, noteGone } from './gone';
import { allMessages, removeMessages, restoreMessage } from './lists';
import { newestId, recount } from './reading';

/** Deletions that can be taken back, by their toast. */
const pending = new Map<number, Message>();

/** Deletions that the server was asked for. */
const running = new Set<Promise<void>>();

/** Deletes a message, unless the person takes it back. */
export function deleteWithUndo(message: Message): void {
  noteGone(message.id);
  removeMessages(({ id }) => id === message.id);
  const id: number = toast(t('messages.deleted'), {
    action: {
      label: t('button.undo'),
      run: () => {
        pending.delete(id);
        putBack(message);
      },
    },
    onClose: () => {
      // Otherwise there is nothing left to delete.
      if (!pending.delete(id)) return;
      const finishing = finish(message).finally(() => running.delete(finishing));
      running.add(finishing);
    },
  });
  pending.set(id, message);
}

function putBack(message: Message): void {
  noteBack(message.id);
  restoreMessage(message);
}

async function finish(message: Message): Promise<void> {
  try {
    await deleteMessage(message.id, document.hidden);
    recount();
  } catch (error) {
    // There is nobody to give it back to, or somebody else was faster.
    if (isAbort(error)) return;
    if (error instanceof ApiError && error.status === 404) return;
    putBack(message);
    toastError(error);
  }
}

/** Neither sends nor takes back deletions that wait. */
function drop(isDropped: (message: Message) => boolean): void {
  for (const [id, message] of [...pending]) {
    if (!isDropped(message)) continue;
    pending.delete(id);
    closeToast(id);
  }
}

/** Forgets the deletions of a user who is gone. */
export function forgetDeletions(): void {
  drop(() => true);
  forgetGone();
}

/** Sends the deletions that wait; resolves when they are done, or have failed. */
export async function finishDeletions(): Promise<void> {
  for (const id of [...pending.keys()]) closeToast(id);
  await Promise.all(running);
}

// The page may not come back.
document.addEventListener('visibilitychange', () => document.hidden && void finishDeletions());
addEventListener('pagehide', () => void finishDeletions());

/** Deletes all messages, or all of an application. */
export async function deleteAll(appid?: number): Promise<void> {
  // What comes while the request is under way may be newer than the deletion.
  const upTo = newestId(allMessages.peek(), appid);
  await deleteMessages(appid);
  dropDeleted((message) => message.id <= upTo && (appid === undefined || message.appid === appid));
  recount();
}

/** Takes messages out of the lists that the server has no longer. Their deletion can't be taken back any more. */
export function dropDeleted(isDeleted: (message: Message) => boolean): void {
  drop(isDeleted);
  removeMessages(isDeleted);
}

let known: ReadonlySet<number> = new Set();

// An application takes its messages along. Only those that were in the list before: an answer that is on its way may
// not have a new one yet.
applications.subscribe((list) => {
  const present = new Set(list?.map(({ id }) => id));
  const gone = list ? new Set([...known].filter((id) => !present.has(id))) : new Set<number>();
  known = present;
  if (gone.size > 0) dropDeleted(({ appid }) => gone.has(appid));
});
