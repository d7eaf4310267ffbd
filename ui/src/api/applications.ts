// The lists of applications.
import { request } from './request';
import type { Application, ApplicationState } from './types';

/** The picture of applications that have none of their own. */
export const DEFAULT_PICTURE = 'static/defaultapp.png';

export function listApplications(): Promise<Application[]> {
  return request('GET', 'application');
}

export function listApplicationStates(): Promise<ApplicationState[]> {
  return request('GET', 'shardcast/application');
}
