// The clients of a user: what receives messages.
import { request } from './request';
import type { Client } from './types';

export type ClientParams = { name: string; expiresAfterInactivitySeconds: number };

export function listClients(): Promise<Client[]> {
  return request('GET', 'client');
}

/** Makes a client; the answer has its token. */
export function createClient(params: ClientParams): Promise<Client> {
  return request('POST', 'client', { json: params });
}

export function updateClient(id: number, params: ClientParams): Promise<Client> {
  return request('PUT', `client/${id}`, { json: params });
}

export function deleteClient(id: number): Promise<void> {
  return request('DELETE', `client/${id}`);
}

/** Lets a client do what is dangerous for so many seconds; a negative number ends that. */
export function elevateClient(id: number, durationSeconds: number): Promise<void> {
  return request('POST', `client/${id}/elevate`, { json: { durationSeconds } });
}
