// How long to wait before the next attempt to connect.

const SHORTEST_MS = 500;
const LONGEST_MS = 30_000;

/**
 * Returns how long to wait after so many attempts that failed in a row.
 *
 * The first attempt after a loss is made at once. Later waits double, and are shortened by chance to as little as half,
 * so that the pages of many people do not come back to a server at the same moment.
 */
export function waitMs(failures: number, random: () => number = Math.random): number {
  if (failures === 0) return 0;
  const longest = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** (failures - 1));
  return longest * (0.5 + random() / 2);
}
