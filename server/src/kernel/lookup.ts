/** What a call of a kernel function does, and what is known of its name. */
import { functionRow } from './functions/table.ts';
import { guessedTouch, soundsLikeFailingKeeper } from './heuristics.ts';
import { apiEntry } from './lifecycle-api.ts';
import { isView } from './casts.ts';
import { isValueOrTest } from './macros.ts';
import { givenBackBy } from './resource-pairs.ts';
import type { Behaviour, KernelVersion } from './types.ts';
import { nearest } from './version.ts';

export { isView, memberReadBy } from './casts.ts';
export { isNoReturn, isNullTestMacro, isSilent, isValueOrTest, testedArgument } from './macros.ts';

/**
 * Rows beside the tables, by name: functions of a vendor's core library, which its users know and
 * these tables cannot.
 */
export type ExtraFunctions = ReadonlyMap<string, readonly Behaviour[]>;

/**
 * What a call of the kernel's `name` does in `kernel`: a behaviour; 'neutral' when it neither
 * frees, puts nor registers what it is given; or
 * undefined when it is unknown. A life-cycle function that `kernel` does not have behaves as in the
 * nearest kernel that has it.
 * A function of the same name that the module defines comes first, and is not for this table to
 * say.
 * @param extra more functions; the life-cycle functions themselves cannot be given another meaning.
 */
export function behaviourOf(
  name: string,
  kernel: KernelVersion,
  extra?: ExtraFunctions,
): Behaviour | 'neutral' | undefined {
  const behaviours =
    apiEntry(name)?.behaviours ?? extra?.get(name) ?? functionRow(name)?.behaviours;
  if (behaviours) return nearest(kernel, behaviours) ?? 'neutral';
  return isNeutral(name) ? 'neutral' : undefined;
}

/** True when a call of `name` takes or drops a reference to a device, in any kernel. */
export function countsReferences(name: string): boolean {
  const behaviours = apiEntry(name)?.behaviours ?? functionRow(name)?.behaviours ?? [];
  return behaviours.some(({ success }) => success.some(({ op }) => op === 'get' || op === 'put'));
}

/** Macros that the analysis reads as operators of the language. */
const OPERATORS: ReadonlySet<string> = new Set([
  'container_of',
  'container_of_const',
  'offsetof',
  'sizeof',
  'typeof',
  'typeof_member',
]);

/**
 * True for a function or macro that the tables know by its name, and not by how the name begins or
 * ends: nobody else can say what it does.
 */
export function isKernelName(name: string): boolean {
  const row = functionRow(name);
  return (
    OPERATORS.has(name) ||
    apiEntry(name) !== undefined ||
    isBorrowed(name) ||
    row?.behaviours !== undefined ||
    row?.takes !== undefined ||
    row?.lock !== undefined ||
    givenBackBy(name).length > 0
  );
}

/**
 * True when a neutral function keeps the pointer that it is given: `list_add(&p->node, …)`,
 * `request_irq(…, p)`.
 */
export function retainsArgument(name: string): boolean {
  return functionRow(name)?.given === 'kept';
}

/**
 * Whether a function that keeps a pointer may fail, and has not kept it where it returns a negative
 * error code.
 */
export function mayFailToRetain(name: string): boolean {
  return retainsArgument(name) && soundsLikeFailingKeeper(name);
}

/** True when a function neither frees, puts nor registers what it is given. */
export function isNeutral(name: string): boolean {
  if (isBorrowed(name)) return true;
  return functionRow(name)?.given !== 'unknown' && guessedTouch(name) !== undefined;
}

/** True when a row says so. */
function isBorrowed(name: string): boolean {
  const given = functionRow(name)?.given;
  return given === 'borrowed' || given === 'kept' || isView(name) || isValueOrTest(name);
}
