/**
 * Functions that give another view of the same object, or read what is fixed while it exists. They
 * cannot fail and change nothing. Argument 0 is the object.
 */
import { column, functionRow } from './functions/table.ts';
import { OBJECT } from './functions/row.ts';

const byTag = new Map(
  [...column('viewOf')].flatMap(([name, tag]) => (tag === OBJECT ? [] : [[tag, name] as const])),
);

/**
 * The function that leads from a `struct device *` to the `struct tag` around it; undefined for a
 * struct that is of no known bus. A callback that has only `vdev->dev` finds by it what probe was
 * given.
 */
export function busView(tag: string): string | undefined {
  return byTag.get(tag);
}

/** True when `name(x)` is another view of the object that `x` is or points to. */
export function isView(name: string): boolean {
  return functionRow(name)?.viewOf !== undefined;
}

/**
 * The member of the object that argument 0 points to which `name(x)` is the value of: nothing but
 * its owner changes it.
 */
export function memberReadBy(name: string): string | undefined {
  return functionRow(name)?.readsMember;
}

/**
 * True when a call of `name` reads what identifies a device, and changes nothing: the same value
 * however often it is called while the device exists.
 */
export function isFixedGetter(name: string): boolean {
  return functionRow(name)?.isFixed === true;
}

/** True when `name(pointer, type, member)` leads from a member to the object around it. */
export function leadsOut(name: string): boolean {
  return functionRow(name)?.means === 'container';
}

/** The zero-based positions of the arguments of `name` that are the name of a member or a struct. */
export function designatedArguments(name: string): readonly number[] {
  return functionRow(name)?.designates ?? [];
}

/** What depends on the order and the sizes of the members of a struct. */
export const LAYOUT_QUESTIONS: readonly string[] = [...column('asksLayout').keys()];
