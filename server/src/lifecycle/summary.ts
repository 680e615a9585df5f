import type { Held } from './held.ts';
import { takesOf, type Give } from './resources.ts';
import { placeText, valueText, type AbstractObject, type Place } from './domain/objects.ts';
import { maskOf, membersOf, opKey, type LoggedOp, type PathState } from './domain/path-state.ts';
import { ENDS } from './operate.ts';
import type { ObjectInfo } from './run.ts';
import { spend } from '../budget/work.ts';
import { ANY, type Mask, type Value } from './domain/values.ts';

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
  /** A state of the driver's own decided that it was this way through. */
  readonly ownState: boolean;
  /** What it has taken and not given back. */
  readonly takes: readonly Held[];
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

/** Condenses the states at a function's exits. */
export function summarise(
  exits: readonly PathState[],
  objects: ReadonlyMap<string, ObjectInfo>,
  gives: readonly Give[],
): Summary {
  let outcomes = distinct(exits.map(outcomeOf));
  if (outcomes.length > MAX_OUTCOMES)
    outcomes = distinct(outcomes.map((o) => ({ ...o, takes: [] })));
  if (outcomes.length > MAX_OUTCOMES)
    outcomes = distinct(
      outcomes.map((o) => ({
        ...o,
        assumes: new Map([...o.assumes].filter(([k]) => k.kind === 'parameter')),
      })),
    );
  if (outcomes.length > MAX_OUTCOMES)
    outcomes = distinct(outcomes.map((o) => ({ ...o, assumes: new Map() })));
  // A state of the driver's own is of interest where it decides whether a device's life ends here.
  const ends = new Set(
    outcomes.map((o) =>
      o.ops
        .filter((l) => ENDS.has(l.op))
        .map(opKey)
        .join(),
    ),
  );
  if (ends.size < 2) outcomes = outcomes.map((o) => (o.ownState ? { ...o, ownState: false } : o));
  return {
    outcomes: outcomes.length > 2 * MAX_OUTCOMES ? null : outcomes,
    objects: made(exits, objects),
    gives,
  };
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
export function sameSummary(a: Summary, b: Summary): boolean {
  return same(a, b);
}

function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (isInterned(a) || isInterned(b)) return isInterned(a) && isInterned(b) && idOf(a) === idOf(b);
  if (a instanceof Map) return b instanceof Map && a.size === b.size && same([...a], [...b]);
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((v, i) => same(v, b[i]));
  const left = a as Record<string, unknown>,
    right = b as Record<string, unknown>;
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

export function summaryKey(s: Summary): string {
  return s.outcomes?.map(outcomeKey).sort().join('\n') ?? 'opaque';
}

function outcomeOf(s: PathState): SummaryOutcome {
  const seen = new Set<AbstractObject>();
  const writes: { place: Place; value: Value; mask: Mask }[] = [];
  const reach = (v: Value | null) => {
    if (v?.kind !== 'pointer' || seen.has(v.object)) return;
    seen.add(v.object);
    if (isMade(v.object)) takeMembers(v.object);
  };
  const takeMembers = (object: AbstractObject) => {
    spend(s.heap.size);
    for (const [place, value] of membersOf(s, object)) {
      writes.push({ place, value, mask: maskOf(s, value) });
      reach(value);
    }
  };
  reach(s.result);
  for (const { object } of s.heap.keys()) {
    if (object.isOutside && !seen.has(object)) {
      seen.add(object);
      takeMembers(object);
    }
  }
  for (const d of s.deferred) reach(d.data);
  const assumes = new Map<AbstractObject, Mask>();
  for (const [o, m] of s.masks)
    if (m !== ANY && ((o.isOutside && o.kind !== 'global') || isPortable(o))) assumes.set(o, m);
  return {
    config: s.config,
    assumes,
    writes,
    result: s.result,
    resultMask: s.result ? maskOf(s, s.result) : ANY,
    deferred: s.deferred,
    ops: s.log.filter(
      ({ place }) => !place.object.isWeak && (place.object.isOutside || seen.has(place.object)),
    ),
    uncertain: s.isUncertain,
    ownState: s.followsOwnState,
    takes: takesOf(s),
  };
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
  const operands = object.operands.flatMap((v) => (v.kind === 'pointer' ? [v.object] : []));
  return (
    operands.some(canBeNamed) &&
    operands.every((o) => o.kind === 'symbol' || o.kind === 'literal' || canBeNamed(o))
  );
}

const PORTABLE: ReadonlySet<string> = new Set(['<', '>', '<=', '>=', '==', '!=', '&']);

/** Objects that came to be in the function. */
function isMade(object: AbstractObject): boolean {
  return object.kind === 'allocation' || (object.kind === 'result' && object.of === 'call');
}

function distinct(list: readonly SummaryOutcome[]): SummaryOutcome[] {
  const map = new Map<string, SummaryOutcome>();
  for (const o of list) {
    const k = outcomeKey(o),
      same = map.get(k);
    // Two ways with one result: what told them apart decided nothing.
    map.set(
      k,
      same === undefined || same.ownState === o.ownState
        ? (same ?? o)
        : { ...same, ownState: false },
    );
  }
  return [...map.values()];
}

function outcomeKey(o: SummaryOutcome): string {
  return [
    [...o.config]
      .map(([k, v]) => `${k}:${v}`)
      .sort()
      .join(),
    [...o.assumes]
      .map(([object, mask]) => `${object.id}:${mask}`)
      .sort()
      .join(),
    o.ops.map(opKey).join(),
    o.writes
      .map((w) => `${placeText(w.place)}=${valueText(w.value)}?${w.mask}`)
      .sort()
      .join(),
    resultKey(o),
    o.deferred.map((d) => d.callback).join(),
    o.uncertain,
    o.takes
      .map((h) => h.id)
      .sort()
      .join(),
  ].join('/');
}

/**
 * Values that only the function could name differ in nothing that a caller can see, but for their
 * class.
 */
function resultKey(o: SummaryOutcome): string {
  const v = o.result;
  return v === null
    ? ''
    : v.kind === 'pointer' &&
        !v.object.isOutside &&
        !isMade(v.object) &&
        v.object.kind !== 'symbol' &&
        v.object.kind !== 'literal'
      ? `?${o.resultMask}`
      : `${valueText(v)}?${o.resultMask}`;
}
