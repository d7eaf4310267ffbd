import { beforeEach, expect, test, vi } from 'vitest';
import type { Application } from '../api/types';

const fakes = vi.hoisted(() => ({ listApplications: vi.fn(), listApplicationStates: vi.fn() }));
vi.mock('../api/applications', () => fakes);
const { applications, applicationStates, areApplicationsAsked, ...state } = await import('./applications');
const { clearApplications, reloadApplications, reloadApplicationStates } = state;

const named = (name: string) => [{ name } as Application];
const names = () => applications.value?.map(({ name }) => name);

/** Makes the next requests wait; each is answered by its place. */
function requests(fake = fakes.listApplications) {
  const answers: ((answer: unknown) => void)[] = [];
  const refusals: ((error: Error) => void)[] = [];
  fake.mockImplementation(
    () =>
      new Promise((resolve, reject) => {
        answers.push(resolve);
        refusals.push(reject);
      }),
  );
  return { answers, refusals };
}

beforeEach(() => {
  vi.resetAllMocks();
  clearApplications();
});

test('who asks while an answer is awaited gets a newer one', async () => {
  const { answers } = requests();
  const first = reloadApplications();
  const others = Promise.all([reloadApplications(), reloadApplications()]);
  answers[0]?.(named('old'));
  await first;
  expect(names()).toEqual(['old']);
  await vi.waitUntil(() => answers.length === 2);
  answers[1]?.(named('new'));
  await others;
  expect([names(), answers.length]).toEqual([['new'], 2]);
});

test('one request follows the other, also after a refusal', async () => {
  const { answers, refusals } = requests();
  const first = reloadApplications().catch(() => 'refused');
  const second = reloadApplications();
  refusals[0]?.(new Error('no'));
  expect([await first, areApplicationsAsked.value]).toEqual(['refused', true]);
  await Promise.resolve();
  answers[1]?.(named('new'));
  await second;
  expect(names()).toEqual(['new']);
});

test('answers to the requests of a user who is gone are not kept', async () => {
  const { answers } = requests();
  const { answers: states } = requests(fakes.listApplicationStates);
  const late = Promise.all([reloadApplications(), reloadApplications(), reloadApplicationStates()]);
  clearApplications();
  const own = reloadApplications();
  answers[0]?.(named('theirs'));
  states[0]?.([{ id: 1 }]);
  await late;
  expect([applications.value, applicationStates.value, areApplicationsAsked.value]).toEqual([
    null,
    null,
    false,
  ]);
  answers[1]?.(named('own'));
  await own;
  expect([names(), answers.length]).toEqual([['own'], 2]);
});
