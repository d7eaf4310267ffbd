import { expect, test } from 'vitest';
import { findLinks } from './links';

const links = (text: string) =>
  findLinks(text).flatMap((piece) => (typeof piece === 'string' ? [] : piece.href));

test('the pieces make the text again', () => {
  const text = 'See https://example.com/a?b=c#d, (http://x.org/y_(z)) and HTTPS://EXAMPLE.COM.';
  expect(
    findLinks(text)
      .map((piece) => (typeof piece === 'string' ? piece : piece.text))
      .join(''),
  ).toBe(text);
  expect(links(text)).toEqual(['https://example.com/a?b=c#d', 'http://x.org/y_(z)', 'HTTPS://EXAMPLE.COM']);
});

test('marks at the end of a sentence are no part of a link', () => {
  expect(links('https://a.b/c). https://a.b/d!? [https://a.b/e]')).toEqual([
    'https://a.b/c',
    'https://a.b/d',
    'https://a.b/e',
  ]);
});

test('only web addresses are links', () => {
  expect(findLinks('javascript:alert(1) ftp://a.b file:///c xhttps://a.b')).toHaveLength(1);
  expect(findLinks('')).toEqual([]);
});

test('a text without end has links in its first part, none of them cut', () => {
  const pad = (count: number) => ' '.repeat(count);
  const inside = `https://a.b/${pad(49_000)}`;
  const across = `${inside}${pad(49_995 - inside.length)}https://a.b/c${pad(9)}https://a.b/d`;
  expect(links(across)).toEqual(['https://a.b/']);
  expect(findLinks(across).at(-1)).toBe(across.slice('https://a.b/'.length));
  expect(links(`https://a.b/${')'.repeat(40_000)}`)).toEqual([]);
});
