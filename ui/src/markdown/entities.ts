// Characters that Markdown may name, such as `&lt;` and `&#8364;`.

const NAMED = new Map(
  Object.entries({
    amp: '&',
    apos: "'",
    bull: '•',
    cent: '¢',
    check: '✓',
    copy: '©',
    darr: '↓',
    deg: '°',
    divide: '÷',
    emsp: '\u2003',
    ensp: '\u2002',
    euro: '€',
    ge: '≥',
    gt: '>',
    harr: '↔',
    hellip: '…',
    infin: '∞',
    laquo: '«',
    larr: '←',
    ldquo: '“',
    le: '≤',
    lsquo: '‘',
    lt: '<',
    mdash: '—',
    middot: '·',
    nbsp: '\u00a0',
    ndash: '–',
    ne: '≠',
    para: '¶',
    plusmn: '±',
    pound: '£',
    quot: '"',
    raquo: '»',
    rarr: '→',
    rdquo: '”',
    reg: '®',
    rsquo: '’',
    sect: '§',
    szlig: 'ß',
    times: '×',
    trade: '™',
    uarr: '↑',
    yen: '¥',
  }),
);

/** Replaces them; names that are not known stay as they are. */
export function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(
    /&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|([a-z]{2,8}));/gi,
    (whole: string, hex?: string, decimal?: string, name?: string) => {
      if (name) return NAMED.get(name) ?? whole;
      return character(hex ? Number.parseInt(hex, 16) : Number(decimal));
    },
  );
}

function character(code: number): string {
  const isValid = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  return String.fromCodePoint(isValid ? code : 0xfffd);
}
