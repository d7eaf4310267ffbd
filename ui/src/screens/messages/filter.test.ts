import { expect, test, vi } from 'vitest';

vi.stubGlobal('location', { hash: '' });
vi.stubGlobal('addEventListener', () => {});
const { parseHash } = await import('../../router');
const { readSearch, searchPath, toFilter } = await import('./filter');

const read = (hash: string) => readSearch(parseHash(hash));

test('an address and its search are the same', () => {
  for (const path of ['/messages', '/messages/3', '/messages/3?text=a+b%26&minpriority=5&from=2026-01-01']) {
    expect(searchPath(read(`#${path}`))).toBe(path);
  }
});

test('what is no application, priority or day is left out', () => {
  expect(toFilter(read('#/messages/x?minpriority=high&from=yesterday&text=++'))).toEqual({});
  expect(toFilter(read('#/messages/-1'))).toEqual({});
});

test('a search from and to a day has both days whole', () => {
  const { from, to } = toFilter(read('#/messages?from=2026-02-28&to=2026-02-28'));
  expect(Date.parse(to ?? '') - Date.parse(from ?? '')).toBe(24 * 3_600_000);
  expect(new Date(from ?? '').getHours()).toBe(0);
});
