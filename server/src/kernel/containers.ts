/**
 * Functions that may end the life of the object around what they are given: they drop a reference
 * whose release callback frees the
 * container, or run a callback on it. Given a member of an object, they have the whole object in
 * their hands.
 */
import { functionRow } from './functions/table.ts';

/** True when a call of `name` may free the object that embeds its argument. */
export function mayEndContainer(name: string): boolean {
  return functionRow(name)?.mayEndContainer === true;
}
