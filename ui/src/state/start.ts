// What is loaded and kept open for who is logged in.
import { effect } from '@preact/signals';
import { listMessages } from '../api/messages';
import { dropArrivals, receiver } from '../messages/arrivals';
import { finishDeletions } from '../messages/deletion';
import { FIRST_PAGE } from '../messages/list';
import { allMessages, closeLists, openAll } from '../messages/lists';
import { forgetSeen } from '../messages/reading';
import { Stream } from '../messages/stream';
import { clearApplications, reloadApplicationStates, reloadApplications } from './applications';
import { logOut, overview, user } from './session';

let stream: Stream | null = null;

/** Asks for the lists. The stream follows once it is known after which message it has to begin. */
export function startUser(): void {
  const applications = reloadApplications();
  openAll(listMessages({}, { limit: FIRST_PAGE }));
  // The list of messages shows whether the server answers.
  applications.catch(() => {});
}

function stopUser(): void {
  stream?.close();
  stream = null;
  dropArrivals();
  forgetSeen();
  closeLists();
  clearApplications();
}

/** Logs out. Everything ends before, so that nothing asks the server with a session that is over. */
export async function leave(): Promise<void> {
  await finishDeletions();
  stopUser();
  try {
    await logOut();
  } catch (error) {
    startUser();
    throw error;
  }
}

function openStream(since: number): void {
  stream = new Stream(since, receiver);
  // After the list: it is shown without.
  whenIdle(() => reloadApplicationStates().catch(() => {}));
}

function whenIdle(run: () => void): void {
  if ('requestIdleCallback' in globalThis) requestIdleCallback(run, { timeout: 1000 });
  else setTimeout(run, 200);
}

/** Opens the stream once there are messages to go on after, and ends everything with the session. */
export function followSession(): void {
  effect(() => {
    const list = allMessages.value;
    if (list?.status.value === 'ready' && !stream) openStream(list.rows.newestId);
  });
  effect(() => {
    if (!overview.value) return;
    if (!user.value) stopUser();
    else if (!allMessages.peek()) startUser();
  });
}
