// What the page must know before it shows anything.
import { request } from './request';
import type { Overview } from './types';

/** Asks for it. `user` is null for who is not logged in. */
export function fetchOverview(): Promise<Overview> {
  return request('GET', 'shardcast/overview', { isLogin: true });
}
