// What can go wrong with a request.

/** The server's answer to a request that it refused. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    /** The HTTP status. */
    readonly status: number,
    /** What the server says was wrong, in its words (`errorDescription` of Gotify's error object). */
    readonly description: string,
    /** After how many seconds the server wants to be asked again. */
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(description);
  }

  /** Whether the session has to be elevated, which takes the password again. */
  get needsElevation(): boolean {
    return this.status === 403 && this.description.startsWith('session not elevated');
  }
}

/** No answer came: the server or the network is away. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
}

/** What went wrong, in words of the page that are shown as they are. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

/** Whether the credentials were refused: those of the session, or a password. */
export function isUnauthorized(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

/** For `catch`: says what a 401 means where a password was sent along. */
export function unauthorizedMeans(text: string): (error: unknown) => never {
  return (error) => {
    throw isUnauthorized(error) ? new Refusal(text) : error;
  };
}

/** Whether a request was ended by an `AbortSignal` of the page. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** Whether the person has given a request up, or the session in which it was made is over. */
export function isGivenUp(error: unknown): boolean {
  return isAbort(error) || (error instanceof ApiError && error.needsElevation);
}

/** Whether the same request may succeed later: no answer came, or the server or a proxy is overloaded or restarts. */
export function isTemporary(error: unknown): boolean {
  if (error instanceof NetworkError) return true;
  return error instanceof ApiError && (error.status === 429 || error.status >= 500);
}
