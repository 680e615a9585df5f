/**
 * What callers need to know of a function: for each way that it ends, its condition, result and
 * effects.
 */
import type { Held } from './held-resource.ts';
import { takesOf } from './helper-resources.ts';
import type { Give, HelperResources } from './resource-log.ts';
import { placeText, valueText, type AbstractObject, type Place } from '../domain/objects.ts';
import { maskOf, membersOf, opKey, type LoggedOp, type PathState } from '../domain/path-state.ts';
import { ENDS } from './device-operations.ts';
import type { ObjectInfo } from './run.ts';
import { spend } from '../../budget/work.ts';
import { ANY, type Mask, type Value } from '../domain/values.ts';

/**
 * One way through a function, in terms of its parameters, what they lead to, globals, and objects
 * it made.
 */
export interface SummaryOutcome {
  readonly config: ReadonlyMap<string, boolean>;
  /** What the parameters, and members of what they point to, must be for this outcome. */
  readonly assumes: ReadonlyMap<AbstractObject, Mask>;
  readonly ops: readonly LoggedOp[];
  /** With what the value may be, where only this function can name it. */
  readonly writes: readonly { readonly place: Place; readonly value: Value; readonly mask: Mask }[];
  readonly result: Value | null;
  readonly resultMask: Mask;
  readonly deferred: PathState['deferred'];
  readonly uncertain: boolean;
  /** As PathState.hidden. */
  readonly hidden: number;
  /** A state of the driver's own decided that it was this way through. */
  readonly ownState: boolean;
  /** It has put or freed an element of a collection, which callers cannot name. */
  readonly endsElements: boolean;
  /** What it has taken and not given back. */
  readonly takes: readonly Held[];
  /** The result is something that it found and took a reference of: the place of its device. */
  readonly finds: Place | null;
}

/** What callers need of a function: its outcomes, or null for one that was given up. */
export interface Summary {
  readonly outcomes: readonly SummaryOutcome[] | null;
  /** By the ids of objects. */
  readonly objects: ReadonlyMap<string, ObjectInfo>;
  /** What it gives back on any path without having taken it. */
  readonly gives: readonly Give[];
  /** It does nothing to devices: what it does with resources is found out when it is asked for. */
  readonly isHarmless?: boolean;
}

/** More ways than this through a helper are no longer told apart by what their parameters were. */
const MAX_OUTCOMES = 16;
/** A helper with more than these, which differ in what they do, is unknown code. */
const MAX_DIFFERENT = 2 * MAX_OUTCOMES;

/** Condenses the states at a function's exits. */
export function summarise(
  exits: readonly PathState[],
  objects: ReadonlyMap<string, ObjectInfo>,
  gives: readonly Give[],
): Summary {
  const all = keyedOutcomes(exits);
  if (all === null) return { outcomes: null, objects: made(exits, objects), gives };
  let outcomes = distinct(all);
  if (outcomes.length > MAX_OUTCOMES)
    outcomes = distinct(
      outcomes.map((one) => ({ ...one, outcome: { ...one.outcome, takes: [] }, takes: '' })),
    );
  if (outcomes.length > MAX_OUTCOMES)
    outcomes = distinct(
      outcomes.map((one) => {
        const { outcome } = one;
        const assumes = [...outcome.assumes].filter(([object]) => object.kind === 'parameter');
        return {
          ...one,
          outcome: { ...outcome, assumes: new Map(assumes) },
          assumes: assumesKey(assumes),
        };
      }),
    );
  if (outcomes.length > MAX_OUTCOMES)
    outcomes = distinct(
      outcomes.map((one) => ({
        ...one,
        outcome: { ...one.outcome, assumes: new Map() },
        assumes: '',
      })),
    );
  return condensed(
    outcomes.map(({ outcome }) => outcome),
    made(exits, objects),
    gives,
  );
}

/** The outcomes at the exits; null where too many of them differ in what they do. */
function keyedOutcomes(exits: readonly PathState[]): Keyed[] | null {
  const list: Keyed[] = [],
    different = new Set<string>();
  for (const exit of exits) {
    const one = keyed(outcomeOf(exit));
    if (different.add(one.rest).size > MAX_DIFFERENT) return null;
    list.push(one);
  }
  return list;
}

