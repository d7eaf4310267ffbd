// The users, for administrators, and one's own password.
import { request } from './request';
import type { User } from './types';

/** An empty password of a user who is there already leaves it as it is. */
export type UserParams = { name: string; pass: string; admin: boolean };

export function listUsers(): Promise<User[]> {
  return request('GET', 'user');
}

export function createUser(params: UserParams): Promise<User> {
  return request('POST', 'user', { json: params });
}

export function updateUser(id: number, params: UserParams): Promise<User> {
  return request('POST', `user/${id}`, { json: params });
}

export function deleteUser(id: number): Promise<void> {
  return request('DELETE', `user/${id}`);
}

export function changePassword(pass: string): Promise<void> {
  return request('POST', 'current/user/password', { json: { pass } });
}
