// The lists of applications.
import { request } from './request';
import type { Application, ApplicationState } from './types';

export function listApplications(): Promise<Application[]> {
  return request('GET', 'application');
}

export function listApplicationStates(): Promise<ApplicationState[]> {
  return request('GET', 'shardcast/application');
}
