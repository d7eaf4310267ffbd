// The page's texts: `t('area.name', { values })`.
//
// To add a language: copy `text/de.ts` and the folder `text/de`, translate the values (the keys stay), and add a line
// to `LANGUAGES`. `npm run types` finds keys that are missing. A text with numbers has the forms that
// `Intl.PluralRules` names for the language (`one`, `few`, `many`, `other`, …), chosen by the value `count`.
import { computed, signal } from '@preact/signals';
import { language } from './state/settings';
import type { HalvesOfDay } from './text/dates';
import { en } from './text/en';
import { format, type Plural, type Values } from './text/format';

export type Key = keyof typeof en;
export type Text = string | Plural;
export type Texts = Record<Key, Text>;

/** Each with its own name, what it calls the halves of a day if it counts 12 hours, and what loads its texts. */
type Language = { name: string; halves?: HalvesOfDay; load: () => Promise<Texts> };

export const LANGUAGES: Record<string, Language> = {
  en: { name: 'English', halves: ['AM', 'PM'], load: async () => en },
  de: { name: 'Deutsch', load: async () => (await import('./text/de')).de },
};

const loaded = signal<{ code: string; texts: Texts }>({ code: 'en', texts: en });

/** The language of the texts, as the chosen one or the browser's first known one. */
export const wantedLanguage = computed(() => {
  return language.value in LANGUAGES ? language.value : browserLanguage();
});

/** The first known language that the browser prefers. */
export function browserLanguage(): string {
  const preferred = navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase());
  return preferred.find((code) => code in LANGUAGES) ?? 'en';
}

/** The language that is shown now. */
export const shownLanguage = computed(() => loaded.value.code);

/** Shows the wanted language, once its texts came. If they do not come, the shown one stays. */
export async function loadLanguage(): Promise<void> {
  const code = wantedLanguage.value;
  const texts = await LANGUAGES[code]?.load();
  if (!texts || code !== wantedLanguage.value) return;
  loaded.value = { code, texts };
  document.documentElement.lang = code;
}

/** Returns a text of the shown language, with `{name}` replaced by the values. */
export function t(key: Key, values?: Values): string {
  const { code, texts } = loaded.value;
  return format(texts[key], values, code);
}
