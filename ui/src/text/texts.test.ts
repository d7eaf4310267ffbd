import { expect, test } from 'vitest';
import { de } from './de';
import { en } from './en';
import type { Plural } from './format';

const texts = Object.keys(en) as (keyof typeof en)[];

function forms(text: string | Plural): string[] {
  return typeof text === 'string' ? [text] : Object.values(text);
}

function places(text: string | Plural): string[] {
  return [...new Set(forms(text).flatMap((form) => form.match(/\{\w+\}/g) ?? []))].sort();
}

test('a translation has the values of its original, and no others', () => {
  for (const key of texts) expect(places(de[key]), key).toEqual(places(en[key]));
});

test('a text with forms has all that its language distinguishes', () => {
  for (const [language, texts] of Object.entries({ en, de })) {
    const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories.sort();
    for (const [key, text] of Object.entries(texts)) {
      if (typeof text !== 'string') expect(Object.keys(text).sort(), key).toEqual(categories);
    }
  }
});

test('no text is empty, or has blanks at its ends', () => {
  for (const text of [...Object.values(en), ...Object.values(de)].flatMap(forms)) {
    expect(text.trim()).toBe(text);
    expect(text).not.toBe('');
  }
});

test('every text is used', () => {
  const sources = import.meta.glob<string>(['../**/*.{ts,tsx}', '!../**/*.test.*', '!./en/*', '!./de/*'], {
    query: '?raw',
    import: 'default',
    eager: true,
  });
  const source = Object.values(sources).join('\n');
  expect(source).toContain("t('nav.main')");
  // Such as `connection.${state}`.
  const beginnings = [...source.matchAll(/`(\w+\.)\$\{/g)].map(([, beginning]) => beginning ?? '');
  const isUsed = (key: string) =>
    source.includes(`'${key}'`) || beginnings.some((beginning) => key.startsWith(beginning));
  expect(texts.filter((key) => !isUsed(key))).toEqual([]);
});
