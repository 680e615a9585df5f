/** Calls that take something, and the calls that give it back. */
import { column, functionRow } from './functions/table.ts';
import type { Outcome, Resource } from './functions/row.ts';

import type { KernelVersion } from './types.ts';
import { inRange } from './version.ts';

export type { Outcome } from './functions/row.ts';

/** A resource with the calls that take it. */
export interface ResourcePair extends Resource {
  readonly take: readonly string[];
}

/** The zero-based argument by which a call of `undo` names what the pair took. */
export function givenTo(pair: ResourcePair, undo: string): number {
  return pair.givenAs?.get(undo) ?? pair.given;
}

const takers = new Map<Resource, string[]>();
for (const [name, resource] of column('takes'))
  takers.set(resource, [...(takers.get(resource) ?? []), name]);

export const RESOURCE_PAIRS: readonly ResourcePair[] = [...takers].map(([resource, take]) => ({
  take,
  ...resource,
}));

const byTaker = new Map(
  RESOURCE_PAIRS.flatMap((pair) => pair.take.map((name) => [name, pair] as const)),
);
const byUndo = new Map<string, ResourcePair[]>();
for (const pair of RESOURCE_PAIRS)
  for (const name of pair.undo) byUndo.set(name, [...(byUndo.get(name) ?? []), pair]);

/** The pair that `name` takes a resource in, or undefined. */
export function takenBy(name: string): ResourcePair | undefined {
  return byTaker.get(name);
}

/** The pairs that `name` gives a resource back in; empty when there is none. */
export function givenBackBy(name: string): readonly ResourcePair[] {
  return byUndo.get(name) ?? [];
}

/** How a taker of a pair tells that it has taken. */
export function outcomeOfTaking(name: string): Outcome {
  return functionRow(name)?.succeeds ?? (takenBy(name)?.taken === 'return' ? 'pointer' : 'zero');
}

/**
 * Whether what `name` takes needs no undoing in a kernel, in a driver that calls what `isCalled`
 * says.
 */
export function isManaged(
  name: string,
  kernel: KernelVersion,
  isCalled: (name: string) => boolean,
): boolean {
  const by = functionRow(name)?.managedBy;
  return by !== undefined && inRange(kernel, by.kernels) && isCalled(by.name);
}

/**
 * Pairs of the life cycle, beside those of the wider kernel: what takes, what undoes, and whether
 * the result names it.
 */
export const LIFE_CYCLE_PAIRS: readonly {
  readonly take: string;
  readonly undo: string;
  readonly byResult: boolean;
}[] = [...column('undoneBy')].map(([take, { name: undo, byResult }]) => ({ take, undo, byResult }));
