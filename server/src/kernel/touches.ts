/**
 * What a call of a kernel function reads and writes, as far as it decides what may move over the
 * call.
 */
import { isFixedGetter, isView } from './casts.ts';
import { functionRow } from './functions/table.ts';
import type { Touch } from './functions/row.ts';
import { guessedTouch, isLog, soundsLikeComputation, soundsLikeQuery } from './heuristics.ts';

export type { Touch } from './functions/row.ts';

/**
 * What a call of the kernel's `name` touches, by its row, else by a guess from its name; undefined
 * when neither says anything.
 */
export function touchOf(name: string): Touch | undefined {
  const row = functionRow(name);
  if (row?.touches !== undefined) return row.touches;
  if (isLog(name)) return 'logs';
  if (soundsLikeComputation(name) || isQuery(name)) return 'looks';
  return row?.given === 'unknown' ? undefined : guessedTouch(name);
}

/**
 * True when a call of the kernel's `name` only looks: asking once more, or somewhat earlier, makes
 * no difference as long as nothing has changed what it looks at.
 */
export function isQuery(name: string): boolean {
  return functionRow(name)?.isQuery === true || soundsLikeQuery(name);
}

/**
 * The zero-based positions of the arguments that a call of `name` assigns to although their address
 * is not taken.
 */
export function assignedArguments(name: string): readonly number[] {
  return functionRow(name)?.assigns ?? [];
}

/**
 * True when what `name` returns is fixed while the device that it is given exists: nothing that the
 * kernel does changes it.
 */
export function isFixedLook(name: string): boolean {
  return isView(name) || isFixedGetter(name);
}

/** True when a call of `name` tells a state that is in the memory of its arguments. */
export function asksState(name: string): boolean {
  return functionRow(name)?.asks !== undefined;
}

/** True when it changes that state at once. */
export function claimsState(name: string): boolean {
  return functionRow(name)?.asks === 'claims';
}

/** True when a call of `name` counts the users of a module. */
export function countsModuleUsers(name: string): boolean {
  return functionRow(name)?.isOfModule === true;
}
