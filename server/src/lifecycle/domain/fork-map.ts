/** A sum over entries, in two parts. */
export interface Sum {
  readonly low: number;
  readonly high: number;
}

/**
 * A map of a path's state. Paths split far more often than they differ: two forks share their
 * entries until one of them is changed.
 */
export class ForkMap<K, V> implements Iterable<[K, V]> {
  private entries: Map<K, V>;
  /** Another map may have the same entries: they are copied before they are changed. */
  private isShared: boolean;
  /** What fingerprint.ts has made of the entries, until they change. */
  sum: Sum | null = null;

  constructor(entries: Iterable<readonly [K, V]> = [], shared: Map<K, V> | null = null) {
    this.entries = shared ?? new Map(entries);
    this.isShared = shared !== null;
  }

  /** The same entries in the same order, in a map of its own. */
  fork(): ForkMap<K, V> {
    this.isShared = true;
    const fork = new ForkMap<K, V>(undefined, this.entries);
    fork.sum = this.sum;
    return fork;
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: K): V | undefined {
    return this.entries.get(key);
  }

  has(key: K): boolean {
    return this.entries.has(key);
  }

  set(key: K, value: V): void {
    if (this.entries.get(key) === value && this.entries.has(key)) return;
    this.own().set(key, value);
  }

  /** True where there was such an entry. */
  delete(key: K): boolean {
    return this.entries.has(key) && this.own().delete(key);
  }

  keys(): Iterable<K> {
    return this.entries.keys();
  }

  values(): Iterable<V> {
    return this.entries.values();
  }

  /** As for…of, without an array for each entry. */
  forEach(visit: (value: V, key: K) => void): void {
    this.entries.forEach(visit);
  }

  [Symbol.iterator](): Iterator<[K, V]> {
    return this.entries[Symbol.iterator]();
  }

  /** The entries, to be changed. */
  private own(): Map<K, V> {
    this.sum = null;
    if (!this.isShared) return this.entries;
    this.isShared = false;
    // Not by the constructor, which makes an array for each entry.
    const copy = new Map<K, V>();
    this.entries.forEach((value, key) => copy.set(key, value));
    return (this.entries = copy);
  }
}
