// The user's applications, and what is unread of them.
import { computed, signal } from '@preact/signals';
import { listApplicationStates, listApplications } from '../api/applications';
import type { Application, ApplicationState } from '../api/types';
import { reloads } from './reloads';

/** In the order that the user has given them; null until they came. */
export const applications = signal<Application[] | null>(null);

export const applicationsById = computed(() => new Map(applications.value?.map((one) => [one.id, one])));

/** Whether the first answer came, be it a refusal. */
export const areApplicationsAsked = signal(false);

/** By application. Null until they came. */
export const applicationStates = signal<Map<number, ApplicationState> | null>(null);

export const unreadTotal = computed(() => {
  let total = 0;
  for (const { unread } of applicationStates.value?.values() ?? []) total += unread;
  return total;
});

const lists = reloads(
  listApplications,
  (list) => {
    applications.value = list;
  },
  () => {
    areApplicationsAsked.value = true;
  },
);

const states = reloads(listApplicationStates, (list) => {
  applicationStates.value = new Map(list.map((state) => [state.id, state]));
});

/** Asks for the list again. */
export const reloadApplications = lists.reload;

/** Asks for what is unread. */
export const reloadApplicationStates = states.reload;

/** Forgets what belongs to a user who is gone, also what is on its way. */
export function clearApplications(): void {
  lists.forget();
  states.forget();
  applications.value = null;
  areApplicationsAsked.value = false;
  applicationStates.value = null;
}
