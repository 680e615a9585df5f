import type { Cfg } from './cfg.ts';
import { successors } from './cfg.ts';

/** A join-semilattice with a transfer function over whole blocks. Chains must be finite. */
export interface Lattice<T> {
  readonly bottom: T;
  join(a: T, b: T): T;
  equal(a: T, b: T): boolean;
  /** The value at the other end of the block. */
  transfer(block: number, value: T): T;
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
  for (const b of cfg.blocks) {
    const out = successors(b);
    if (direction === 'forward') for (const one of out) next[b.id]!.push(one);
    else {
      for (const s of out) next[s]!.push(b.id);
      if (b.terminator.kind === 'return') start.push(b.id);
    }
  }
  if (direction === 'forward') start.push(0);
  const value = cfg.blocks.map(() => lattice.bottom);
  for (const s of start) value[s] = boundary;
  // Blocks are numbered nearly in source order, so the first round visits most of them after their
  // inputs.
  const order =
    direction === 'forward' ? cfg.blocks.map((b) => b.id) : cfg.blocks.map((b) => b.id).reverse();
  const queue = [...order],
    queued = new Set(queue);
  for (let i = 0; i < queue.length; i++) {
    const b = queue[i]!;
    queued.delete(b);
    const out = lattice.transfer(b, value[b]!);
    for (const n of next[b]!) {
      const joined = lattice.join(value[n]!, out);
      if (lattice.equal(joined, value[n]!)) continue;
      value[n] = joined;
      if (!queued.has(n)) {
        queued.add(n);
        queue.push(n);
      }
    }
  }
  return value;
}
