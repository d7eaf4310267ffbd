// Puts values into texts.

export type Values = Record<string, string | number>;

/** The forms of a text by its value `count`. */
export type Plural = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

/** Returns a text in its form for `count`, with `{name}` replaced by values; numbers are written as the language does. */
export function format(text: string | Plural, values: Values | undefined, language: string): string {
  const chosen = typeof text === 'string' ? text : choose(text, values, language);
  if (!values) return chosen;
  return chosen.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? number(value, language) : value;
  });
}

function choose(text: Plural, values: Values | undefined, language: string): string {
  const count = Number(values?.count ?? 0);
  return text[pluralRules(language).select(count)] ?? text.other;
}

/** Small numbers are digits in every language of the page. The first format for numbers takes a browser 15 ms to make. */
function number(value: number, language: string): string {
  const isSmall = Number.isInteger(value) && Math.abs(value) < 1000;
  return isSmall ? String(value) : numberFormat(language).format(value);
}

const numberFormat = once((language) => new Intl.NumberFormat(language));
const pluralRules = once((language) => new Intl.PluralRules(language));

/** Makes one of something for each language: the browser takes long to make them. */
export function once<T>(make: (language: string) => T): (language: string) => T {
  const made = new Map<string, T>();
  return (language) => {
    const known = made.get(language);
    if (known !== undefined) return known;
    const created = make(language);
    made.set(language, created);
    return created;
  };
}
