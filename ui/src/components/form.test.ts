import { expect, test } from 'vitest';
import { wholeNumber } from './form';

test('whole numbers within bounds are read, and nothing else', () => {
  expect(wholeNumber('', 7, 0, 10)).toBe(7);
  expect(wholeNumber(' 10 ', 7, 0, 10)).toBe(10);
  expect(wholeNumber('-3', 7, -3, 10)).toBe(-3);
  for (const text of ['11', '-1', '1.5', '1e1', 'x', '0x1', '٣', '+1']) {
    expect(wholeNumber(text, 7, 0, 10), text).toBeNull();
  }
});
