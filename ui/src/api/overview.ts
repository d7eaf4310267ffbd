// What the page must know before it shows anything.
import { ApiError } from './errors';
import { request } from './request';
import type { CurrentUser, Overview } from './types';

/** Asks for it; of a server that has no overview (a Gotify), its parts. `user` is null for who is not logged in. */
export async function fetchOverview(): Promise<Overview> {
  try {
    return await request<Overview>('GET', 'shardcast/overview', { isLogin: true });
  } catch (error) {
    if (!(error instanceof ApiError) || (error.status !== 404 && error.status !== 401)) throw error;
    return overviewOfParts();
  }
}

async function overviewOfParts(): Promise<Overview> {
  const info = request<{ version: string; register: boolean; oidc: boolean }>('GET', 'gotifyinfo');
  const user = request<CurrentUser>('GET', 'current/user', { isLogin: true }).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  });
  const [{ version, register, oidc }, current] = await Promise.all([info, user]);
  return { version, compatibility: '', register, oidc, push: null, user: current };
}
