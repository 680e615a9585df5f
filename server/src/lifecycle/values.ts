/**
 * Abstract values and places. An object is named by where it comes from (`param:0`, `alloc:120`,
 * `load:param:0|wq`), so
 * that the same object has the same name on every path and states can be compared by text.
 */

/**
 * A pointer to (a member of) an object, a known integer, or a function. An unknown value is a
 * pointer to an object of its own.
 */
export type Value =
  | { readonly kind: 'pointer'; readonly object: string; readonly path: string }
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'function'; readonly name: string };

/**
 * What a value may be, as a set of three classes: null or zero; positive or a valid pointer;
 * negative or an error pointer.
 */
export const ZERO = 1,
  POSITIVE = 2,
  NEGATIVE = 4,
  ANY = 7;
export type Mask = number;

export const NULL: Value = { kind: 'int', value: 0 };

export function pointer(object: string, path = ''): Value {
  return { kind: 'pointer', object, path };
}
export function int(value: number): Value {
  return { kind: 'int', value };
}

/** Where a value is stored: an object and a member path in it. */
export interface Place {
  readonly object: string;
  readonly path: string;
}

export function placeKey(p: Place): string {
  return `${p.object}|${p.path}`;
}

/**
 * Adds a member designator to a path. Segments are separated by dots; a segment `-m` stands for the
 * container of which m
 * is a member, and `-m` followed by `m` cancels: container_of and back again is where it began.
 */
export function member(path: string, designator: string): string {
  let segments = path === '' ? [] : path.split('.');
  for (const m of designator.split('.')) {
    if (segments.at(-1) === `-${m}`) segments = segments.slice(0, -1);
    else segments = [...segments, m];
  }
  return segments.join('.');
}

/** The path of the container that has `designator` at `path`: container_of. */
export function container(path: string, designator: string): string {
  let segments = path === '' ? [] : path.split('.');
  for (const m of designator.split('.').reverse()) {
    if (segments.at(-1) === m) segments = segments.slice(0, -1);
    else segments = [...segments, `-${m}`];
  }
  return segments.join('.');
}

/** Appends one path to another, cancelling where they meet. */
export function joinPaths(a: string, b: string): string {
  let path = a;
  for (const segment of b === '' ? [] : b.split('.'))
    path = segment.startsWith('-') ? container(path, segment.slice(1)) : member(path, segment);
  return path;
}

/**
 * An object that stands for many: an element of an array or list. What is learnt of one does not
 * hold for the next.
 */
export function isWeak(object: string): boolean {
  return object.includes('[]') || object.startsWith('cursor:');
}

export function valueKey(v: Value): string {
  return v.kind === 'pointer'
    ? `${v.object}>${v.path}`
    : v.kind === 'int'
      ? String(v.value)
      : `&${v.name}`;
}
