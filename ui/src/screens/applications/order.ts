// Which sort keys to change when an application is moved to another place of the list.
import { keyBetween } from './sort-key';

export type Ordered = {
  readonly id: number;
  readonly sortKey: string;
};

/** Returns the list with one item moved; places count from 0. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const rest = [...list];
  rest.splice(to, 0, ...rest.splice(from, 1));
  return rest;
}

/**
 * Returns ids in the order in which they are shown while one of them is on its way to a place. The list may have changed
 * since the move began.
 */
export function shownOrder(
  ids: readonly number[],
  moving: { id: number; to: number } | null,
): readonly number[] {
  const from = moving ? ids.indexOf(moving.id) : -1;
  return moving && from >= 0 ? moved(ids, from, moving.to) : ids;
}

/**
 * Returns the new sort keys for a list that was put into this order by moving the item at `place`. That is one key,
 * unless its neighbors' keys leave no room: then every item gets a new one, none of which is in use.
 */
export function changedKeys(list: readonly Ordered[], place: number): Ordered[] {
  const key = keyBetween(list[place - 1]?.sortKey ?? null, list[place + 1]?.sortKey ?? null);
  const item = list[place];
  if (item !== undefined && key !== null) return [{ id: item.id, sortKey: key }];
  const used = new Set(list.map((other) => other.sortKey));
  let last: string | null = null;
  return list.map(({ id }) => {
    do last = keyBetween(last, null);
    while (last !== null && used.has(last));
    return { id, sortKey: last ?? '' };
  });
}
