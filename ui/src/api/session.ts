// Logging in and out.
import { basicAuthorization, request } from './request';
import type { CurrentUser, User } from './types';

/** Starts a session, whose cookie the browser keeps. */
export function logIn(name: string, password: string, client: string): Promise<CurrentUser> {
  const headers = { authorization: basicAuthorization(name, password) };
  return request('POST', 'auth/local/login', { json: { name: client }, headers, isLogin: true });
}

/** Elevates a session for so many seconds with the user's password. Throws `ApiError` 401 if that is wrong. */
export function elevateWithPassword(
  name: string,
  password: string,
  clientId: number,
  durationSeconds: number,
): Promise<void> {
  return request('POST', `client/${clientId}/elevate`, {
    json: { durationSeconds },
    headers: { authorization: basicAuthorization(name, password) },
    credentials: 'omit',
    isLogin: true,
  });
}

/** Asks who is logged in. */
export function fetchUser(): Promise<CurrentUser> {
  return request('GET', 'current/user');
}

/** Asks who a password logs in, whoever is logged in. Throws `ApiError` 401 if it logs nobody in. */
export function fetchUserOf(name: string, password: string): Promise<User> {
  const headers = { authorization: basicAuthorization(name, password) };
  return request('GET', 'current/user', { headers, credentials: 'omit', isLogin: true });
}

export function logOut(): Promise<void> {
  return request('POST', 'auth/logout');
}

/** Makes a user, where the server lets everybody register. */
export function register(name: string, pass: string): Promise<User> {
  return request('POST', 'user', { json: { name, pass, admin: false }, isLogin: true });
}

/** Sets a user's password in the place of the one that is known, and starts a session. */
export async function replacePassword(
  name: string,
  password: string,
  chosen: string,
  client: string,
): Promise<CurrentUser> {
  await request('POST', 'current/user/password', {
    json: { pass: chosen },
    headers: { authorization: basicAuthorization(name, password) },
    credentials: 'omit',
    isLogin: true,
  });
  return logIn(name, chosen, client);
}

/** Returns the address where a browser logs in with the identity provider. */
export function identityProviderUrl(client: string): string {
  return `auth/oidc/login?name=${encodeURIComponent(client)}`;
}

/** Returns what this browser's session is called among the clients, such as `Firefox on Linux`. */
export function clientName(agent: string = navigator.userAgent): string {
  const browsers = [
    ['Edg/', 'Edge'],
    ['OPR/', 'Opera'],
    ['Firefox/', 'Firefox'],
    ['Chrome/', 'Chrome'],
    ['Safari/', 'Safari'],
  ] as const;
  const systems = [
    ['Android', 'Android'],
    ['iPhone', 'iPhone'],
    ['iPad', 'iPad'],
    ['Windows', 'Windows'],
    ['Mac OS', 'macOS'],
    ['CrOS', 'ChromeOS'],
    ['Linux', 'Linux'],
  ] as const;
  const named = (list: readonly (readonly [string, string])[]) =>
    list.find(([mark]) => agent.includes(mark))?.[1];
  const browser = named(browsers) ?? 'Browser';
  const system = named(systems);
  return system ? `${browser} on ${system}` : browser;
}
