/** What the last versions of a module have lost, for when it comes back. */

/** Some things by name: those that went last. */
export interface Recent<T> {
  get(name: string): T | undefined;
  /** Takes what is in `before` and no longer in `after`. */
  take(before: ReadonlyMap<string, T>, after: ReadonlyMap<string, unknown>): void;
}

/** More than one key takes away from those who are typing. */
const MAX_GONE = 16;

export function createRecent<T>(): Recent<T> {
  const gone = new Map<string, T>();
  return {
    get: (name) => gone.get(name),
    take(before, after) {
      for (const [name, item] of before) {
        if (after.has(name)) continue;
        gone.delete(name);
        gone.set(name, item);
        if (gone.size > MAX_GONE) gone.delete(gone.keys().next().value!);
      }
    },
  };
}
