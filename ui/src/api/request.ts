// One way to ask the server. URLs are relative to the document, so that the page works below any path. The session's
// cookie says who asks, so no token is in a URL or in the page.
import { ApiError, isAbort, NetworkError } from './errors';

export type RequestOptions = {
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is, such as `FormData`. */
  body?: BodyInit;
  /** Parameters of the URL; undefined ones are left out. */
  query?: Record<string, string | number | undefined>;
  headers?: Record<string, string>;
  /** `omit` sends no cookie, so that a refused password is not made up for by the session. */
  credentials?: RequestCredentials;
  signal?: AbortSignal;
  /** Lets the request outlive the page. */
  keepalive?: boolean;
  /** It has credentials of its own: a 401 is about those, and does not end the session. */
  isLogin?: boolean;
};

type Hooks = {
  /** The session is over: the server does not know the cookie any more. */
  onUnauthorized: () => void;
  /** Asks for the password again. Resolves to whether the session is elevated now. */
  elevate: () => Promise<boolean>;
};

const hooks: Hooks = { onUnauthorized: () => {}, elevate: async () => false };

/** Sets what happens on a 401, and how a session is elevated. */
export function setHooks(changed: Partial<Hooks>): void {
  Object.assign(hooks, changed);
}

/** For how long an answer to what changes nothing is awaited: a connection may have died without a word. */
const PATIENCE_MS = 30_000;

let session = new AbortController();

/** Gives up the requests of a session that is over: their answers are nobody's. Those of a login go on. */
export function abortRequests(): void {
  session.abort();
  session = new AbortController();
}

/**
 * Asks the server, and returns the JSON of its answer (undefined for an empty one).
 *
 * Where the session must be elevated, asks for that first, and then once more.
 * Throws `ApiError` for a refusal, and `NetworkError` if no answer came.
 */
export async function request<T = void>(
  method: string,
  path: string,
  options: RequestOptions = {},
): Promise<T> {
  // What one user has asked for is never sent again in the session of another.
  const own = options.isLogin ? null : session.signal;
  try {
    return await send<T>(method, path, options, own);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.needsElevation && (await hooks.elevate())) return send<T>(method, path, options, own);
    if (error.status === 401 && !options.isLogin) hooks.onUnauthorized();
    throw error;
  }
}

async function send<T>(
  method: string,
  path: string,
  options: RequestOptions,
  session: AbortSignal | null,
): Promise<T> {
  const late = method === 'GET' ? AbortSignal.timeout(PATIENCE_MS) : null;
  const headers: Record<string, string> = { accept: 'application/json', ...options.headers };
  const init: RequestInit = {
    method,
    headers,
    credentials: options.credentials ?? 'same-origin',
    cache: 'no-store',
    signal: AbortSignal.any([options.signal, session, late].filter((signal) => signal != null)),
  };
  if (options.json !== undefined) {
    headers['content-type'] = 'application/json';
    init.body = JSON.stringify(options.json);
  } else if (options.body !== undefined) {
    init.body = options.body;
  }
  if (options.keepalive) init.keepalive = true;
  let response: Response;
  let text: string;
  try {
    response = await fetch(withQuery(path, options.query), init);
    text = await response.text();
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new NetworkError('the server does not answer');
  }
  if (!response.ok) throw refusal(response, text);
  try {
    return (text === '' ? undefined : JSON.parse(text)) as T;
  } catch {
    throw new ApiError(
      response.status,
      'the answer is not JSON: something between the page and the server changes it',
    );
  }
}

function refusal(response: Response, text: string): ApiError {
  const after = Number(response.headers.get('retry-after') ?? Number.NaN);
  return new ApiError(response.status, describe(response, text), Number.isFinite(after) ? after : null);
}

/** Returns Gotify's description, or what a proxy in between says with its status. */
function describe(response: Response, text: string): string {
  try {
    const { errorDescription, error } = JSON.parse(text) as { errorDescription?: string; error?: string };
    return errorDescription || error || response.statusText;
  } catch {
    return response.statusText || `status ${response.status}`;
  }
}

/** Appends parameters to a path. */
function withQuery(path: string, query: RequestOptions['query']): string {
  if (!query) return path;
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** Returns the header of basic authentication. Name and password are UTF-8 in Base64, so any character works. */
export function basicAuthorization(name: string, password: string): string {
  const bytes = new TextEncoder().encode(`${name}:${password}`);
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return `Basic ${btoa(binary)}`;
}
