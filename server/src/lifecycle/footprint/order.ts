/**
 * Whether code may be run earlier than other code that stands before it, and if not, because of
 * what.
 */
import type { Span } from '../../text/span.ts';
import type { Scope } from '../module/types-of.ts';
import type { Effects } from './footprint.ts';
import { overlap, type Access, type Place } from './places.ts';

export interface Conflict {
  /** The place that both use, as the code that is passed has it. */
  readonly place: Place;
  /** Where the code that is passed uses it. */
  readonly at: Span;
  /**
   * Why the order matters: what is passed sets what is read, reads or sets what is set, or may not
   * come back at all.
   */
  readonly why: 'sets' | 'reads' | 'leaves';
}

/**
 * Whether `moved` may run before `passed`, which stands in front of it, without a difference for
 * either. Null when it may. Messages may
 * change their order.
 */
export function conflictOf(
  scope: Scope,
  passed: Effects & { readonly at: Span },
  moved: Effects,
): Conflict | null {
  if (passed.leaves) return { place: { kind: 'everything' }, at: passed.at, why: 'leaves' };
  const set = firstOf(scope, passed.writes, [...moved.reads, ...moved.writes]);
  if (set) return { place: set.place, at: set.at, why: 'sets' };
  const read = firstOf(scope, passed.reads, moved.writes);
  return read && { place: read.place, at: read.at, why: 'reads' };
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
        : 'memory behind a pointer';
    }
    case 'freed':
      return 'memory that is given back';
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
