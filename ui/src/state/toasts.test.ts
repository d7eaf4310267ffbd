import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiError } from '../api/errors';
import { closeToast, holdToast, runLastToast, toast, toastError, toasts } from './toasts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  for (const { id } of toasts.value) closeToast(id);
  vi.useRealTimers();
});

const shown = () => toasts.value.map(({ text }) => text);

test('a notice stays for as long as it has the pointer or the focus', async () => {
  const id = toast('kept');
  toast('other');
  holdToast(id, true);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(shown()).toEqual(['kept']);
  holdToast(id, false);
  await vi.advanceTimersByTimeAsync(5000);
  expect(shown()).toEqual([]);
});

test('many notices do not push out the one that is held', () => {
  holdToast(toast('kept'), true);
  for (const text of ['1', '2', '3']) toast(text);
  expect(shown()).toEqual(['kept', '2', '3']);
});

test('the last action is run once, and not when its notice goes away', () => {
  const run = vi.fn();
  const onClose = vi.fn();
  toast('first', { action: { label: 'Undo', run }, onClose });
  toast('second');
  runLastToast();
  runLastToast();
  expect([run.mock.calls.length, onClose.mock.calls.length, shown()]).toEqual([1, 0, ['second']]);
});

test('what was given up is no error', () => {
  toastError(new ApiError(403, 'session not elevated, use basic auth or call /client:elevate'));
  toastError(new DOMException('', 'AbortError'));
  expect(shown()).toEqual([]);
  toastError(new ApiError(403, 'you are no administrator'));
  expect(shown()).toHaveLength(1);
});
