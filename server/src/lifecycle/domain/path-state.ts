/** What is known at one point of one path through a function. */
import type { EffectOp } from '../../kernel/types.ts';
import { spend } from '../../budget/work.ts';
import { settleHeld, type Held } from '../held.ts';
import type { DeviceState, Site, Step } from '../types.ts';
import { pathText } from './access-path.ts';
import { adoptObject, adoptPlace, adoptValue } from './adopt.ts';
import { contentOf, placeText, type AbstractObject, type Interner, type Place } from './objects.ts';
import { ANY, NEGATIVE, POSITIVE, ZERO, valueKey, type Mask, type Value } from './values.ts';

/**
 * A device as one path knows it: its abstract state, and the place of the vfio_device in its object
 * once an operation named it.
 */
export interface Tracked {
  readonly state: DeviceState;
  readonly member: Place | null;
}

/** An operation with its outcome decided; a path's log of them is what a caller replays. */
export interface LoggedOp {
  readonly op: EffectOp | 'escape' | 'checked';
  readonly ok: boolean;
  readonly place: Place;
  readonly api: string;
  readonly argument: number | null;
  readonly site: Site;
  /**
   * What it was in the function that contains it was already known there: a caller that replays it
   * reports nothing.
   */
  readonly settled: boolean;
  /** For defer: the callback. */
  readonly callback?: string;
}

/**
 * Steps so far, newest first. Not part of a state's identity: the first path to reach a state gives
 * its trace.
 */
export interface Trace {
  readonly step: Step;
  readonly before: Trace | null;
}

/**
 * What is known at one point of one path. Owned by one holder and changed in place; fork() before
 * keeping a copy.
 */
export interface PathState {
  /** Of all objects that the state speaks of. */
  readonly interner: Interner;
  env: Map<string, Value>;
  heap: Map<Place, Value>;
  masks: Map<AbstractObject, Mask>;
  devices: Map<AbstractObject, Tracked>;
  config: Map<string, boolean>;
  result: Value | null;
  log: readonly LoggedOp[];
  deferred: readonly { readonly callback: string; readonly data: Value }[];
  trace: Trace | null;
  /** The path is inside a loop, where counting would never end. */
  looping: boolean;
  /** What was not understood on the way may have done anything: nothing after it is certain. */
  isUncertain: boolean;
  /** A state that the driver keeps of its own about a device decided that it is this path. */
  followsOwnState: boolean;
  /** The kernel would have crashed here: what follows on this path is not worth a word. */
  hasEnded: boolean;
  /**
   * What the path has taken and owes, by id. Never changed in place; null where it is no longer
   * followed.
   */
  held: ReadonlyMap<string, Held> | null;
}

export function emptyState(interner: Interner): PathState {
  return {
    interner,
    env: new Map(),
    heap: new Map(),
    masks: new Map(),
    devices: new Map(),
    config: new Map(),
    result: null,
    log: [],
    deferred: [],
    trace: null,
    looping: false,
    isUncertain: false,
    followsOwnState: false,
    hasEnded: false,
    held: new Map(),
  };
}

/** How much a state holds: what it costs to copy it or to look through it. */
export function sizeOf(s: PathState): number {
  return (
    1 +
    s.env.size +
    s.heap.size +
    s.masks.size +
    s.devices.size +
    s.config.size +
    s.log.length +
    s.deferred.length +
    (s.held?.size ?? 0)
  );
}

export function fork(s: PathState): PathState {
  spend(sizeOf(s));
  return {
    ...s,
    env: new Map(s.env),
    heap: new Map(s.heap),
    masks: new Map(s.masks),
    devices: new Map(s.devices),
    config: new Map(s.config),
  };
}

export function addStep(s: PathState, step: Step): void {
  s.trace = { step, before: s.trace };
}

/** Oldest first. */
export function stepsOf(trace: Trace | null): Step[] {
  const steps: Step[] = [];
  for (let t = trace; t; t = t.before) steps.push(t.step);
  spend(steps.length);
  return steps.reverse();
}

export function maskOf(s: PathState, v: Value): Mask {
  if (v.kind === 'int') return v.value === 0 ? ZERO : v.value > 0 ? POSITIVE : NEGATIVE;
  if (v.kind === 'function') return POSITIVE;
  const m = s.masks.get(v.object) ?? maskByKind(v.object);
  const inverted = invertedBy(v);
  if (inverted) return m & inverse(maskOf(s, inverted));
  // The address of a member is no null pointer; an error pointer with a small offset is still taken
  // for one.
  return v.parent === null ? m : m === NEGATIVE ? NEGATIVE : POSITIVE;
}

