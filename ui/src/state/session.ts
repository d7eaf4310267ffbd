// Who is logged in, and what the server is.
import { computed, signal } from '@preact/signals';
import { isUnauthorized } from '../api/errors';
import { fetchOverview } from '../api/overview';
import { logOut as endSession, fetchUser } from '../api/session';
import type { CurrentUser, Overview } from '../api/types';
import { retryNow, untilAnswered } from '../messages/retry';
import { readStored, store } from './storage';

/** Null until it came. */
export const overview = signal<Overview | null>(null);

/** Why it did not come. */
export const overviewError = signal<unknown>(null);

/** Null for who is not logged in. */
export const user = computed<CurrentUser | null>(() => overview.value?.user ?? null);

/** Whether the session ended by itself, so that the page says why it asks for the password. */
export const sessionEnded = signal(false);

/** Whether this browser had a session when the page was used last: then its lists are asked for at once. */
export function hadSession(): boolean {
  return readStored('session') === '1';
}

let loading: Promise<void> | null = null;

/** Asks for the overview until it comes. Who calls this while an answer is awaited has it asked for at once. */
export function loadOverview(): Promise<void> {
  retryNow();
  loading ??= askForOverview().finally(() => {
    loading = null;
  });
  return loading;
}

async function askForOverview(): Promise<void> {
  try {
    const loaded = await untilAnswered(
      () => fetchOverview().catch(noteError),
      () => !overview.peek(),
    );
    if (!loaded || overview.peek()) return;
    overview.value = loaded;
    store('session', loaded.user ? '1' : null);
  } catch {
    // `overviewError` says why, and the person may try again.
  }
}

function noteError(error: unknown): never {
  overviewError.value = error;
  throw error;
}

/** Notes who has logged in. */
export function setUser(loggedIn: CurrentUser): void {
  if (overview.value) overview.value = { ...overview.value, user: loggedIn };
  sessionEnded.value = false;
  store('session', '1');
}

/**
 * Asks again who is logged in, for example to see until when the session is elevated. Another tab of the browser may have
 * logged somebody else in, to whom nothing on this page belongs: then the page is loaded again.
 */
export async function reloadUser(): Promise<CurrentUser> {
  const reloaded = await fetchUser();
  if (!overview.value?.user) return reloaded;
  if (overview.value.user.id === reloaded.id) overview.value = { ...overview.value, user: reloaded };
  else location.reload();
  return reloaded;
}

/** Shows the login. */
export function forgetUser(): void {
  sessionEnded.value = false;
  if (overview.value) overview.value = { ...overview.value, user: null };
  store('session', null);
}

/** The server does not know the session any more. */
export function loseSession(): void {
  if (!user.value) return;
  forgetUser();
  sessionEnded.value = true;
}

/** Ends the session on the server, unless it is over already. */
export async function logOut(): Promise<void> {
  await endSession().catch((error: unknown) => {
    if (!isUnauthorized(error)) throw error;
  });
}
