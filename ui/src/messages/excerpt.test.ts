import { expect, test } from 'vitest';
import type { Message } from '../api/types';
import { excerptOf } from './excerpt';

const message = (text: string, title = '', contentType = 'text/markdown'): Message => ({
  id: 1,
  appid: 1,
  title,
  message: text,
  priority: 0,
  date: '',
  extras: { 'client::display': { contentType } },
});

test('a short message is drawn whole', () => {
  const short = { text: 'a', isMarkdown: true, isTooLong: false, isTextCut: false, isTitleCut: false };
  expect(excerptOf(message('a', 'b'), false)).toEqual(short);
});

test('a long text is cut, by its characters or its lines, until it is shown whole', () => {
  const long = message('a'.repeat(7000));
  expect(excerptOf(long, false)).toMatchObject({ text: 'a'.repeat(6000), isTextCut: true });
  expect(excerptOf(long, true)).toMatchObject({ text: 'a'.repeat(7000), isTextCut: false });
  expect(excerptOf(message('a\n'.repeat(23)), false).isTextCut).toBe(false);
  expect(excerptOf(message('a\n'.repeat(24)), false).isTextCut).toBe(true);
});

test('a long title is cut until the message is shown whole', () => {
  const titled = message('', 'a'.repeat(161));
  expect([excerptOf(titled, false).isTitleCut, excerptOf(titled, true).isTitleCut]).toEqual([true, false]);
  expect(excerptOf(message('', 'a'.repeat(160)), false).isTitleCut).toBe(false);
});

test('Markdown that is too long to be drawn is shown as it was written', () => {
  const long = message('a'.repeat(50_001));
  expect(excerptOf(long, false)).toMatchObject({ isMarkdown: true, isTooLong: false });
  expect(excerptOf(long, true)).toMatchObject({ isMarkdown: false, isTooLong: true });
  expect(excerptOf(message('a'.repeat(50_001), '', 'text/plain'), true).isTooLong).toBe(false);
});