/** Narrows a value to `mask`; false when the path cannot be taken. */
export function assume(s: PathState, v: Value, mask: Mask): boolean {
  const now = maskOf(s, v) & mask;
  if (now === 0) return false;
  if (v.kind === 'pointer' && v.parent === null) s.masks.set(v.object, now);
  const inverted = invertedBy(v);
  return inverted === null || assume(s, inverted, inverse(now));
}

/** An error code is positive. A constant of an unseen header after a minus sign is one, and not 0. */
function maskByKind(object: AbstractObject): Mask {
  if (object.kind !== 'symbol') return ANY;
  if (object.isNegated) return NEGATIVE;
  return object.isErrno ? POSITIVE : ANY;
}

/** x of a value that is `!x`. */
function invertedBy(v: Value): Value | null {
  if (v.kind !== 'pointer' || v.object.kind !== 'computed' || v.object.op !== '!') return null;
  return v.object.operands[0] ?? null;
}

/** What `!x` may be for what x may be, and the other way round. */
function inverse(mask: Mask): Mask {
  return (mask & ZERO ? POSITIVE | NEGATIVE : 0) | (mask & ~ZERO ? ZERO : 0);
}

/** Reads a place; what was never written is an object of its own. */
export function load(s: PathState, p: Place): Value {
  return s.heap.get(p) ?? contentOf(p).start;
}

export function store(s: PathState, p: Place, v: Value): void {
  if (!p.object.isWeak && !p.hasElement) s.heap.set(p, v);
}

/** The places of an object that were written, with what they hold. */
export function* membersOf(s: PathState, object: AbstractObject): Iterable<[Place, Value]> {
  for (const entry of s.heap) if (entry[0].object === object) yield entry;
}

/** The written places that hold a pointer into an object. */
export function* holdersOf(s: PathState, object: AbstractObject): Iterable<[Place, Place]> {
  for (const [at, v] of s.heap) if (v.kind === 'pointer' && v.object === object) yield [at, v];
}

/** Forgets what was written to an object. */
export function forgetMembers(s: PathState, object: AbstractObject): void {
  for (const [at] of membersOf(s, object)) s.heap.delete(at);
}

/**
 * The state as text, but for what it holds: equal text, equal state. To be compared after prune(),
 * which takes out what no longer matters.
 */
export function stateKey(s: PathState): string {
  spend(sizeOf(s));
  let key =
    section(s.env, (n, v) => `${n}=${valueKey(v)};`) +
    (s.result ? `result=${valueKey(s.result)}` : '');
  key +=
    '#' +
    section(s.heap, (at, v) => `${at.serial}=${valueKey(v)};`) +
    '#' +
    section(s.devices, (o, d) => `${o.serial}:${deviceKey(d)};`);
  key +=
    '#' +
    section(s.masks, (o, m) => (m === ANY || isConstant(o) ? '' : `${o.serial}?${m};`)) +
    '#' +
    section(s.config, (k, v) => `${k}:${v};`) +
    '#' +
    flagsKey(s);
  for (const l of s.log) key += opKey(l) + ';';
  for (const d of s.deferred) key += d.callback + valueKey(d.data);
  return key;
}

/** The flags of a path as text. */
export function flagsKey(s: PathState): string {
  return `${s.isUncertain ? '?' : ''}${s.followsOwnState ? '!' : ''}`;
}

/** What is the same wherever it is written. */
function isConstant(object: AbstractObject): boolean {
  return object.kind === 'symbol' || object.kind === 'literal';
}

/** The entries of a map as text, in an order that does not depend on how they came in. */
function section<K, T>(map: ReadonlyMap<K, T>, text: (k: K, v: T) => string): string {
  if (map.size === 0) return '';
  const parts: string[] = [];
  for (const [k, v] of map) parts.push(text(k, v));
  return parts.length === 1 ? parts[0]! : parts.sort().join('');
}

// Operations and tracked devices are never changed, and states share them: their text is made once.
const opKeys = new WeakMap<LoggedOp, string>(),
  deviceKeys = new WeakMap<Tracked, string>();

export function opKey(l: LoggedOp): string {
  let key = opKeys.get(l);
  if (key === undefined)
    opKeys.set(
      l,
      (key = `${l.op}${l.ok ? '+' : '-'}${placeText(l.place)}@${l.site.path}:${l.site.start}`),
    );
  return key;
}

