// Who is logged in, and what the server is.
import { computed, signal } from '@preact/signals';
import { fetchOverview } from '../api/overview';
import { logOut as endSession, fetchUser } from '../api/session';
import type { CurrentUser, Overview } from '../api/types';
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

export async function loadOverview(loading: Promise<Overview> = fetchOverview()): Promise<void> {
  try {
    const loaded = await loading;
    overviewError.value = null;
    overview.value = loaded;
    store('session', loaded.user ? '1' : null);
  } catch (error) {
    overviewError.value = error;
  }
}

/** Notes who has logged in. */
export function setUser(loggedIn: CurrentUser): void {
  if (overview.value) overview.value = { ...overview.value, user: loggedIn };
  sessionEnded.value = false;
  store('session', '1');
}

/** Asks again who is logged in, for example to see until when the session is elevated. */
export async function reloadUser(): Promise<CurrentUser> {
  const reloaded = await fetchUser();
  if (overview.value?.user) overview.value = { ...overview.value, user: reloaded };
  return reloaded;
}

/** The server does not know the session any more. */
export function forgetUser(): void {
  if (!user.value || !overview.value) return;
  overview.value = { ...overview.value, user: null };
  sessionEnded.value = true;
  store('session', null);
}

/** Ends the session on the server, and shows the login. */
export async function logOut(): Promise<void> {
  await endSession();
  forgetUser();
  sessionEnded.value = false;
}
