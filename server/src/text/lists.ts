/**
 * Lists: as a whole, and those that may be longer than a call can have arguments:
 * `list.push(...items)` and `Math.max(...items)` throw at some 100,000 items.
 */

/** Whether two lists have the same things in the same order. */
export function isSameList<T>(
  one: readonly T[],
  other: readonly T[],
  isSame: (left: T, right: T) => boolean = Object.is,
): boolean {
  if (one === other) return true;
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (!isSame(one[i]!, other[i]!)) return false;
  return true;
}

export function isSameSet<T>(before: ReadonlySet<T>, after: ReadonlySet<T>): boolean {
  return before.size === after.size && [...before].every((one) => after.has(one));
}

/** Whether two maps have the same values by the same keys. */
export function isSameMap<K, V>(
  one: ReadonlyMap<K, V>,
  other: ReadonlyMap<K, V>,
  isSame: (left: V, right: V) => boolean = Object.is,
): boolean {
  if (one.size !== other.size) return false;
  for (const [key, value] of one) {
    const now = other.get(key);
    if (now === undefined || !isSame(value, now)) return false;
  }
  return true;
}

/** Adds `items` to the end of `list`. */
export function append<T>(list: T[], items: Iterable<T>): void {
  // Most are lists, and most of these empty: for them nobody makes an iterator.
  if (Array.isArray(items)) for (let i = 0; i < items.length; i++) list.push(items[i] as T);
  else for (const item of items) list.push(item);
}

const EMPTY: readonly never[] = [];

/**
 * The same list for who keeps it: an empty one is one for all, and what was pushed to has room for
 * items that never come.
 */
export function toKeep<T>(list: readonly T[]): readonly T[] {
  return list.length === 0 ? EMPTY : list.slice();
}

/** The largest of some numbers; −Infinity when there are none. */
export function largest(numbers: Iterable<number>): number {
  let found = -Infinity;
  for (const one of numbers) found = Math.max(found, one);
  return found;
}

/** The smallest of some numbers; Infinity when there are none. */
export function smallest(numbers: Iterable<number>): number {
  let found = Infinity;
  for (const one of numbers) found = Math.min(found, one);
  return found;
}
