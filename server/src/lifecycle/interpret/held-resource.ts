/** A resource that a path holds: where it was taken, what names it, which calls give it back. */
import {
  givenBackBy,
  isManaged,
  outcomeOfTaking,
  takenBy,
  type Outcome,
} from '../../kernel/resource-pairs.ts';
import type { KernelVersion } from '../../kernel/types.ts';
import { opposites } from '../../kernel/heuristics.ts';
import { placeText, rootOf, type AbstractObject, type Place } from '../domain/objects.ts';
import { holdersOf, maskOf, type PathState } from '../domain/path-state.ts';
import type { HeldResource, Site } from '../types.ts';
import { spend } from '../../budget/work.ts';
import { ANY, NEGATIVE, POSITIVE, ZERO, type Mask, type Value } from '../domain/values.ts';

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
  /** It is what a taking call that has failed leaves. */
  readonly isOfFailure?: true;
  /** It is owed only where the device that it names is gone: its owner may have it until then. */
  readonly isOwedByGone?: true;
  /** A seen helper took it by its name alone: what its undo gives back may be given back by hand. */
  readonly bySeen?: true;
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
export function hold(state: PathState, other: Held): void {
  if (state.held === null) return;
  const known = state.held.get(other.id),
    held = new Map(state.held);
  if (known && statusOf(state, known) !== 'free') held.delete(other.id);
  else if (held.size < MAX_HELD) held.set(other.id, other);
  state.held = held;
}

export function drop(state: PathState, isDropped: (held: Held) => boolean): void {
  if (!state.held?.size) return;
  const kept = [...state.held].filter(([, held]) => !isDropped(held));
  if (kept.length < state.held.size) state.held = new Map(kept);
}

/**
 * Whether a resource is held on this path: `free` when the taking failed, `open` when the path has
 * not asked yet.
 */
export function statusOf(state: PathState, held: Held): 'held' | 'free' | 'open' {
  if (held.when === null) return 'held';
  const mask = maskOf(state, held.when.object.start);
  // A pointer that was asked about is one, unless the answer was no: some say so by NULL, others by
  // an error pointer.
  if (held.when.mask === POSITIVE) return status(mask, POSITIVE, mask !== ANY);
  // So is an error code that is not negative.
  if (held.when.mask === ZERO) return status(mask, ZERO, (mask & NEGATIVE) === 0);
  // So is one that is not 0.
  if (held.when.mask === NEGATIVE) return status(mask, NEGATIVE, (mask & ZERO) === 0);
  return status(mask, takenMask(state, held.when), isExact(state, held.when));
}

/** The results that mean that it was taken. */
function takenMask(state: PathState, { object, mask }: NonNullable<Held['when']>): Mask {
  if (mask !== GUESS) return mask;
  // A result that was stored is a pointer; any other is an error code.
  return isStored(state, object) ? POSITIVE : ZERO;
}

/** Whether the result can only be one that means that it was taken. */
function isExact(state: PathState, when: NonNullable<Held['when']>): boolean {
  return (maskOf(state, when.object.start) & ~takenMask(state, when)) === 0;
}

/** Free when the result cannot be one of those that mean that it was taken. */
function status(mask: Mask, taken: Mask, isSettled: boolean): 'held' | 'free' | 'open' {
  if ((mask & taken) === 0) return 'free';
  return isSettled ? 'held' : 'open';
}

/**
 * A result is kept where only a pointer can be, or where none can: what it means to have taken is no
 * guess any more.
 */
export function learnType(state: PathState, result: AbstractObject, isPointer: boolean): void {
  if (!state.held?.size) return;
  const isGuess = ({ when }: Held) => when?.object === result && when.mask === GUESS;
  if (![...state.held.values()].some(isGuess)) return;
  const mask = isPointer ? POSITIVE : ZERO;
  state.held = new Map(
    [...state.held].map(([id, held]) => [
      id,
      isGuess(held) ? { ...held, when: { object: result, mask } } : held,
    ]),
  );
}

/** The results with which something is held that is held where the result is in `when`. */
export function holdsFor(when: Mask): Mask {
  return when === GUESS ? ZERO : when;
}

