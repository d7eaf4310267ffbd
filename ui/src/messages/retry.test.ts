import { signal } from '@preact/signals';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiError, NetworkError } from '../api/errors';
import type { MessageList } from './list';
import { keepLoading, retryNow, untilAnswered } from './retry';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function failing(error: unknown) {
  const status = signal<'loading' | 'ready' | 'failed'>('failed');
  const load = vi.fn(() => {
    status.value = 'loading';
    status.value = 'failed';
  });
  const list = { status, error: signal(error), load };
  return { status, load, end: keepLoading(list as unknown as MessageList) };
}

test('a list is loaded again by itself as long as the failure may pass', async () => {
  for (const error of [new NetworkError(''), new ApiError(503, ''), new ApiError(429, '', 0)]) {
    const { load, status, end } = failing(error);
    await vi.advanceTimersByTimeAsync(3000);
    expect(load.mock.calls.length).toBeGreaterThan(1);
    status.value = 'ready';
    const before = load.mock.calls.length;
    await vi.advanceTimersByTimeAsync(100_000);
    expect(load).toHaveBeenCalledTimes(before);
    end();
  }
  const { load } = failing(new ApiError(404, ''));
  await vi.advanceTimersByTimeAsync(100_000);
  expect(load).not.toHaveBeenCalled();
});

test('a server that says when to ask again is not asked before', async () => {
  const { load, end } = failing(new ApiError(429, '', 60));
  await vi.advanceTimersByTimeAsync(59_999);
  expect(load).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(load).toHaveBeenCalledTimes(1);
  end();
});

test('a request that must be answered is made again, and at once when the server is there', async () => {
  const ask = vi
    .fn()
    .mockRejectedValueOnce(new ApiError(503, '', 600))
    .mockResolvedValue('answer');
  const asking = untilAnswered(ask, () => true);
  await vi.advanceTimersByTimeAsync(1000);
  expect(ask).toHaveBeenCalledTimes(1);
  retryNow();
  expect(await asking).toBe('answer');
  expect(ask).toHaveBeenCalledTimes(2);
});

test('what is not wanted any more, or was refused for good, is not asked again', async () => {
  let isWanted = true;
  const ask = vi.fn().mockRejectedValue(new NetworkError(''));
  const asking = untilAnswered(ask, () => isWanted);
  await vi.advanceTimersByTimeAsync(0);
  isWanted = false;
  retryNow();
  expect(await asking).toBeUndefined();
  ask.mockRejectedValue(new ApiError(403, ''));
  await expect(untilAnswered(ask, () => true)).rejects.toThrow();
});
