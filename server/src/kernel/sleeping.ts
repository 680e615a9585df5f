/** Whether a call of a kernel function may sleep. */
import type { FunctionRow } from './functions/row.ts';
import { functionRow } from './functions/table.ts';
import { isLog, soundsLikeComputation, soundsLikeQuery } from './heuristics.ts';
import { atomicChange } from './locks.ts';

/** Flags with which an allocation fails sooner than it sleeps (include/linux/gfp_types.h). */
const ATOMIC_FLAGS: ReadonlySet<string> = new Set(['GFP_ATOMIC', 'GFP_NOWAIT']);

/**
 * True when a call of the kernel's `name` may sleep: waits, takes a lock that sleeps, allocates,
 * reaches user memory. What no row tells of may.
 * @param names the names among its arguments
 */
export function maySleep(name: string, names: readonly string[]): boolean {
  const row = functionRow(name);
  if (row?.sleeps === 'by-flags') return !names.some((flag) => ATOMIC_FLAGS.has(flag));
  if (row?.sleeps !== undefined) return row.sleeps === 'may';
  if (atomicChange(name) !== undefined || row?.lock?.does === 'release') return false;
  if (isLog(name) || soundsLikeComputation(name) || soundsLikeQuery(name)) return false;
  return row === undefined || !staysAwake(row);
}

/** What only reads and writes what it is given, or the drvdata of a device, does not sleep. */
function staysAwake({
  touches,
  behaviours,
  viewOf,
  means,
  readsMember,
  asks,
}: FunctionRow): boolean {
  if (touches === 'looks' || touches === 'logs' || touches === 'arguments') return true;
  if ([viewOf, means, readsMember, asks].some((column) => column !== undefined)) return true;
  return (
    behaviours?.every(({ success }) =>
      success.every(({ op }) => op === 'get-drvdata' || op === 'set-drvdata'),
    ) === true
  );
}
