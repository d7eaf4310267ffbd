import { expect, test, vi } from 'vitest';

vi.stubGlobal('location', { hash: '' });
vi.stubGlobal('addEventListener', () => {});
const { parseHash } = await import('../../router');
const { problemOf, readSearch, searchPath, toFilter } = await import('./filter');

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

test('the last word may be unfinished, unless a space or a * ends it', () => {
  const asked = (text: string) => toFilter({ ...read('#/messages'), text }).text;
  expect(['disk fu', ' disk', 'disk ', 'disk*', '"disk"', '磁'].map(asked)).toEqual([
    'disk fu*',
    'disk*',
    'disk',
    'disk*',
    '"disk"',
    '磁*',
  ]);
});

test('what the server would refuse is known before', () => {
  const problem = (changed: object) => problemOf({ ...read('#/messages'), ...changed });
  const words = (count: number, word: string) => Array.from({ length: count }, () => word).join(' ');
  expect([problem({}), problem({ text: '  ' }), problem({ text: 'é' }), problem({ text: '7' })]).toEqual([
    null,
    null,
    null,
    null,
  ]);
  expect([problem({ text: '*' }), problem({ text: '🎉 ?!' })]).toEqual(['search.noWord', 'search.noWord']);
  expect([problem({ text: words(32, 'a') }), problem({ text: words(33, 'a') })]).toEqual([
    null,
    'search.tooManyWords',
  ]);
  expect(problem({ text: '磁'.repeat(33) })).toBe('search.tooManyWords');
  const day = '2026-02-28';
  expect([problem({ from: day, to: day }), problem({ from: day, to: '2026-02-27' })]).toEqual([
    null,
    'search.daysReversed',
  ]);
});