/**
 * Whether a path that ends here holds a resource. Nobody asks whether a debugfs file could be made.
 */
export function isHeldAtEnd(state: PathState, held: Held): boolean {
  const status = statusOf(state, held);
  return (
    status === 'held' ||
    (status === 'open' &&
      held.api.startsWith('debugfs_') &&
      maskOf(state, held.when!.object.start) === ANY)
  );
}

function isStored(state: PathState, object: AbstractObject): boolean {
  for (const _ of holdersOf(state, object)) return true;
  return false;
}

/**
 * A global variable has it: what the module shares goes when the module does. `module_init()` itself
 * owes it where it fails.
 */
function isEverybodys(state: PathState, held: Held): boolean {
  if (state.ownsGlobals || !held.byReturn || held.kind === 'counter') return false;
  return isHeldBy(state, held, ({ object }) => object.kind === 'global' || object.kind === 'kept');
}

/** A device has it in a member. */
function isMember(state: PathState, held: Held): boolean {
  return isHeldBy(state, held, ({ object }) => state.devices.has(object));
}

function isHeldBy(state: PathState, held: Held, isHolder: (place: Place) => boolean): boolean {
  for (const [at, value] of state.heap)
    if (
      value.kind === 'pointer' &&
      value.parent === null &&
      held.values.some((place) => place.object === value.object) &&
      isHolder(at)
    )
      return true;
  return false;
}

/**
 * Settles what the path has decided, and forgets what nothing can name any more. `isUsed` says of
 * an object whether facts about it stay.
 */
export function settleHeld(state: PathState, isUsed: (object: AbstractObject) => boolean): void {
  if (!state.held?.size) return;
  spend(state.heap.size);
  let changed = false;
  const held = new Map<string, Held>();
  for (const [id, one] of state.held) {
    const other = one.byReturn && !one.kept && isMember(state, one) ? { ...one, kept: true } : one,
      status = statusOf(state, other);
    changed ||= other !== one;
    const ends =
      status === 'free' ||
      isEverybodys(state, other) ||
      (other.byReturn &&
        !other.kept &&
        other.kind === 'pair' &&
        !other.values.some((place) => isUsed(place.object)));
    // A result that nothing asks about any more: a path that never did goes on as if the call had
    // succeeded.
    const isLost = status === 'open' && !isUsed(other.when!.object);
    const isAsked = isLost && maskOf(state, other.when!.object.start) !== ANY;
    if (ends || isAsked || (isLost && other.isOfFailure === true)) {
      changed = true;
      continue;
    }
    // A later test may still find that the result is none of those that mean that it was taken.
    const isFinal =
      other.when !== null &&
      status === 'held' &&
      (isExact(state, other.when) || !isUsed(other.when.object));
    if (isFinal || isLost) {
      changed = true;
      held.set(id, { ...other, when: null });
    } else held.set(id, other);
  }
  if (changed) state.held = held;
}

/** What two paths that are joined both hold for certain. */
export function heldByBoth(left: PathState, right: PathState): PathState['held'] {
  if (left.held === null || right.held === null) return null;
  return new Map(
    [...left.held]
      .filter(([id, held]) => {
        const other = right.held!.get(id);
        return (
          other !== undefined &&
          statusOf(left, held) === 'held' &&
          statusOf(right, other) === 'held'
        );
      })
      .map(([id, held]) => [id, { ...held, when: null }]),
  );
}

