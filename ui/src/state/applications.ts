// The user's applications, and what is unread of them.
import { computed, signal } from '@preact/signals';
import { listApplicationStates, listApplications } from '../api/applications';
import { ApiError } from '../api/errors';
import type { Application, ApplicationState } from '../api/types';

/** In the order that the user has given them; null until they came. */
export const applications = signal<Application[] | null>(null);

export const applicationsById = computed(() => new Map(applications.value?.map((one) => [one.id, one])));

/** Whether the first answer came, be it a refusal. */
export const areApplicationsAsked = signal(false);

/** By application. Null until it came, and for good with a server that keeps none. */
export const applicationStates = signal<Map<number, ApplicationState> | null>(null);

export const unreadTotal = computed(() => {
  let total = 0;
  for (const { unread } of applicationStates.value?.values() ?? []) total += unread;
  return total;
});

let isLoading = false;
let isAgain = false;

/** Asks for the list again. Calls while an answer is awaited become one more request. */
export async function reloadApplications(loading?: Promise<Application[]>): Promise<void> {
  if (isLoading) {
    isAgain = true;
    return;
  }
  isLoading = true;
  try {
    applications.value = await (loading ?? listApplications());
  } finally {
    isLoading = false;
    areApplicationsAsked.value = true;
    if (isAgain) {
      isAgain = false;
      void reloadApplications().catch(() => {});
    }
  }
}

/** Asks for what is unread. A server that does not keep it is not asked again. */
export async function reloadApplicationStates(): Promise<void> {
  if (!keepsStates) return;
  try {
    const states = await listApplicationStates();
    applicationStates.value = new Map(states.map((state) => [state.id, state]));
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) keepsStates = false;
    else throw error;
  }
}

let keepsStates = true;

/** Forgets what belongs to a user who is gone. */
export function clearApplications(): void {
  applications.value = null;
  areApplicationsAsked.value = false;
  applicationStates.value = null;
}
