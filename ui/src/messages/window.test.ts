import { expect, test } from 'vitest';
import type { Message } from '../api/types';
import { MessageWindow } from './window';

const message = (id: number): Message => ({ id, appid: 1, title: '', message: 'ab', priority: 0, date: '' });
const of = (...ids: number[]) => {
  const window = new MessageWindow();
  window.insert(ids.map(message));
  return window;
};
const ids = (window: MessageWindow) =>
  Array.from({ length: window.length }, (_, index) => window.at(index)?.message.id);

test('messages are ordered by id, the newest first, whatever order they come in', () => {
  const window = of(5, 9, 7);
  expect(window.insert([message(8), message(2), message(12), message(3)])).toBe(4);
  expect(ids(window)).toEqual([12, 9, 8, 7, 5, 3, 2]);
  expect([window.newestId, window.oldestId]).toEqual([12, 2]);
});

test('a message that comes twice is there once', () => {
  const window = of(4, 5);
  expect(window.insert([message(5), message(4), message(3), message(3), message(6), message(6)])).toBe(2);
  expect(ids(window)).toEqual([6, 5, 4, 3]);
  expect(window.characters).toBe(8);
});

test('a message is found by its id', () => {
  const window = of(2, 4, 6);
  expect([6, 4, 2].map((id) => window.indexOf(id))).toEqual([0, 1, 2]);
  expect([1, 3, 7].map((id) => window.indexOf(id))).toEqual([-1, -1, -1]);
  expect(window.at(-1)).toBeUndefined();
  expect(window.at(3)).toBeUndefined();
});

test('what is taken out is not counted any more', () => {
  const window = of(1, 2, 3, 4, 5);
  expect(window.remove(({ id }) => id % 2 === 0)).toBe(2);
  expect(ids(window)).toEqual([5, 3, 1]);
  window.keepNewest(2);
  expect(ids(window)).toEqual([5, 3]);
  window.keepOldest(1);
  expect(ids(window)).toEqual([3]);
  expect(window.characters).toBe(2);
});

test('an empty window has no ids', () => {
  const window = new MessageWindow();
  expect([window.newestId, window.oldestId, window.length, window.indexOf(1)]).toEqual([0, 0, 0, -1]);
});
