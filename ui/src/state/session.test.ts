import { beforeEach, expect, test, vi } from 'vitest';
import { ApiError, NetworkError } from '../api/errors';
import type { CurrentUser, Overview } from '../api/types';

const fakes = vi.hoisted(() => ({ fetchOverview: vi.fn(), fetchUser: vi.fn(), reload: vi.fn() }));
vi.mock('../api/overview', () => fakes);
vi.mock('../api/session', () => fakes);
vi.stubGlobal('location', { reload: fakes.reload });
vi.useFakeTimers();
const { loadOverview, overview, overviewError, reloadUser, user } = await import('./session');

const admin = { id: 1, name: 'admin', admin: true } as CurrentUser;
const answer = (user: CurrentUser | null) => ({ version: '', user }) as Overview;

beforeEach(() => {
  vi.resetAllMocks();
  overview.value = null;
});

test('the overview is asked for with longer and longer waits, until it comes', async () => {
  fakes.fetchOverview.mockRejectedValue(new NetworkError(''));
  const loading = loadOverview();
  await vi.advanceTimersByTimeAsync(60_000);
  const calls = fakes.fetchOverview.mock.calls.length;
  expect([overviewError.value instanceof NetworkError, calls > 5, calls < 15]).toEqual([true, true, true]);
  // Who presses the button does not wait, and asks no second time at once.
  fakes.fetchOverview.mockResolvedValue(answer(null));
  void loadOverview();
  await vi.advanceTimersByTimeAsync(0);
  await loading;
  expect([overview.value, fakes.fetchOverview.mock.calls.length]).toEqual([answer(null), calls + 1]);
});

test('a refusal is not asked for again by itself, but by the person', async () => {
  fakes.fetchOverview.mockRejectedValue(new ApiError(403, 'no'));
  await loadOverview();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(fakes.fetchOverview).toHaveBeenCalledOnce();
  fakes.fetchOverview.mockResolvedValue(answer(admin));
  await loadOverview();
  expect(user.value).toEqual(admin);
});

test('an overview that comes late does not undo a login', async () => {
  let late = (_: Overview) => {};
  fakes.fetchOverview.mockReturnValue(
    new Promise((resolve) => {
      late = resolve;
    }),
  );
  const loading = loadOverview();
  overview.value = answer(admin);
  late(answer(null));
  await loading;
  expect(user.value).toEqual(admin);
});

test('a page of which somebody else is logged in now is loaded again, and keeps nothing of theirs', async () => {
  overview.value = answer(admin);
  fakes.fetchUser.mockResolvedValue({ ...admin, elevatedUntil: 'soon' });
  await reloadUser();
  expect([user.value?.elevatedUntil, fakes.reload.mock.calls.length]).toEqual(['soon', 0]);
  fakes.fetchUser.mockResolvedValue({ ...admin, id: 2 });
  await reloadUser();
  expect([user.value?.id, fakes.reload.mock.calls.length]).toEqual([1, 1]);
});
