/** Solves data-flow problems over the graph of a function, by any lattice. */
import type { Cfg } from './cfg.ts';
import { successors } from './cfg.ts';

/** A join-semilattice with a transfer function over whole blocks. Chains must be finite. */
export interface Lattice<T> {
  readonly bottom: T;
  join(left: T, right: T): T;
  equal(left: T, right: T): boolean;
  /** The value at the other end of the block. */
  transfer(block: number, value: T): T;
  /**
   * What of that takes one way out of the block, the `way`th of its successors: for problems that
   * learn from a test. Forward only.
   */
  along?(block: number, way: number, value: T): T;
}

/**
 * Solves a data-flow problem by a work list to the least fixed point.
 * Forward: result[b] is the value at the block's entry. Backward: at its exit.
 */
export function solve<T>(
  cfg: Cfg,
  lattice: Lattice<T>,
  direction: 'forward' | 'backward',
  boundary: T,
): readonly T[] {
  const next: number[][] = cfg.blocks.map(() => []);
  const start: number[] = [];
  for (const block of cfg.blocks) {
    const out = successors(block);
    if (direction === 'forward') for (const one of out) next[block.id]!.push(one);
    else {
      for (const successor of out) next[successor]!.push(block.id);
      if (block.terminator.kind === 'return') start.push(block.id);
    }
  }
  if (direction === 'forward') start.push(0);
  const value = cfg.blocks.map(() => lattice.bottom);
  for (const successor of start) value[successor] = boundary;
  // Blocks are numbered nearly in source order, so the first round visits most of them after their
  // inputs.
  const order =
    direction === 'forward'
      ? cfg.blocks.map((block) => block.id)
      : cfg.blocks.map((block) => block.id).reverse();
  const queue = [...order],
    queued = new Set(queue);
  for (let i = 0; i < queue.length; i++) {
    const block = queue[i]!;
    queued.delete(block);
    const out = lattice.transfer(block, value[block]!);
    const behind = next[block]!;
    for (let way = 0; way < behind.length; way++) {
      const count = behind[way]!;
      const joined = lattice.join(value[count]!, lattice.along?.(block, way, out) ?? out);
      if (lattice.equal(joined, value[count]!)) continue;
      value[count] = joined;
      if (!queued.has(count)) {
        queued.add(count);
        queue.push(count);
      }
    }
  }
  return value;
}
