import { givenBackBy, isManaged, outcomeOfTaking, takenBy, type Outcome } from '../kernel/pairs.ts';
import { opposites } from '../kernel/opposites.ts';
import { placeText, type AbstractObject, type Place } from './domain/objects.ts';
import { holdersOf, maskOf, type PathState } from './domain/path-state.ts';
import type { HeldResource, Site } from './types.ts';
import { spend } from '../budget/work.ts';
import { ANY, NEGATIVE, POSITIVE, ZERO, type Mask, type Value } from './domain/values.ts';

/** A resource as the exploration of a path follows it. */
export interface Held extends HeldResource {
  /** For a counter: the direction of the change, 0 when unknown. */
  readonly sign: -1 | 0 | 1;
  /** What names the resource when it is given back. */
  readonly values: readonly Place[];
  /** It is the call's result that names it. */
  readonly byReturn: boolean;
  /** Held only where this object is in the mask; null when that is settled. */
  readonly when: { readonly object: AbstractObject; readonly mask: Mask } | null;
  /** A device has it in a member: when that name goes with the device, the resource does not. */
  readonly kept: boolean;
}

/**
 * In the place of a mask: the function is unknown, and what its result means depends on what is
 * done with it.
 */
const GUESS: Mask = -1;

/**
 * More than this on one path is not remembered: a driver that takes so much in one function would
 * multiply its states.
 */
const MAX_HELD = 16;

/**
 * Adds a resource to a path. What is taken again while it is held is one of many, of which nothing
 * is known.
 */
export function hold(s: PathState, h: Held): void {
  if (s.held === null) return;
  const known = s.held.get(h.id),
    held = new Map(s.held);
  if (known && statusOf(s, known) !== 'free') held.delete(h.id);
  else if (held.size < MAX_HELD) held.set(h.id, h);
  s.held = held;
}

export function drop(s: PathState, isDropped: (h: Held) => boolean): void {
  if (!s.held?.size) return;
  const kept = [...s.held].filter(([, h]) => !isDropped(h));
  if (kept.length < s.held.size) s.held = new Map(kept);
}

/**
 * Whether a resource is held on this path: `free` when the taking failed, `open` when the path has
 * not asked yet.
 */
export function statusOf(s: PathState, h: Held): 'held' | 'free' | 'open' {
  if (h.when === null) return 'held';
  const m = maskOf(s, h.when.object.start);
  // A pointer that was asked about is one, unless the answer was no: some say so by NULL, others by
  // an error pointer.
  if (h.when.mask === POSITIVE) return (m & POSITIVE) === 0 ? 'free' : m === ANY ? 'open' : 'held';
  // So is an error code that is not negative.
  if (h.when.mask === ZERO)
    return (m & ZERO) === 0 ? 'free' : (m & NEGATIVE) === 0 ? 'held' : 'open';
  if (h.when.mask !== GUESS)
    return (m & h.when.mask) === 0 ? 'free' : (m & ~h.when.mask) === 0 ? 'held' : 'open';
  // A result that was stored is a pointer; any other is an error code.
  if (isStored(s, h.when.object))
    return (m & POSITIVE) === 0 ? 'free' : m === POSITIVE ? 'held' : 'open';
  return m === ZERO ? 'held' : (m & ZERO) === 0 ? 'free' : 'open';
}

/** The results with which something is held that is held where the result is in `when`. */
export function holdsFor(when: Mask): Mask {
  return when === GUESS ? ZERO : when;
}

/**
 * Whether a path that ends here holds a resource. Nobody asks whether a debugfs file could be made.
 */
export function isHeldAtEnd(s: PathState, h: Held): boolean {
  const status = statusOf(s, h);
  return (
    status === 'held' ||
    (status === 'open' && h.api.startsWith('debugfs_') && maskOf(s, h.when!.object.start) === ANY)
  );
}

function isStored(s: PathState, object: AbstractObject): boolean {
  for (const _ of holdersOf(s, object)) return true;
  return false;
}

