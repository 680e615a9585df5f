/**
 * A map of a path's state. Paths split far more often than they differ: two forks share their
 * entries until one of them is changed.
 */
export class ForkMap<K, V> implements Iterable<[K, V]> {
  private entries: Map<K, V>;
  /** Another map may have the same entries: they are copied before they are changed. */
  private isShared: boolean;

  constructor(entries: Iterable<readonly [K, V]> = [], shared: Map<K, V> | null = null) {
    this.entries = shared ?? new Map(entries);
    this.isShared = shared !== null;
  }

  /** The same entries in the same order, in a map of its own. */
  fork(): ForkMap<K, V> {
    this.isShared = true;
    return new ForkMap<K, V>(undefined, this.entries);
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
    if (!this.isShared) this.entries.set(key, value);
    else if (this.entries.get(key) !== value || !this.entries.has(key)) this.own().set(key, value);
  }

  /** True where there was such an entry. */
  delete(key: K): boolean {
    if (!this.isShared) return this.entries.delete(key);
    return this.entries.has(key) && this.own().delete(key);
  }

  keys(): Iterable<K> {
    return this.entries.keys();
  }

  values(): Iterable<V> {
    return this.entries.values();
  }

  [Symbol.iterator](): Iterator<[K, V]> {
    return this.entries[Symbol.iterator]();
  }

  private own(): Map<K, V> {
    this.isShared = false;
    return (this.entries = new Map(this.entries));
  }
}
