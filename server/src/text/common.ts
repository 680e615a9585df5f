/** A difference between two texts: [start, oldEnd) of the one became [start, newEnd). */
export interface Difference {
  readonly start: number;
  readonly oldEnd: number;
  readonly newEnd: number;
}

/** The smallest one stretch in which two texts differ; an empty one where they are equal. */
export function differenceBetween(before: string, after: string): Difference {
  const start = commonPrefix(before, after),
    tail = commonSuffix(before, after, start);
  return { start, oldEnd: before.length - tail, newEnd: after.length - tail };
}

/** Stretches of this many code units are compared at once, which is much faster than one by one. */
const STRETCH = 1024;

/** How many code units two texts begin with alike. */
export function commonPrefix(left: string, right: string): number {
  const shorter = Math.min(left.length, right.length);
  let length = 0;
  while (
    length + STRETCH <= shorter &&
    left.slice(length, length + STRETCH) === right.slice(length, length + STRETCH)
  )
    length += STRETCH;
  while (length < shorter && left.charCodeAt(length) === right.charCodeAt(length)) length++;
  return length;
}

/** How many code units two texts end with alike, of what follows the first `prefix` of each. */
export function commonSuffix(left: string, right: string, prefix: number): number {
  const shorter = Math.min(left.length, right.length) - prefix;
  const part = (text: string, length: number) =>
    text.slice(text.length - length - STRETCH, text.length - length);
  let length = 0;
  while (length + STRETCH <= shorter && part(left, length) === part(right, length))
    length += STRETCH;
  while (
    length < shorter &&
    left.charCodeAt(left.length - 1 - length) === right.charCodeAt(right.length - 1 - length)
  )
    length++;
  return length;
}
