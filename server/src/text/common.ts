/** Stretches of this many code units are compared at once, which is much faster than one by one. */
const STRETCH = 1024;

/** How many code units two texts begin with alike. */
export function commonPrefix(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  let length = 0;
  while (
    length + STRETCH <= shorter &&
    a.slice(length, length + STRETCH) === b.slice(length, length + STRETCH)
  )
    length += STRETCH;
  while (length < shorter && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  return length;
}

/** How many code units two texts end with alike, of what follows the first `prefix` of each. */
export function commonSuffix(a: string, b: string, prefix: number): number {
  const shorter = Math.min(a.length, b.length) - prefix;
  const part = (text: string, length: number) =>
    text.slice(text.length - length - STRETCH, text.length - length);
  let length = 0;
  while (length + STRETCH <= shorter && part(a, length) === part(b, length)) length += STRETCH;
  while (
    length < shorter &&
    a.charCodeAt(a.length - 1 - length) === b.charCodeAt(b.length - 1 - length)
  )
    length++;
  return length;
}
