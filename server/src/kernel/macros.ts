/**
 * Macros and functions of the kernel that are a value or a test and nothing else; no_free_ptr()
 * also clears its argument (include/linux/cleanup.h).
 */
import { functionRow } from './functions/table.ts';
import type { Meaning, PointerTest } from './functions/row.ts';

export type { Meaning, PointerTest } from './functions/row.ts';

/** True when a call of `name` works out its value from its arguments and does nothing else. */
export function isComputation(name: string): boolean {
  return functionRow(name)?.computes === true;
}

/**
 * The zero-based position of the argument that a condition `name(…)` tests: it holds exactly when
 * that one does, and mostly has its value: 1 for
 * `dev_err_probe(dev, err, …)`. Undefined for any other call.
 */
export function testedArgument(name: string): number | undefined {
  return functionRow(name)?.valueIs;
}

/**
 * True when a test of `name(x)` is one of `x` and nothing else, so that it may be left out: it does
 * not log, and a test without it is the same test.
 */
export function isSilent(name: string): boolean {
  return functionRow(name)?.isSilent === true;
}

/**
 * True when `name(p)` holds for NULL and does not hold for an object: IS_ERR_OR_NULL() holds for
 * error pointers too (include/linux/err.h), ZERO_OR_NULL_PTR() for the result of `kmalloc(0)`
 * (include/linux/slab.h).
 */
export function isNullTestMacro(name: string): boolean {
  const test = pointerTestOf(name);
  return test !== undefined && test !== 'is-err';
}

/** For which pointers the condition `name(p)` holds; undefined where it is no such test. */
export function pointerTestOf(name: string): PointerTest | undefined {
  return functionRow(name)?.pointerTest;
}

/** True when `name(p)` tells whether `p` is an error pointer, or its code. */
export function asksForError(name: string): boolean {
  const row = functionRow(name);
  return (
    row?.pointerTest !== undefined || row?.means === 'error-code' || row?.means === 'error-or-zero'
  );
}

/** True when a test of `name(p)` is one for error pointers, and none of them is missed. */
export function testsForError(name: string): boolean {
  const row = functionRow(name);
  return row?.pointerTest?.startsWith('is-err') === true || row?.means === 'error-or-zero';
}

/** What `name(…)` means to the analysis, which works it out itself; undefined for most names. */
export function meaningOf(name: string): Meaning | undefined {
  return functionRow(name)?.means;
}

/** True when a call of `name` does not come back. */
export function isNoReturn(name: string): boolean {
  return functionRow(name)?.isNoReturn === true;
}

/** True for what is a value or a test: it changes nothing. */
export function isValueOrTest(name: string): boolean {
  const row = functionRow(name);
  return (
    row !== undefined &&
    (row.valueIs !== undefined ||
      row.pointerTest !== undefined ||
      row.isTest === true ||
      row.isNoReturn === true)
  );
}