function condensed(
  all: readonly SummaryOutcome[],
  objects: Summary['objects'],
  gives: Summary['gives'],
): Summary {
  let outcomes = all;
  // A state of the driver's own is of interest where it decides whether a device's life ends here.
  const ends = new Set(
    outcomes.map((outcome) =>
      outcome.ops
        .filter((logged) => ENDS.has(logged.op))
        .map(opKey)
        .join(),
    ),
  );
  if (ends.size < 2)
    outcomes = outcomes.map((outcome) =>
      outcome.ownState ? { ...outcome, ownState: false } : outcome,
    );
  return { outcomes, objects, gives };
}

/** What is known of the objects that a caller does not find without being told of them. */
function made(
  exits: readonly PathState[],
  objects: ReadonlyMap<string, ObjectInfo>,
): ReadonlyMap<string, ObjectInfo> {
  const list: [string, ObjectInfo][] = [];
  for (const { id, kind } of exits[0]?.interner.roots.values() ?? []) {
    const info = kind === 'allocation' || kind === 'result' ? objects.get(id) : undefined;
    if (info) list.push([id, info]);
  }
  return new Map(list);
}

/**
 * Whether callers can tell the two apart. Where the object of an escape or a test got out of sight
 * or was tested is nothing to them.
 */
export function sameSummary(left: Summary, right: Summary): boolean {
  return same(left, right);
}

/** The same for what a helper does with resources. */
export function sameHelper(left: HelperResources, right: HelperResources): boolean {
  return same(left, right);
}

function same(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null)
    return false;
  if (isInterned(one) || isInterned(other))
    return isInterned(one) && isInterned(other) && idOf(one) === idOf(other);
  if (one instanceof Map)
    return other instanceof Map && one.size === other.size && same([...one], [...other]);
  if (Array.isArray(one))
    return (
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((item, i) => same(item, other[i]))
    );
  const left = one as Record<string, unknown>,
    right = other as Record<string, unknown>;
  const isSilent = left['op'] === 'escape' || left['op'] === 'checked';
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => (isSilent && key === 'site') || same(left[key], right[key]))
  );
}

type Interned = AbstractObject | Place;

function isInterned(thing: object): thing is Interned {
  return 'serial' in thing;
}

function idOf(thing: Interned): string {
  return thing.kind === 'pointer' ? placeText(thing) : thing.id;
}

export function summaryKey(summary: Summary): string {
  return (
    summary.outcomes
      ?.map((outcome) => keyOf(keyed(outcome)))
      .sort()
      .join('\n') ?? 'opaque'
  );
}

function outcomeOf(state: PathState): SummaryOutcome {
  const seen = new Set<AbstractObject>();
  const writes: { place: Place; value: Value; mask: Mask }[] = [];
  const reach = (value: Value | null) => {
    if (value?.kind !== 'pointer' || seen.has(value.object)) return;
    seen.add(value.object);
    if (isMade(value.object)) takeMembers(value.object);
  };
  const takeMembers = (object: AbstractObject) => {
    spend(state.heap.size);
    for (const [place, value] of membersOf(state, object)) {
      writes.push({ place, value, mask: maskOf(state, value) });
      reach(value);
    }
  };
  reach(state.result);
  for (const { object } of state.heap.keys()) {
    if (object.isOutside && !seen.has(object)) {
      seen.add(object);
      takeMembers(object);
    }
  }
  for (const deferred of state.deferred) reach(deferred.data);
  const assumes = new Map<AbstractObject, Mask>();
  for (const [object, mask] of state.masks)
    if (mask !== ANY && ((object.isOutside && object.kind !== 'global') || isPortable(object)))
      assumes.set(object, mask);
  return {
    config: new Map(state.config),
    assumes,
    writes,
    result: state.result,
    resultMask: state.result ? maskOf(state, state.result) : ANY,
    deferred: state.deferred,
    ops: state.log.filter(
      ({ place }) => !place.object.isWeak && (place.object.isOutside || seen.has(place.object)),
    ),
    uncertain: state.isUncertain,
    hidden: state.hidden,
    ownState: state.followsOwnState,
    endsElements: state.endsElements,
    takes: takesOf(state),
    finds: foundDevice(state),
  };
}