/** A global variable has it: what the module shares goes when the module does. */
function isEverybodys(s: PathState, h: Held): boolean {
  if (!h.byReturn || h.kind === 'counter') return false;
  return isHeldBy(s, h, ({ object }) => object.kind === 'global' || object.kind === 'kept');
}

/** A device has it in a member. */
function isMember(s: PathState, h: Held): boolean {
  return isHeldBy(s, h, ({ object }) => s.devices.has(object));
}

function isHeldBy(s: PathState, h: Held, isHolder: (place: Place) => boolean): boolean {
  for (const [at, v] of s.heap)
    if (
      v.kind === 'pointer' &&
      v.parent === null &&
      h.values.some((w) => w.object === v.object) &&
      isHolder(at)
    )
      return true;
  return false;
}

/**
 * Settles what the path has decided, and forgets what nothing can name any more. `isUsed` says of
 * an object whether facts about it stay.
 */
export function settleHeld(s: PathState, isUsed: (object: AbstractObject) => boolean): void {
  if (!s.held?.size) return;
  spend(s.heap.size);
  let changed = false;
  const held = new Map<string, Held>();
  for (const [id, one] of s.held) {
    const h = one.byReturn && !one.kept && isMember(s, one) ? { ...one, kept: true } : one,
      status = statusOf(s, h);
    changed ||= h !== one;
    const ends =
      status === 'free' ||
      isEverybodys(s, h) ||
      (h.byReturn && !h.kept && h.kind === 'pair' && !h.values.some((v) => isUsed(v.object)));
    // A result that nothing asks about any more: a path that never did goes on as if the call had
    // succeeded.
    const isLost = status === 'open' && !isUsed(h.when!.object);
    if (ends || (isLost && maskOf(s, h.when!.object.start) !== ANY)) {
      changed = true;
      continue;
    }
    if ((status === 'held' || isLost) && h.when !== null) {
      changed = true;
      held.set(id, { ...h, when: null });
    } else held.set(id, h);
  }
  if (changed) s.held = held;
}

export function heldKey(s: PathState): string {
  if (s.held === null) return 'held?';
  return s.held.size === 0
    ? ''
    : [...s.held.values()]
        .map((h) => `${h.id}${h.when ? '?' : ''}${h.shared ? '!' : ''}${h.kept ? '^' : ''}`)
        .sort()
        .join();
}

/** What two paths that are joined both hold for certain. */
export function heldByBoth(a: PathState, b: PathState): PathState['held'] {
  if (a.held === null || b.held === null) return null;
  return new Map(
    [...a.held]
      .filter(([id, h]) => {
        const other = b.held!.get(id);
        return other !== undefined && statusOf(a, h) === 'held' && statusOf(b, other) === 'held';
      })
      .map(([id, h]) => [id, { ...h, when: null }]),
  );
}

/**
 * How a call takes something, by the tables or by its name; null when it does not. `isCalled` tells
 * of a function that may undo it whether anybody calls it, `returns` is what is known of the
 * function's type.
 */
export function takingOf(
  name: string,
  values: readonly Value[],
  result: Value,
  site: Site,
  isCalled: (name: string) => boolean,
  isNamed: boolean,
  returns: Outcome | null,
): Held | null {
  const pair = takenBy(name);
  if (pair) {
    if (UNOWED.has(name) || isManaged(name, isCalled) || !isUndone(pair.undo, isCalled))
      return null;
    const v = pair.taken === 'return' ? result : values[pair.taken];
    if (!isNameable(v)) return null;
    return {
      ...made(name, 'pair', site, v),
      undo: pair.undo,
      values: [v, pair.alias === undefined ? undefined : values[pair.alias]].filter(isNameable),
      byReturn: pair.taken === 'return',
      when: whenOf(result, outcomeOfTaking(name)),
    };
  }
  const undo = isNamed ? opposites(name) : [];
  if (!isUndone(undo, isCalled)) return null;
  const first = values.find((v) => isNameable(v));
  const named = [first, result].filter((v) => isNameable(v));
  if (!named.length) return null;
  return {
    ...made(name, 'named', site, first ?? (result as Place)),
    undo,
    values: named,
    byReturn: first === undefined,
    when: returns === null ? whenGuessed(result) : whenOf(result, returns),
  };
}

