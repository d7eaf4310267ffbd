import { expect, test } from 'vitest';
import type { Extras, Message } from '../api/types';
import { actionsOf, clickUrl, describeRequest, isMarkdown, pictureUrl } from './extras';

const message = (extras: unknown): Message => {
  return { id: 1, appid: 1, title: '', message: '', priority: 0, date: '', extras: extras as Extras };
};
const click = (url: unknown) => clickUrl(message({ 'client::notification': { click: { url } } }));
const actions = (...list: unknown[]) => actionsOf(message({ 'shardcast::actions': list }));

test('a click opens links that can do no harm, and nothing else', () => {
  expect(click('https://example.com/a b')).toBe('https://example.com/a%20b');
  expect(click('mailto:a@example.com')).toBe('mailto:a@example.com');
  for (const url of [
    'javascript:alert(1)',
    ' java\nscript:alert(1)',
    'data:text/html,x',
    'blob:x',
    '/a',
    7,
    null,
  ]) {
    expect(click(url)).toBeNull();
  }
});

test('pictures come over HTTP alone', () => {
  const picture = (bigImageUrl: unknown) => pictureUrl(message({ 'client::notification': { bigImageUrl } }));
  expect(picture('https://example.com/a.png')).toBe('https://example.com/a.png');
  expect(picture('data:image/svg+xml,x')).toBeNull();
});

test('extras of any form are survived', () => {
  for (const extras of [
    undefined,
    null,
    7,
    'x',
    [],
    { 'client::notification': 7, 'shardcast::actions': {} },
  ]) {
    const odd = message(extras);
    expect([clickUrl(odd), pictureUrl(odd), isMarkdown(odd), actionsOf(odd)]).toEqual([
      null,
      null,
      false,
      [],
    ]);
  }
});

test('markdown is named by its content type', () => {
  expect(isMarkdown(message({ 'client::display': { contentType: 'text/markdown' } }))).toBe(true);
  expect(isMarkdown(message({ 'client::display': { contentType: 'text/plain' } }))).toBe(false);
});

test('buttons are read, and what is unknown or wrong is left out', () => {
  expect(
    actions(
      { type: 'open', label: 'Open', url: 'https://example.com/' },
      { type: 'copy', label: 'Copy', text: '123' },
      { type: 'request', label: 'Go', url: 'http://a/', method: 'put', headers: { 'X-A': 1 }, body: 'b' },
      { type: 'open', label: 'Bad', url: 'javascript:alert(1)' },
      { type: 'open', label: ' ', url: 'https://example.com/' },
      { type: 'request', label: 'Bad', url: 'http://a/', method: 'GET /\r\n' },
      { type: 'launch', label: 'Unknown', url: 'https://example.com/' },
      null,
    ),
  ).toEqual([
    { type: 'open', label: 'Open', url: 'https://example.com/' },
    { type: 'copy', label: 'Copy', text: '123' },
    { type: 'request', label: 'Go', url: 'http://a/', method: 'PUT', headers: { 'X-A': '1' }, body: 'b' },
  ]);
});

test('there are five buttons at most', () => {
  expect(actions(...Array(9).fill({ type: 'copy', label: 'Copy', text: 'x' }))).toHaveLength(5);
});

test('a button whose request no browser would send is left out', () => {
  const request = (changed: object) =>
    actions({ type: 'request', label: 'Go', url: 'http://a/', ...changed }).length;
  for (const method of ['TRACE', 'connect', 'Track']) expect(request({ method }), method).toBe(0);
  for (const headers of [{ 'X A': '1' }, { '': '1' }, { 'X-A': 'a\nb' }, { 'X-A': 'ł' }]) {
    expect(request({ headers }), JSON.stringify(headers)).toBe(0);
  }
  expect(request({ method: 'delete', headers: { 'X-A': 'a b' } })).toBe(1);
});

test('a request is described with the names of its headers, not their values', () => {
  const request = { type: 'request', label: 'Go', url: 'http://a/', method: 'POST' } as const;
  expect(describeRequest(request)).toBe('POST http://a/');
  expect(describeRequest({ ...request, headers: { 'X-Key': 'secret' }, body: '{}' })).toBe(
    'POST http://a/\nX-Key: …\n\n{}',
  );
});
