import { expect, test } from 'vitest';
import { changedKeys, moved, shownOrder } from './order';
import { keyBetween } from './sort-key';

function ordered(keys: string[]) {
  return keys.map((sortKey, index) => ({ id: index + 1, sortKey }));
}

test("moving an item changes one key, which lies between its neighbors' keys", () => {
  const list = moved(ordered(['a0', 'a1', 'a2', 'a3']), 3, 1);
  expect(list.map(({ id }) => id)).toEqual([1, 4, 2, 3]);
  expect(changedKeys(list, 1)).toEqual([{ id: 4, sortKey: 'a0V' }]);
  expect(changedKeys(moved(ordered(['a0', 'a1']), 1, 0), 0)).toEqual([{ id: 2, sortKey: 'Zz' }]);
  expect(changedKeys(moved(ordered(['a0', 'a1']), 0, 1), 1)).toEqual([{ id: 1, sortKey: 'a2' }]);
});

test('where neighbors leave no room, all items get ascending keys that nobody has', () => {
  const changed = changedKeys(ordered(['a1', '!', 'ü', 'a0']), 1);
  expect(changed).toEqual([
    { id: 1, sortKey: 'a2' },
    { id: 2, sortKey: 'a3' },
    { id: 3, sortKey: 'a4' },
    { id: 4, sortKey: 'a5' },
  ]);
});

test('a list that is shuffled ten thousand times stays in the order of its keys', () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.floor((seed / 2147483648) * below);
  };
  let list = ordered(['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6']);
  for (let round = 0; round < 10_000; round += 1) {
    const to = random(list.length);
    list = moved(list, random(list.length), to);
    const changed = new Map(changedKeys(list, to).map(({ id, sortKey }) => [id, sortKey]));
    list = list.map((item) => ({ ...item, sortKey: changed.get(item.id) ?? item.sortKey }));
    const keys = list.map(({ sortKey }) => sortKey);
    expect(keys).toEqual([...new Set(keys)].sort());
    expect(Math.max(...keys.map((key) => key.length))).toBeLessThanOrEqual(255);
  }
});

test('keys count through the lengths of their integers, up and down', () => {
  for (const [below, above, key] of [
    [null, null, 'a0'],
    ['a0', null, 'a1'],
    ['az', null, 'b00'],
    ['bzz', null, 'c000'],
    ['Zz', null, 'a0'],
    ['Yzz', null, 'Z0'],
    [null, 'a0', 'Zz'],
    [null, 'Z0', 'Yzz'],
    [null, 'b00', 'az'],
    [null, 'a0V', 'a0'],
    ['a0', 'a1', 'a0V'],
    ['a0', 'a0V', 'a0G'],
    ['a0', 'a0G', 'a08'],
    ['a0', 'a01', 'a00V'],
    ['a0y', 'a1', 'a0z'],
    ['a0z', 'a1', 'a0zV'],
    ['a0', 'a2', 'a1'],
  ] as const) {
    expect(keyBetween(below, above), `${below} to ${above}`).toBe(key);
  }
});

test('there is no key between keys of another form, or in the wrong order', () => {
  for (const [below, above] of [
    ['ü', null],
    [null, '!!'],
    ['', 'a0'],
    ['b0', null],
    ['a00', null],
    ['a1', 'a0'],
    ['a0', 'a0'],
    [null, `A${'0'.repeat(26)}`],
  ] as const) {
    expect(keyBetween(below, above), `${below} to ${above}`).toBeNull();
  }
});

test('a row that is moved keeps its place in the hand, whatever comes and goes meanwhile', () => {
  const moving = { id: 3, to: 0 };
  expect(shownOrder([1, 2, 3, 4], moving)).toEqual([3, 1, 2, 4]);
  expect(shownOrder([2, 3, 4], moving)).toEqual([3, 2, 4]);
  expect(shownOrder([5, 1, 2, 3], moving)).toEqual([3, 5, 1, 2]);
  expect(shownOrder([1, 2], moving)).toEqual([1, 2]);
  expect(shownOrder([1, 3], { id: 1, to: 9 })).toEqual([3, 1]);
  expect(shownOrder([1, 2], null)).toEqual([1, 2]);
});
