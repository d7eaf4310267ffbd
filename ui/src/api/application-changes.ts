// Making, changing and deleting applications.
import { request } from './request';
import type { Application, ApplicationState } from './types';

export type ApplicationParams = {
  name: string;
  description: string;
  defaultPriority: number;
  sortKey?: string;
};

/** How long an application's messages are kept; 0 is for ever. */
export type Retention = Pick<ApplicationState, 'keepDays' | 'keepNewest'>;

/** Makes an application; the answer has its token. */
export function createApplication(params: ApplicationParams): Promise<Application> {
  return request('POST', 'application', { json: params });
}

export function updateApplication(id: number, params: ApplicationParams): Promise<Application> {
  return request('PUT', `application/${id}`, { json: params });
}

export function setRetention(id: number, retention: Retention): Promise<ApplicationState> {
  return request('PUT', `shardcast/application/${id}`, { json: retention });
}

export function deleteApplication(id: number): Promise<void> {
  return request('DELETE', `application/${id}`);
}

export function uploadPicture(id: number, file: File): Promise<Application> {
  const body = new FormData();
  body.append('file', file);
  return request('POST', `application/${id}/image`, { body });
}

export function removePicture(id: number): Promise<void> {
  return request('DELETE', `application/${id}/image`);
}

/** Replaces an application's token, and returns the new one. */
export async function replaceToken(id: number): Promise<string> {
  type Answer = { regenerateToken: { token: string } };
  const answer = await request<Answer>('PUT', `application/${id}/security`, {
    json: { regenerateToken: true },
  });
  return answer.regenerateToken.token;
}
