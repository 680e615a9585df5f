import type { Outcome } from './pairs.ts';

/** A function that changes a counter. */
export interface CounterChange {
  /** The argument that points to the counter. */
  readonly counter: number;
  /** 0 when the name does not tell: the value is exchanged for another. */
  readonly sign: -1 | 0 | 1;
  /** What the call returns when it has changed the counter. */
  readonly succeeds: Outcome;
}

const changes = new Map<string, CounterChange>();
const row = (
  names: string,
  counter: number,
  sign: CounterChange['sign'],
  succeeds: Outcome,
): void => {
  for (const name of names.trim().split(/\s+/)) changes.set(name, { counter, sign, succeeds });
};

for (const type of ['atomic', 'atomic64', 'atomic_long', 'refcount']) {
  row(`${type}_inc ${type}_inc_return ${type}_inc_and_test ${type}_fetch_inc`, 0, 1, 'always');
  row(`${type}_dec ${type}_dec_return ${type}_dec_and_test ${type}_fetch_dec`, 0, -1, 'always');
  row(`${type}_add ${type}_add_return ${type}_fetch_add`, 1, 1, 'always');
  row(`${type}_sub ${type}_sub_return ${type}_sub_and_test ${type}_fetch_sub`, 1, -1, 'always');
  row(`${type}_inc_not_zero ${type}_add_unless ${type}_inc_unless_negative`, 0, 1, 'true');
  row(`${type}_dec_if_positive`, 0, -1, 'non-negative');
  row(`${type}_dec_unless_positive ${type}_dec_not_one`, 0, -1, 'true');
  row(`${type}_try_cmpxchg`, 0, 0, 'true');
}

/** How a call of `name` changes a counter; undefined when it changes none. */
export function counterChange(name: string): CounterChange | undefined {
  return changes.get(name);
}
