import { afterEach, expect, test, vi } from 'vitest';
import { ApiError, NetworkError } from './errors';
import { basicAuthorization, request, setHooks } from './request';

afterEach(() => vi.unstubAllGlobals());

function answer(...answers: [number, string, Record<string, string>?][]) {
  const asked = vi.fn(async (_url: string, _init: RequestInit) => {
    const [status, body, headers] = answers.shift() ?? [500, ''];
    return new Response(body, { status, headers });
  });
  vi.stubGlobal('fetch', asked);
  return asked;
}

const error = (description: string) =>
  JSON.stringify({ error: 'x', errorCode: 1, errorDescription: description });

test('every character may be in a password', () => {
  const [, encoded = ''] = basicAuthorization('jürgen', 'pä:ß€😀').split(' ');
  expect(Buffer.from(encoded, 'base64').toString('utf8')).toBe('jürgen:pä:ß€😀');
});

test('parameters are in the URL, and those that are undefined are left out', async () => {
  const asked = answer([200, ''], [200, '']);
  await request('GET', 'a', { query: { appid: 1, text: 'x &y', none: undefined } });
  await request('GET', 'a', { query: { none: undefined } });
  expect(asked.mock.calls.map(([url]) => url)).toEqual(['a?appid=1&text=x+%26y', 'a']);
});

test('an empty answer is undefined', async () => {
  answer([200, '']);
  expect(await request('DELETE', 'message/1')).toBeUndefined();
});

test('a refusal has the words of the server', async () => {
  answer([429, error('too many'), { 'retry-after': '7' }]);
  const failure = await request('GET', 'message').catch((thrown: unknown) => thrown);
  expect(failure).toBeInstanceOf(ApiError);
  expect(failure).toMatchObject({ status: 429, description: 'too many', retryAfterSeconds: 7 });
});

test('a refusal of a proxy is reported by its status', async () => {
  answer([502, '<html>']);
  await expect(request('GET', 'message')).rejects.toMatchObject({ status: 502, description: 'status 502' });
});

test('no answer is an error of the network', async () => {
  vi.stubGlobal('fetch', async () => {
    throw new TypeError('Failed to fetch');
  });
  await expect(request('GET', 'message')).rejects.toBeInstanceOf(NetworkError);
});

test('a 401 ends the session, but not one that is about a password', async () => {
  const onUnauthorized = vi.fn();
  setHooks({ onUnauthorized });
  answer([401, error('no')], [401, error('no')]);
  await expect(request('POST', 'auth/local/login', { isLogin: true })).rejects.toBeInstanceOf(ApiError);
  expect(onUnauthorized).not.toHaveBeenCalled();
  await expect(request('GET', 'message')).rejects.toBeInstanceOf(ApiError);
  expect(onUnauthorized).toHaveBeenCalledOnce();
});

test('what needs an elevated session is repeated once the session is', async () => {
  const refusal = error('session not elevated, use basic auth or call /client:elevate');
  const asked = answer([403, refusal], [200, '{"id":1}'], [403, refusal]);
  setHooks({ elevate: async () => true });
  expect(await request('DELETE', 'client/1')).toEqual({ id: 1 });
  expect(asked).toHaveBeenCalledTimes(2);
  setHooks({ elevate: async () => false });
  await expect(request('DELETE', 'client/1')).rejects.toMatchObject({ status: 403 });
  expect(asked).toHaveBeenCalledTimes(3);
});

test('an answer that does not come within half a minute is an error of the network', async () => {
  const late = new AbortController();
  const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(late.signal);
  vi.stubGlobal('fetch', (_: string, { signal }: RequestInit) => {
    return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
  });
  const answer = request('GET', 'message').catch((error: unknown) => error);
  late.abort(new DOMException('', 'TimeoutError'));
  expect(await answer).toBeInstanceOf(NetworkError);
  expect(timeout).toHaveBeenCalledWith(30_000);
  timeout.mockClear();
  // What changes something may have been done, however late its answer is.
  void request('POST', 'message').catch(() => {});
  expect(timeout).not.toHaveBeenCalled();
  timeout.mockRestore();
});
