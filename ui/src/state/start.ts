// What is loaded for who is logged in.
import { reloadApplicationStates, reloadApplications } from './applications';
import { toastError } from './toasts';

/** Loads the lists. */
export function startUser(): void {
  reloadApplications().catch(toastError);
  reloadApplicationStates().catch(toastError);
}
