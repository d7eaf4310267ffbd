import { beforeEach, expect, test, vi } from 'vitest';
import { NetworkError } from './api/errors';
import type { Overview } from './api/types';

const calls = vi.hoisted(() => ({ request: vi.fn(), requestPermission: vi.fn(), register: vi.fn() }));
vi.mock('./api/request', () => calls);
vi.stubGlobal('Notification', { permission: 'default', requestPermission: calls.requestPermission });
vi.stubGlobal('navigator', { serviceWorker: { register: calls.register, ready: new Promise(() => {}) } });
vi.useFakeTimers();
const { enablePush, pushState } = await import('./push');
const { overview } = await import('./state/session');

beforeEach(() => {
  vi.resetAllMocks();
  pushState.value = 'off';
  overview.value = { push: { publicKey: 'AAAA' } } as Overview;
});

test('who leaves the question of the browser open may be asked again', async () => {
  calls.requestPermission.mockResolvedValue('default');
  await enablePush();
  expect(pushState.value).toBe('off');
  calls.requestPermission.mockResolvedValue('denied');
  await enablePush();
  expect(pushState.value).toBe('denied');
});

test('a service worker that can not be installed, or does not start, is an error', async () => {
  calls.requestPermission.mockResolvedValue('granted');
  calls.register.mockRejectedValueOnce(new TypeError('no script'));
  await expect(enablePush()).rejects.toThrow('no script');
  const starting = expect(enablePush()).rejects.toBeInstanceOf(NetworkError);
  await vi.advanceTimersByTimeAsync(30_000);
  await starting;
  expect(calls.request).not.toHaveBeenCalled();
});
