// Finds links in plain text.

export type Piece = string | { href: string; text: string };

const LINK = /\bhttps?:\/\/[^\s<>"'`]+/gi;
/** After so many characters no links are looked for. */
const MOST_CHARACTERS = 50_000;
/** What is longer is no link that anybody would open. */
const MOST_LINK_CHARACTERS = 4000;
/** Marks that end a sentence rather than a link. */
const TAIL = /[.,;:!?…*_~]+$/;

/** Splits a text into text and links. A closing bracket belongs to a link only if the link has the opening one. */
export function findLinks(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  const isLong = text.length > MOST_CHARACTERS;
  const searched = isLong ? text.slice(0, MOST_CHARACTERS) : text;
  for (const { 0: found, index } of searched.matchAll(LINK)) {
    // The last one may go on.
    if (found.length > MOST_LINK_CHARACTERS || (isLong && index + found.length === MOST_CHARACTERS)) continue;
    const link = trim(found);
    if (!URL.canParse(link)) continue;
    if (index > end) pieces.push(text.slice(end, index));
    pieces.push({ href: link, text: link });
    end = index + link.length;
  }
  if (end < text.length) pieces.push(text.slice(end));
  return pieces;
}

function trim(found: string): string {
  let link = found;
  for (;;) {
    const before = link;
    link = link.replace(TAIL, '');
    for (const [open, close] of ['()', '[]', '{}'] as unknown as [string, string][]) {
      if (link.endsWith(close) && count(link, close) > count(link, open)) link = link.slice(0, -1);
    }
    if (link === before) return link;
  }
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}