/** The vfio_device in the result that `get_device(&found->vdev.device)` has taken a reference of. */
function foundDevice({ result, log }: PathState): Place | null {
  if (result?.kind !== 'pointer' || result.parent !== null) return null;
  const { object } = result;
  if (!object.isWeak && object.kind !== 'result') return null;
  const own = log.filter(({ place }) => place.object === object);
  const got = own.find(({ op }) => op === 'get');
  return got && !own.some(({ op }) => op === 'put') ? got.place.parent : null;
}

/**
 * A comparison of what a caller can name, or a test of its bits, with a constant or with another
 * such thing.
 */
function isPortable(object: AbstractObject): boolean {
  return object.kind === 'computed' && PORTABLE.has(object.op) && canBeNamed(object);
}

/** Computed from what a caller can name, and from constants. */
function canBeNamed(object: AbstractObject): boolean {
  if (object.kind !== 'computed') return object.isOutside;
  const operands = object.operands.flatMap((value) =>
    value.kind === 'pointer' ? [value.object] : [],
  );
  return (
    operands.some(canBeNamed) &&
    operands.every(
      (other) => other.kind === 'symbol' || other.kind === 'literal' || canBeNamed(other),
    )
  );
}

const PORTABLE: ReadonlySet<string> = new Set(['<', '>', '<=', '>=', '==', '!=', '&']);

/** Objects that came to be in the function. */
function isMade(object: AbstractObject): boolean {
  return object.kind === 'allocation' || (object.kind === 'result' && object.of === 'call');
}

/** An outcome with what it is told from others by, in three parts. */
interface Keyed {
  readonly outcome: SummaryOutcome;
  readonly takes: string;
  readonly assumes: string;
  readonly rest: string;
}

function keyed(outcome: SummaryOutcome): Keyed {
  return {
    outcome,
    takes: sorted(outcome.takes.map((held) => held.id)),
    assumes: assumesKey([...outcome.assumes]),
    rest: [
      sorted([...outcome.config].map(([key, value]) => `${key}:${value}`)),
      outcome.ops.map(opKey).join(),
      sorted(
        outcome.writes.map(
          (write) => `${placeText(write.place)}=${valueText(write.value)}?${write.mask}`,
        ),
      ),
      resultKey(outcome),
      outcome.deferred.map((deferred) => deferred.callback).join(),
      outcome.uncertain,
      outcome.hidden,
      outcome.endsElements,
      outcome.finds && placeText(outcome.finds),
    ].join('/'),
  };
}

function assumesKey(assumes: readonly (readonly [AbstractObject, Mask])[]): string {
  return sorted(assumes.map(([object, mask]) => `${object.id}:${mask}`));
}

function sorted(texts: string[]): string {
  return texts.length > 1 ? texts.sort().join() : (texts[0] ?? '');
}

function keyOf({ takes, assumes, rest }: Keyed): string {
  return `${rest}/${assumes}/${takes}`;
}

function distinct(list: readonly Keyed[]): Keyed[] {
  const map = new Map<string, Keyed>();
  for (const one of list) {
    const key = keyOf(one),
      same = map.get(key);
    // Two ways with one result: what told them apart decided nothing.
    if (same === undefined) map.set(key, one);
    else if (same.outcome.ownState !== one.outcome.ownState)
      map.set(key, { ...same, outcome: { ...same.outcome, ownState: false } });
  }
  return [...map.values()];
}

/**
 * Values that only the function could name differ in nothing that a caller can see, but for their
 * class.
 */
function resultKey(outcome: SummaryOutcome): string {
  const value = outcome.result;
  if (value === null) return '';
  const isUnnamed =
    value.kind === 'pointer' &&
    !value.object.isOutside &&
    !isMade(value.object) &&
    value.object.kind !== 'symbol' &&
    value.object.kind !== 'literal';
  return `${isUnnamed ? '' : valueText(value)}?${outcome.resultMask}`;
}