/** What nothing gives back where resources are followed can be missing nowhere. */
function isUndone(undo: readonly string[], isCalled: (name: string) => boolean): boolean {
  return undo.some((name) => isCalled(name));
}

/** A counter that a call or an operator changes. */
export function countingOf(
  api: string,
  sign: Held['sign'],
  counter: Value | undefined,
  result: Value,
  outcome: Outcome,
  site: Site,
): Held | null {
  if (!isNameable(counter)) return null;
  return {
    ...made(api, 'counter', site, counter),
    sign,
    undo: [],
    values: [counter],
    byReturn: false,
    when: whenOf(result, outcome),
  };
}

function made(api: string, kind: Held['kind'], site: Site, v: Place) {
  return {
    id: heldId(site, v),
    kind,
    api,
    sign: 0,
    site,
    shared: false,
    kept: false,
    leftBy: null,
  } as const;
}

/** What a resource is known by: where it was taken, and what names it. */
export function heldId(site: Site, value: Place): string {
  return `${site.path}:${site.start}>${placeText(value)}`;
}

/** Locks and tables that live in the object: without their undo nothing is lost that matters. */
const UNOWED = new Set(['mutex_init', 'xa_init']);

/** Whether two paths can mean the same resource by this value. */
export function isNameable(v: Value | undefined): v is Place {
  return v?.kind === 'pointer' && !v.object.isWeak && !v.hasElement && !NAMELESS.has(v.object.kind);
}

const NAMELESS: ReadonlySet<AbstractObject['kind']> = new Set<AbstractObject['kind']>([
  'symbol',
  'literal',
  'local',
  'undefined',
]);

const SUCCESS: Readonly<Record<Exclude<Outcome, 'always'>, Mask>> = {
  pointer: POSITIVE,
  zero: ZERO,
  'non-negative': ZERO | POSITIVE,
  true: POSITIVE | NEGATIVE,
};

function whenOf(result: Value, outcome: Outcome): Held['when'] {
  return outcome === 'always' || result.kind !== 'pointer'
    ? null
    : { object: result.object, mask: SUCCESS[outcome] };
}

function whenGuessed(result: Value): Held['when'] {
  return result.kind === 'pointer' ? { object: result.object, mask: GUESS } : null;
}

/** Whether an undoing call gives this resource back: its name and an argument agree. */
export function isGivenBack(h: Held, api: string, values: readonly Value[]): boolean {
  return (
    h.kind !== 'counter' &&
    h.undo.includes(api) &&
    values.some((v) => h.values.some((w) => w === v || isFirstMember(h, v, w)))
  );
}

/**
 * The memory by the address of a member: only its first member has an address that can be freed, as
 * drvdata that a core insists on has it.
 */
function isFirstMember(h: Held, v: Value, w: Place): boolean {
  return (
    h.kind === 'pair' &&
    h.byReturn &&
    w.object.kind === 'allocation' &&
    w.parent === null &&
    v.kind === 'pointer' &&
    v.object === w.object
  );
}

/**
 * Whether an undoing call that names none of what is held may mean this all the same: its argument
 * is a value of which nothing is known,
 * or another name of the device that the pair is about.
 */
export function mayBeMeant(h: Held, api: string, values: readonly Value[]): boolean {
  if (h.kind === 'counter' || !h.undo.includes(api)) return false;
  return (
    !h.byReturn ||
    values.some(
      (v) =>
        v.kind === 'pointer' && (v.object.isWeak || v.hasElement || !FOLLOWED.has(v.object.kind)),
    )
  );
}

/** Objects that are what they are: another one is another object. */
const FOLLOWED: ReadonlySet<AbstractObject['kind']> = new Set<AbstractObject['kind']>([
  'load',
  'allocation',
  'parameter',
  'global',
  'local',
]);

/** Whether a call of `api` is the undoing end of a pair. */
export function isUndo(api: string): boolean {
  return givenBackBy(api).length > 0;
}
