// Sort keys: texts that order a user's applications, with room for a new key between any two.
//
// The server compares keys byte by byte, and appends new ones by itself (`src/store/sort_key.rs`). A key is an
// integer of varying length in base 62, then perhaps a fraction. The first letter says how many digits the integer
// has: `a` one, `b` two, up to `z`; `Z` one, `Y` two, down to `A`, for integers below zero. Gotify's page makes the
// same keys, so lists that were ordered here can be ordered there.

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const FIRST = 'a0';
const LOWEST_INTEGER = `A${'0'.repeat(26)}`;
/** How many characters the server takes. */
const MAX_LENGTH = 255;

/**
 * Returns a key above `below` and below `above`; null stands for the end of the list on that side. Returns null if
 * there is no such key of the usual form, for example because a user has chosen `ü` as a key.
 */
export function keyBetween(below: string | null, above: string | null): string | null {
  if (![below, above].every((key) => key === null || isUsual(key))) return null;
  if (below !== null && above !== null && below >= above) return null;
  const key = between(below, above);
  return key !== null && key.length <= MAX_LENGTH ? key : null;
}

function between(below: string | null, above: string | null): string | null {
  if (below === null && above === null) return FIRST;
  if (below === null) return beforeFirst(above ?? FIRST);
  const integer = integerPart(below);
  const fraction = below.slice(integer.length);
  const next = increment(integer);
  if (above === null) return next ?? integer + midpoint(fraction, null);
  const integerAbove = integerPart(above);
  if (integer === integerAbove) return integer + midpoint(fraction, above.slice(integer.length));
  return next !== null && next < above ? next : integer + midpoint(fraction, null);
}

function beforeFirst(above: string): string | null {
  const integer = integerPart(above);
  if (integer < above)
    return integer === LOWEST_INTEGER ? integer + midpoint('', above.slice(integer.length)) : integer;
  return decrement(integer);
}

/** Whether this is an integer with perhaps a fraction. A fraction that ends with 0 would leave no room before it. */
function isUsual(key: string): boolean {
  const length = integerLength(key);
  if (length === 0 || key.length < length || [...key].some((digit) => !DIGITS.includes(digit))) return false;
  return key !== LOWEST_INTEGER && !(key.length > length && key.endsWith('0'));
}

function integerPart(key: string): string {
  return key.slice(0, integerLength(key));
}

/** How long the integer is that begins with this letter, which counts; 0 for what is no such letter. */
function integerLength(key: string): number {
  const head = key.charCodeAt(0);
  if (head >= 97 && head <= 122) return head - 97 + 2;
  if (head >= 65 && head <= 90) return 90 - head + 2;
  return 0;
}

/** The middle of two fractions, of which null is 1: the shortest that is near it. */
function midpoint(below: string, above: string | null): string {
  if (above !== null) {
    let same = 0;
    while (same < above.length && (below[same] ?? '0') === above[same]) same += 1;
    if (same > 0) return above.slice(0, same) + midpoint(below.slice(same), above.slice(same));
  }
  const low = below === '' ? 0 : DIGITS.indexOf(below.charAt(0));
  const high = above === null ? DIGITS.length : DIGITS.indexOf(above.charAt(0));
  if (high - low > 1) return DIGITS.charAt(Math.round((low + high) / 2));
  // The first digits are neighbors: there is room after the higher one's first digit, or after the lower one.
  if (above !== null && above.length > 1) return above.charAt(0);
  return DIGITS.charAt(low) + midpoint(below.slice(1), null);
}

/** The next integer; null above the highest. */
function increment(integer: string): string | null {
  const [digits, carried] = step(integer.slice(1), 1);
  const head = integer.charAt(0);
  if (!carried) return head + digits;
  if (head === 'z') return null;
  if (head === 'Z') return FIRST;
  const next = String.fromCharCode(head.charCodeAt(0) + 1);
  return next + (next > 'a' ? `${digits}0` : digits.slice(1));
}

/** The integer before; null below the lowest. */
function decrement(integer: string): string | null {
  const [digits, carried] = step(integer.slice(1), -1);
  const head = integer.charAt(0);
  if (!carried) return head + digits === LOWEST_INTEGER ? null : head + digits;
  if (head === 'A') return null;
  if (head === 'a') return 'Zz';
  const previous = String.fromCharCode(head.charCodeAt(0) - 1);
  return previous + (previous < 'Z' ? `${digits}z` : digits.slice(1));
}

/** Adds 1 or -1 to the last digit, and says whether all digits rolled over. */
function step(digits: string, by: 1 | -1): [string, boolean] {
  const rolled = [...digits];
  for (let at = rolled.length - 1; at >= 0; at -= 1) {
    const value = DIGITS.indexOf(rolled[at] ?? '0') + by;
    rolled[at] = DIGITS.charAt((value + DIGITS.length) % DIGITS.length);
    if (value >= 0 && value < DIGITS.length) return [rolled.join(''), false];
  }
  return [rolled.join(''), true];
}
