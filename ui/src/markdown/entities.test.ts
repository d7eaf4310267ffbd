import { expect, test } from 'vitest';
import { decodeEntities } from './entities';

test('characters are named by a word, a decimal or a hexadecimal number', () => {
  expect(decodeEntities('a &lt;b&gt; &amp;amp; &#8364; &#x1F600;')).toBe('a <b> &amp; € 😀');
});

test('what names no character stays, or becomes the replacement character', () => {
  expect(decodeEntities('a & b &unknown; &; &constructor;')).toBe('a & b &unknown; &; &constructor;');
  expect(decodeEntities('&#0;&#xD800;&#x110000;')).toBe('\ufffd\ufffd\ufffd');
});