export function deviceKey(d: Tracked): string {
  let key = deviceKeys.get(d);
  if (key !== undefined) return key;
  const s = d.state;
  key = [
    s.model,
    s.reference,
    s.initialised,
    s.registered,
    s.memory,
    s.allocator,
    s.deviceSet,
    s.viaCore,
    s.checked,
    s.nullTested,
    s.escaped,
    s.extraReferences,
    d.member && pathText(d.member),
  ].join(',');
  deviceKeys.set(d, key);
  return key;
}

/**
 * Facts about an object matter while something can still name it: a live value, or a member that is
 * read later on. A fact about a computed value lives as long as its operands.
 */
function isUsed(
  object: AbstractObject,
  used: ReadonlySet<AbstractObject>,
  live: ReadonlySet<string>,
): boolean {
  if (used.has(object)) return true;
  switch (object.kind) {
    case 'parameter':
      return true;
    case 'computed':
      return object.operands.every(
        (v) => v.kind !== 'pointer' || isConstant(v.object) || isUsed(v.object, used, live),
      );
    case 'load':
      return isRead(object.from, used, live);
    default:
      return false;
  }
}

/** Whether a place may still be read. */
function isRead(
  { object, step }: Place,
  used: ReadonlySet<AbstractObject>,
  live: ReadonlySet<string>,
): boolean {
  // What `*param` is, callers know: `__cleanup(f)` gives f the address of a variable.
  if (step === null)
    return object.kind === 'parameter' || (object.kind === 'global' && live.has(object.name));
  // Whether there is drvdata is what callers know of a helper's early return.
  if (step.kind !== 'drvdata' && !(step.kind === 'field' && live.has(`.${step.name}`)))
    return false;
  return (step.kind !== 'drvdata' && object.kind === 'global') || isUsed(object, used, live);
}

/** Forgets variables that are dead and facts that nothing can use. */
export function prune(s: PathState, live: ReadonlySet<string>): void {
  const used = new Set<AbstractObject>();
  for (const [n, v] of s.env)
    if (!live.has(n)) s.env.delete(n);
    else if (v.kind === 'pointer') used.add(v.object);
  for (const v of s.heap.values()) if (v.kind === 'pointer') used.add(v.object);
  for (const d of s.deferred) if (d.data.kind === 'pointer') used.add(d.data.object);
  if (s.result?.kind === 'pointer') used.add(s.result.object);
  for (const [o, d] of s.devices) {
    // Memory that never became a device and that nothing names any more is of no interest; nor is
    // what was done to it.
    if (d.state.model === 'none' && !used.has(o)) {
      s.devices.delete(o);
      s.log = s.log.filter((l) => l.place.object !== o);
    } else used.add(o);
  }
  settleHeld(s, (o) => isUsed(o, used, live));
  for (const o of s.masks.keys()) if (!isUsed(o, used, live)) s.masks.delete(o);
}

/** The state in the objects of another exploration, which goes on where this one ended. */
export function adoptState(own: Interner, s: PathState): PathState {
  spend(sizeOf(s));
  const value = (v: Value) => adoptValue(own, v);
  const member = (place: Place | null) => place && adoptPlace(own, place);
  const mapped = <K, V, W, X>(map: ReadonlyMap<K, V>, key: (k: K) => W, of: (v: V) => X) =>
    new Map([...map].map(([k, v]) => [key(k), of(v)] as const));
  const object = (o: AbstractObject) => adoptObject(own, o);
  return {
    ...s,
    interner: own,
    env: mapped(s.env, (name) => name, value),
    heap: mapped(s.heap, (place) => adoptPlace(own, place), value),
    masks: mapped(s.masks, object, (mask) => mask),
    devices: mapped(s.devices, object, (d) => ({ ...d, member: member(d.member) })),
    config: new Map(s.config),
    result: s.result && value(s.result),
    log: s.log.map((l) => ({ ...l, place: adoptPlace(own, l.place) })),
    deferred: s.deferred.map((d) => ({ ...d, data: value(d.data) })),
    held:
      s.held &&
      new Map(
        [...s.held].map(([id, h]) => [
          id,
          {
            ...h,
            values: h.values.map((v) => adoptPlace(own, v)),
            when: h.when && { ...h.when, object: object(h.when.object) },
          },
        ]),
      ),
  };
}
