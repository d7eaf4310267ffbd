// What is loaded and kept open for who is logged in.
import { effect, untracked } from '@preact/signals';
import { listMessages } from '../api/messages';
import { abortRequests } from '../api/request';
import type { PagedMessages } from '../api/types';
import { denyQuestion } from '../components/Confirm';
import { denyElevation } from '../elevation';
import { dropArrivals, receiver } from '../messages/arrivals';
import { finishDeletions, forgetDeletions } from '../messages/deletion';
import { FIRST_PAGE, type MessageList } from '../messages/list';
import { allMessages, closeLists, openAll, refreshLists } from '../messages/lists';
import { forgetSeen } from '../messages/reading';
import { keepLoading, retryNow, untilAnswered } from '../messages/retry';
import { Stream } from '../messages/stream';
import { clearApplications, reloadApplicationStates, reloadApplications } from './applications';
import { connection } from './connection';
import { closeDialog } from './dialogs';
import { claimDraft, forgetDraft } from './draft';
import { forgetUser, logOut, overview, reloadUser, user } from './session';

/** A stream that opens so long after the list was asked for may have missed a deletion in between. */
const SOON_MS = 2000;
/** Also one that opened sooner may have, but that is so rare that the page is drawn and used first. */
const QUIET_CHECK_MS = 5000;

let stream: Stream | null = null;
/** How often the stream was opened. */
let openings = 0;
let firstPage: Promise<PagedMessages> | null = null;
let askedAt = 0;
/** The session is about to end: nothing is asked for any more. */
let isLeaving = false;
let quietCheck: ReturnType<typeof setTimeout> | undefined;

/** Asks for the lists. The stream follows once it is known after which message it has to begin. */
export function startUser(): void {
  const applications = reloadApplications();
  askedAt = performance.now();
  firstPage = listMessages({}, { limit: FIRST_PAGE });
  const list = openAll(firstPage);
  let first: Promise<void> | null = applications;
  insist(list, () => {
    const asked = first ?? reloadApplications();
    first = null;
    return asked;
  });
}

/** Asks until there is an answer, as long as a list is that of the user. The list of messages shows what is wrong. */
function insist(list: MessageList, ask: () => Promise<void>): void {
  untilAnswered(ask, () => allMessages.peek() === list).catch(() => {});
}

/** Ends and forgets everything of a user. Whoever logs in next is asked, told and shown nothing of it. */
function stopUser(): void {
  clearTimeout(quietCheck);
  abortRequests();
  denyQuestion();
  denyElevation();
  forgetDeletions();
  stream?.close();
  stream = null;
  dropArrivals();
  forgetSeen();
  closeLists();
  clearApplications();
}

/**
 * Logs out, or does something else that ends the session. Everything ends before, so that nothing asks the server with a
 * session that is over.
 */
export async function leave(end: () => Promise<void> = logOut): Promise<void> {
  await finishDeletions();
  stopUser();
  isLeaving = true;
  try {
    await end();
  } catch (error) {
    if (user.peek() && !allMessages.peek()) startUser();
    throw error;
  } finally {
    isLeaving = false;
  }
  forgetUser();
  closeDialog();
  forgetDraft();
}

/** Begins the stream after the user's newest message, which a list around an older one does not have. */
async function openStream(list: MessageList): Promise<void> {
  const isWanted = () => allMessages.peek() === list && !stream;
  const since = list.hasNewer ? await untilAnswered(findNewest, isWanted) : list.rows.newestId;
  if (since === undefined || !isWanted()) return;
  openings = 0;
  stream = new Stream(since, receiver);
  // After the list: it is shown without.
  whenIdle(() => insist(list, reloadApplicationStates));
}

async function findNewest(): Promise<number> {
  const page = (await firstPage?.catch(() => null)) ?? (await listMessages({}, { limit: 1 }));
  return page.messages[0]?.id ?? 0;
}

function whenIdle(run: () => void): void {
  if ('requestIdleCallback' in globalThis) requestIdleCallback(run, { timeout: 1000 });
  else setTimeout(run, 200);
}

function onStreamOpen(): void {
  retryNow();
  openings += 1;
  if (openings > 1) {
    reloadUser().catch(() => {});
    return;
  }
  // A stream brings messages that came before it, but no deletions.
  if (performance.now() - askedAt > SOON_MS) receiver.onEvent({ event: 'missed' });
  else quietCheck = setTimeout(() => whenIdle(refreshLists), QUIET_CHECK_MS);
}

/** Opens the stream once there are messages to go on after, and ends everything with the session. */
export function followSession(): void {
  effect(() => (allMessages.value ? keepLoading(allMessages.value) : undefined));
  effect(() => {
    const list = allMessages.value;
    const status = list?.status.value;
    if (stream) return;
    if (status === 'loading') askedAt = performance.now();
    if (list && status === 'ready') untracked(() => void openStream(list).catch(() => {}));
  });
  effect(() => {
    if (connection.value.state === 'open') untracked(onStreamOpen);
  });
  effect(() => {
    if (!overview.value) return;
    if (!user.value) stopUser();
    else if (claimDraft(user.value.id)) closeDialog();
    if (user.value && !allMessages.peek() && !isLeaving) startUser();
  });
}