/** What is asked of the module and its target where a call may take something. */
interface Asked {
  readonly kernel: KernelVersion;
  readonly isCalled: (name: string) => boolean;
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
  { kernel, isCalled }: Asked,
  isNamed: boolean,
  returns: Outcome | null,
): Held | null {
  const pair = takenBy(name);
  if (pair) {
    const isOwed = pair.into !== undefined || isUndone(pair.undo, isCalled);
    if (UNOWED.has(name) || isManaged(name, kernel, isCalled) || !isOwed) return null;
    const value = pair.taken === 'return' ? result : values[pair.taken];
    if (!isNameable(value)) return null;
    const into = pair.into === undefined ? 'none' : linkedInto(values[pair.into], value);
    if (into === 'own') return null;
    return {
      undo: pair.undo,
      values: [value, pair.alias === undefined ? undefined : values[pair.alias]].filter(isNameable),
      byReturn: pair.taken === 'return',
      when: whenOf(result, outcomeOfTaking(name)),
      ...made(name, 'pair', site, value),
      ...(into === 'owner' && { isOwedByGone: true as const }),
    };
  }
  const undo = isNamed ? opposites(name) : [];
  if (!isUndone(undo, isCalled)) return null;
  const first = values.find((value) => isNameable(value));
  const named = [first, result].filter((value) => isNameable(value));
  if (!named.length) return null;
  return {
    undo,
    values: named,
    byReturn: first === undefined,
    when: returns === null ? whenGuessed(result) : whenOf(result, returns),
    ...made(name, 'named', site, first ?? (result as Place)),
  };
}

/** What is owed where a call that takes something has failed; null where that is nothing. */
export function owedByFailure(taking: Held): Held | null {
  const undo = takenBy(taking.api)?.whenFailed;
  return undo === undefined || taking.when === null
    ? null
    : {
        ...taking,
        id: `failed ${taking.id}`,
        undo,
        when: { object: taking.when.object, mask: NEGATIVE },
        isOfFailure: true,
      };
}

/**
 * Whose list something is linked into: a global's, which lasts; another object's that the function
 * was given, which may last and may be what frees its elements; or its own.
 */
function linkedInto(list: Value | undefined, node: Place): 'lasting' | 'owner' | 'own' {
  if (list?.kind !== 'pointer' || list.object === node.object) return 'own';
  const from = rootOf(list.object);
  const of = rootOf(node.object);
  if (from.kind === 'global' && of !== from) return 'lasting';
  return from.kind === 'parameter' && of.kind === 'allocation' ? 'owner' : 'own';
}

/**
 * Whether it is owed where a path ends: an element may stay in the list of its owner for as long as
 * it lives.
 */
export function isOwedAtEnd(state: PathState, held: Held): boolean {
  if (!isHeldAtEnd(state, held)) return false;
  if (held.isOwedByGone === undefined) return true;
  const device = held.values[0] && state.devices.get(held.values[0].object)?.state;
  return device?.reference === 'dropped' || device?.memory === 'freed';
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

function made(api: string, kind: Held['kind'], site: Site, place: Place) {
  return {
    id: heldId(site, place),
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
export function isNameable(value: Value | undefined): value is Place {
  return (
    value?.kind === 'pointer' &&
    !value.object.isWeak &&
    !value.hasElement &&
    !NAMELESS.has(value.object.kind)
  );
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
export function isGivenBack(held: Held, api: string, values: readonly Value[]): boolean {
  if (held.kind === 'counter' || !held.undo.includes(api)) return false;
  const pair = held.kind === 'pair' ? takenBy(held.api) : undefined;
  // A text names it: there is no telling which of several.
  if (pair?.byName?.includes(api)) return true;
  return values.some((value) =>
    held.values.some((place) => place === value || isFirstMember(held, value, place)),
  );
}

/**
 * The memory by the address of a member: only its first member has an address that can be freed, as
 * drvdata that a core insists on has it.
 */
function isFirstMember(held: Held, value: Value, place: Place): boolean {
  return (
    held.kind === 'pair' &&
    held.byReturn &&
    place.object.kind === 'allocation' &&
    place.parent === null &&
    value.kind === 'pointer' &&
    value.object === place.object
  );
}

/**
 * Whether an undoing call that names none of what is held may mean this all the same: its argument
 * is a value of which nothing is known,
 * or another name of the device that the pair is about.
 */
export function mayBeMeant(held: Held, api: string, values: readonly Value[]): boolean {
  if (held.kind === 'counter' || !held.undo.includes(api)) return false;
  return (
    !held.byReturn ||
    values.some(
      (value) =>
        value.kind === 'pointer' &&
        (value.object.isWeak || value.hasElement || !FOLLOWED.has(value.object.kind)),
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
