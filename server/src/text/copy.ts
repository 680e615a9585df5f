/** A string that shares no memory with the one it was cut from. */
export function copyString(text: string): string {
  return (' ' + text).slice(1);
}

const shared = new Map<string, string>();
/** The drivers of Linux 6.12 have 15,000 together. When there are more, it begins anew. */
const MAX_SHARED = 20_000;
/** What is longer is no name. */
const LONGEST = 40;

/**
 * The one string for all equal names: a name stands in a driver ten times, and in each of the
 * others too. A longer text is the string itself.
 */
export function sharedName(text: string): string {
  if (text.length > LONGEST) return text;
  let known = shared.get(text);
  if (known === undefined) {
    if (shared.size >= MAX_SHARED) shared.clear();
    shared.set((known = copyString(text)), known);
  }
  return known;
}
