import type { ComponentChildren, VNode } from 'preact';
import { expect, test, vi } from 'vitest';

// The button of a picture needs a browser.
vi.mock('../components/RemotePicture', () => ({ RemotePicture: 'picture' }));
const { Markdown } = await import('./Markdown');

type Found = { type: string; props: Record<string, unknown> };

/** Returns the elements that a text is drawn with, and the text in them. */
function drawn(text: string): { elements: Found[]; text: string } {
  const elements: Found[] = [];
  let written = '';
  const walk = (child: ComponentChildren): void => {
    if (Array.isArray(child)) for (const one of child) walk(one);
    else if (typeof child === 'object' && child !== null) {
      const { type, props } = child as VNode<{ children?: ComponentChildren }>;
      if (typeof type === 'function') walk((type as (props: unknown) => ComponentChildren)(props));
      else {
        elements.push({ type: String(type), props });
        walk(props.children);
      }
    } else if (child !== null && child !== undefined && typeof child !== 'boolean') written += String(child);
  };
  walk(Markdown({ text, tabIndex: 0 }));
  return { elements, text: written };
}

const types = (text: string) => drawn(text).elements.map(({ type }) => type);
const links = (text: string) =>
  drawn(text).elements.flatMap(({ type, props }) => (type === 'a' ? [props.href] : []));

test('each form of Markdown has its element', () => {
  expect(types('# a *b* **c** ~~d~~ `e`')).toEqual(['div', 'h4', 'em', 'strong', 'del', 'code']);
  expect(types('- a\n- [x] b\n\n1. c')).toEqual(['div', 'ul', 'li', 'li', 'ol', 'li']);
  expect(types('> a\n\n```\nb\n```\n\n---')).toEqual(['div', 'blockquote', 'p', 'pre', 'code', 'hr']);
  expect(types('|a|\n|-|\n|b|')).toEqual(['div', 'div', 'table', 'thead', 'tr', 'th', 'tbody', 'tr', 'td']);
});

test('HTML is text', () => {
  const hostile =
    '<img src=x onerror=alert(1)> a <b onclick="x()">b</b>\n\n<script>alert(1)</script>\n\n<svg/onload=x>';
  expect(new Set(types(hostile))).toEqual(new Set(['div', 'p']));
  expect(drawn(hostile).text).toContain('<script>alert(1)</script>');
  expect(drawn(hostile).text).toContain('<b onclick="x()">b</b>');
});

test('links lead to the web, to mail and to telephones alone', () => {
  expect(links('[a](https://example.com/x "t") <mailto:a@b.de> https://b.c/')).toEqual([
    'https://example.com/x',
    'mailto:a@b.de',
    'https://b.c/',
  ]);
  const hostile = [
    '[a](javascript:alert(1))',
    '[a](java&#115;cript:alert(1))',
    '[a](JaVaScRiPt&colon;alert(1))',
    '[a](data:text/html,x)',
    '[a](vbscript:x)',
    '[a](/relative)',
    '[a]: javascript:alert(1)\n\n[a]',
  ];
  for (const text of hostile) expect(links(text), text).toEqual([]);
});

test('links open in a page of their own that does not know this one', () => {
  const [, , link] = drawn('[a](https://example.com/)').elements;
  expect(link?.props).toMatchObject({ target: '_blank', rel: 'noopener noreferrer' });
});

test('pictures are drawn by what asks first, and never inside of a link', () => {
  expect(types('![a](https://example.com/a.png)')).toEqual(['div', 'p', 'picture']);
  expect(types('![a](data:image/svg+xml,x)')).toEqual(['div', 'p']);
  expect(types('[![a](https://example.com/a.png)](https://example.com/)')).toEqual(['div', 'p', 'a']);
});

test('entities are characters, and markup made of them is none', () => {
  expect(drawn('&lt;b&gt; &amp;').text).toBe('<b> &');
  expect(types('&lt;b&gt;')).toEqual(['div', 'p']);
});

test('text that is nested without end is drawn to some depth', () => {
  const deep = `${'>'.repeat(300)} end`;
  expect(types(deep).length).toBeLessThan(100);
  expect(drawn(deep).text).toContain('end');
});
