import { expect, test } from 'vitest';
import { format, once } from './format';

test('values take the places that are named after them', () => {
  expect(format('{name} has {count} streams, {unknown}', { name: 'a{count}', count: 1234 }, 'en')).toBe(
    'a{count} has 1,234 streams, {unknown}',
  );
});

test('a plural is chosen as the language has it', () => {
  const text = { one: '{count} message', other: '{count} messages' };
  expect(format(text, { count: 1 }, 'en')).toBe('1 message');
  expect(format(text, { count: 0 }, 'en')).toBe('0 messages');
  expect(format(text, { count: 1500 }, 'de')).toBe('1.500 messages');
});

test('what takes long to make is made once for each language', () => {
  const made: string[] = [];
  const of = once((language) => made.push(language));
  expect([of('en'), of('de'), of('en'), of('de')]).toEqual([1, 2, 1, 2]);
  expect(made).toEqual(['en', 'de']);
});
