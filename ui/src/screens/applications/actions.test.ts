import { expect, test, vi } from 'vitest';
import type { Application } from '../../api/types';

const calls = vi.hoisted(() => ({ updateApplication: vi.fn(async (_id: number, _params: object) => {}) }));
vi.mock('../../api/application-changes', () => calls);
const { applications } = await import('../../state/applications');
const { keepCreated, moveApplication } = await import('./actions');

const list = (...ids: number[]) => ids.map((id) => ({ id, name: '', sortKey: `a${id}` }) as Application);
const ids = () => applications.value?.map(({ id }) => id);

test('the application that was taken is moved, although one before it was deleted meanwhile', async () => {
  applications.value = list(2, 3, 4);
  await moveApplication(4, 0);
  expect(ids()).toEqual([4, 2, 3]);
  expect(calls.updateApplication.mock.calls.map(([id]) => id)).toEqual([4]);
});

test('an application that was deleted meanwhile is not moved', async () => {
  applications.value = list(2, 3);
  await moveApplication(4, 0);
  expect(ids()).toEqual([2, 3]);
});

test('a new application is there once, whether the list was loaded again before or not', () => {
  applications.value = list(2, 3);
  keepCreated(list(4)[0] as Application);
  expect(ids()).toEqual([2, 3, 4]);
  keepCreated(list(4)[0] as Application);
  expect(ids()).toEqual([2, 3, 4]);
});
