import { expect, test } from 'vitest';
import { Layout } from './layout';
import { MessageWindow } from './window';

function rows(...heights: number[]): MessageWindow {
  const window = new MessageWindow();
  window.insert(
    heights.map((_, id) => ({ id: id + 1, appid: 1, title: '', message: '', priority: 0, date: '' })),
  );
  heights.forEach((height, index) => {
    const row = window.at(index);
    if (row) row.height = height;
  });
  return window;
}

function layout(...heights: number[]): Layout {
  const made = new Layout();
  made.update(rows(...heights));
  return made;
}

test('rows follow on each other', () => {
  const made = layout(10, 20, 30);
  expect([0, 1, 2].map((index) => made.top(index))).toEqual([0, 10, 30]);
  expect(made.total).toBe(60);
});

test('a row that was not measured has the average height', () => {
  expect(layout(10, 0, 30).total).toBe(60);
  expect(layout(0, 0).total).toBe(192);
});

test('the rows of a stretch are found, and none outside the list', () => {
  const made = layout(10, 20, 30);
  expect(made.range(0, 5)).toEqual({ first: 0, end: 1 });
  expect(made.range(10, 29)).toEqual({ first: 1, end: 2 });
  expect(made.range(29, 31)).toEqual({ first: 1, end: 3 });
  expect(made.range(-100, 1000)).toEqual({ first: 0, end: 3 });
  expect(layout().range(0, 100)).toEqual({ first: 0, end: 0 });
});

test('a list that grows and shrinks is placed anew', () => {
  const made = layout(10);
  made.update(rows(1, 2, 3, 4, 5));
  expect(made.total).toBe(15);
  made.update(rows(7));
  expect(made.total).toBe(7);
});
