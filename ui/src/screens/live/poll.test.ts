import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiError, NetworkError } from '../../api/errors';

const calls = vi.hoisted(() => ({ request: vi.fn() }));
vi.mock('../../api/request', () => calls);
const page = Object.assign(new EventTarget(), { hidden: false });
vi.stubGlobal('document', page);
vi.useFakeTimers();
const { poll } = await import('./poll');

let end = () => {};
const onAnswer = vi.fn();
const onError = vi.fn();

beforeEach(() => {
  vi.resetAllMocks();
  page.hidden = false;
  calls.request.mockResolvedValue({});
});
afterEach(() => end());

/** How often the server is asked in so many seconds. */
async function asked(seconds: number): Promise<number> {
  const before = calls.request.mock.calls.length;
  await vi.advanceTimersByTimeAsync(seconds * 1000);
  return calls.request.mock.calls.length - before;
}

test('the server is asked every two seconds while the page is visible', async () => {
  end = poll(onAnswer, onError);
  expect([await asked(9), onAnswer.mock.calls.length]).toEqual([4, 5]);
  page.hidden = true;
  await asked(2);
  expect(await asked(60)).toBe(0);
  page.hidden = false;
  page.dispatchEvent(new Event('visibilitychange'));
  expect(await asked(1)).toBe(0);
  expect(await asked(4)).toBe(2);
  end();
  expect(await asked(60)).toBe(0);
});

test('a server that is away is asked less and less often, and as often as before when it is back', async () => {
  calls.request.mockRejectedValue(new NetworkError(''));
  end = poll(onAnswer, onError);
  await asked(120);
  expect(await asked(120)).toBeLessThan(10);
  calls.request.mockResolvedValue({});
  await asked(31);
  expect(await asked(20)).toBe(10);
});

test('the server says how long to wait', async () => {
  calls.request.mockRejectedValueOnce(new ApiError(429, '', 50));
  end = poll(onAnswer, onError);
  expect(await asked(49)).toBe(0);
  expect(await asked(2)).toBe(1);
});

test('a refusal that will not pass is not asked for again', async () => {
  calls.request.mockRejectedValue(new ApiError(403, 'no'));
  end = poll(onAnswer, onError);
  expect([await asked(120), onError.mock.calls.length]).toEqual([0, 1]);
});
