import type { Held } from './held.ts';
import { takesOf, type Give } from './resources.ts';
import type { LoggedOp, PathState } from './state.ts';
import { maskOf, opKey } from './state.ts';
import { ENDS, followsOwnState } from './operate.ts';
import type { ObjectInfo } from './run.ts';
import { spend } from '../budget/work.ts';
import { ANY, isWeak, placeKey, valueKey, type Mask, type Place, type Value } from './values.ts';

/**
 * One way through a function, in terms of its parameters, what they lead to, globals, and objects
 * it made.
 */
export interface SummaryOutcome {
  readonly config: ReadonlyMap<string, boolean>;
  /** What the parameters, and members of what they point to, must be for this outcome. */
  readonly assumes: ReadonlyMap<string, Mask>;
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
        assumes: new Map([...o.assumes].filter(([k]) => k.startsWith('param:'))),
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
    objects: new Map([...objects].filter(([o]) => !NAMED.test(o))),
    gives,
  };
}

/** Objects that a caller finds without being told of them. */
const NAMED = /^(param|global|load|const):/;

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
  if (a instanceof Map)
    return (
      b instanceof Map &&
      a.size === b.size &&
      [...a].every(([key, v]) => b.has(key) && same(v, b.get(key)))
    );
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

export function summaryKey(s: Summary): string {
  return s.outcomes?.map(outcomeKey).sort().join('\n') ?? 'opaque';
}

function outcomeOf(s: PathState): SummaryOutcome {
  const seen = new Set<string>();
  const writes: { place: Place; value: Value; mask: Mask }[] = [];
  const reach = (v: Value | null) => {
    if (v?.kind !== 'pointer' || seen.has(v.object)) return;
    seen.add(v.object);
    if (isMade(v.object)) takeMembers(v.object);
  };
  const takeMembers = (object: string) => {
    spend(s.heap.size);
    for (const [k, v] of s.heap) {
      const i = k.lastIndexOf('|');
      if (k.slice(0, i) !== object) continue;
      writes.push({ place: { object, path: k.slice(i + 1) }, value: v, mask: maskOf(s, v) });
      reach(v);
    }
  };
  reach(s.result);
  for (const k of s.heap.keys()) {
    const o = k.slice(0, k.lastIndexOf('|'));
    if (isOutside(o) && !seen.has(o)) {
      seen.add(o);
      takeMembers(o);
    }
  }
  for (const d of s.deferred) reach(d.data);
  const assumes = new Map<string, Mask>();
  for (const [o, m] of s.masks)
    if (m !== ANY && ((isOutside(o) && !o.startsWith('global:')) || isPortableFact(o)))
      assumes.set(o, m);
  return {
    config: s.config,
    assumes,
    writes,
    result: s.result,
    resultMask: s.result ? maskOf(s, s.result) : ANY,
    deferred: s.deferred,
    ops: s.log.filter(
      (l) => !isWeak(l.place.object) && (isOutside(l.place.object) || seen.has(l.place.object)),
    ),
    uncertain: s.masks.has('@uncertain'),
    ownState: followsOwnState(s),
    takes: takesOf(s),
  };
}

/**
 * A comparison of what a caller can name, or a test of its bits, with a constant or with another
 * such thing.
 */
function isPortableFact(o: string): boolean {
  const parts = o.startsWith('fact~') ? o.split('~') : [];
  return (
    parts.length === 4 &&
    /^([<>=!]=?|&)$/.test(parts[1]!) &&
    parts.slice(2).some((k) => isOutside(k)) &&
    parts
      .slice(2)
      .every(
        (k) =>
          /^-?\d+$/.test(k) || k.startsWith('const:') || isOutside(k.slice(0, k.lastIndexOf('>'))),
      )
  );
}

/** Objects that a caller can name too. */
export function isOutside(object: string): boolean {
  return (
    /^(param|drvdata|global):/.test(object) ||
    (object.startsWith('load:') && isOutside(object.slice(5, object.lastIndexOf('|'))))
  );
}
/** Objects that came to be in the function. */
function isMade(object: string): boolean {
  return object.startsWith('alloc:') || object.startsWith('call:');
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
      .map(([k, v]) => `${k}:${v}`)
      .sort()
      .join(),
    o.ops.map(opKey).join(),
    o.writes
      .map((w) => `${placeKey(w.place)}=${valueKey(w.value)}?${w.mask}`)
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
        !isOutside(v.object) &&
        !isMade(v.object) &&
        !v.object.startsWith('const:')
      ? `?${o.resultMask}`
      : `${valueKey(v)}?${o.resultMask}`;
}
