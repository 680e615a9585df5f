/** What changes a counter: functions, and C's operators. */
import { functionRow } from './functions/table.ts';
import type { CounterChange } from './functions/row.ts';

export type { CounterChange } from './functions/row.ts';

/** How a call of `name` changes a counter; undefined when it changes none. */
export function counterChange(name: string): CounterChange | undefined {
  return functionRow(name)?.counts;
}

const SIGNS: Readonly<Record<string, 1 | -1 | undefined>> = {
  '++': 1,
  '+=': 1,
  '--': -1,
  '-=': -1,
};

/** The direction in which an operator changes a counter; undefined when it changes none. */
export function operatorSign(op: string): 1 | -1 | undefined {
  return SIGNS[op];
}

/**
 * The position of the counter in a call of the kernel's `name` that tells whether it was the last
 * reference (<linux/refcount.h>, <linux/atomic.h>); undefined for any other.
 */
export function counterOfLastDrop(name: string): number | undefined {
  return functionRow(name)?.lastDrop;
}
