/** What may move over what, by the footprints of both. */
import type { Scope } from '../module/types-of.ts';
import type { Footprint } from './footprint.ts';
import { overlap, type Access, type Place } from './places.ts';

/** What a caller proves itself of the ways out of code that is to change its order. */
export interface WaysOut {
  /** What is passed may leave: what moves is harmless on the paths that then no longer skip it. */
  readonly isHarmlessWhereSkipped?: boolean;
  /**
   * What moves may leave, and then what is passed is left out: whether nobody misses what it writes
   * there.
   */
  readonly isMissed?: (written: Place) => boolean;
}

/**
 * Whether code may run before other code that stands in front of it, without a difference for
 * either: neither writes what the other reads or writes, and neither is skipped where it was not.
 * Messages may change their order. Nothing that may sleep comes under a spinlock, and no such lock
 * over it.
 */
export function mayMoveOver(
  scope: Scope,
  moved: Footprint,
  passed: Footprint,
  { isHarmlessWhereSkipped = false, isMissed = () => true }: WaysOut = {},
): boolean {
  if (changesSleep(moved, passed) || changesSleep(passed, moved)) return false;
  if (passed.leaves && !isHarmlessWhereSkipped) return false;
  if (moved.leaves && passed.writes.some(({ place }) => isMissed(place))) return false;
  return (
    firstOf(scope, passed.writes, [...moved.reads, ...moved.writes]) === null &&
    firstOf(scope, passed.reads, moved.writes) === null
  );
}

/** One may sleep, and the other decides where nothing may. */
function changesSleep(one: Footprint, other: Footprint): boolean {
  return one.maySleep && other.changesAtomic;
}

/** The first write that a set of reads would notice; null when there is none. */
export function firstOf(
  scope: Scope,
  accesses: readonly Access[],
  others: readonly Access[],
): Access | null {
  return (
    accesses.find((access) => others.some((other) => overlap(scope, access.place, other.place))) ??
    null
  );
}

/** A place in words: `` `foo->size` ``, `drvdata`. */
export function placeText(place: Place): string {
  switch (place.kind) {
    case 'local':
      return `\`${[place.name, ...place.path].join('.')}\``;
    case 'global':
      return `\`${place.name}\``;
    case 'memory': {
      const last = place.steps.at(-1);
      if (last?.tag && last.field !== '') return `\`${last.field}\` of \`struct ${last.tag}\``;
      return place.leaf?.kind === 'struct'
        ? `a \`struct ${place.leaf.tag}\``
        : 'memory that a pointer refers to';
    }
    case 'freed':
      return 'memory that is freed';
    case 'drvdata':
      return 'drvdata';
    case 'kernel':
      return 'what the kernel keeps';
    case 'argument':
    case 'everything':
      return 'anything that it can reach';
    case 'locals':
      return 'any variable of the function';
  }
}
