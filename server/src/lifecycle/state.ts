import type { EffectOp } from '../kernel/types.ts';
import { spend } from '../budget/work.ts';
import { settleHeld, type Held } from './held.ts';
import type { DeviceState, Site, Step } from './types.ts';
import type { Mask, Place, Value } from './values.ts';
import { ANY, NEGATIVE, POSITIVE, ZERO, isWeak, placeKey, pointer, valueKey } from './values.ts';

/**
 * A device as one path knows it: its abstract state, and the member path of the vfio_device once an
 * operation named it.
 */
export interface Tracked {
  readonly state: DeviceState;
  readonly member: string | null;
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
  env: Map<string, Value>;
  heap: Map<string, Value>;
  masks: Map<string, Mask>;
  devices: Map<string, Tracked>;
  config: Map<string, boolean>;
  result: Value | null;
  log: readonly LoggedOp[];
  deferred: readonly { readonly callback: string; readonly data: Value }[];
  trace: Trace | null;
  /** The path is inside a loop, where counting would never end. */
  looping: boolean;
  /**
   * What the path has taken and owes, by id. Never changed in place; null where it is no longer
   * followed.
   */
  held: ReadonlyMap<string, Held> | null;
}

export function emptyState(): PathState {
  return {
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
  const m = s.masks.get(v.object) ?? ANY;
  // The address of a member is no null pointer; an error pointer with a small offset is still taken
  // for one.
  return v.path === '' ? m : m === NEGATIVE ? NEGATIVE : POSITIVE;
}

/** Narrows a value to `mask`; false when the path cannot be taken. */
export function assume(s: PathState, v: Value, mask: Mask): boolean {
  const now = maskOf(s, v) & mask;
  if (now === 0) return false;
  if (v.kind === 'pointer' && v.path === '') s.masks.set(v.object, now);
  return true;
}

/** Objects named deeper than this are one object: the bound that keeps list walks finite. */
const MAX_OBJECT_NAME = 160;

/** Reads a place; what was never written is an object named after the place. */
export function load(s: PathState, p: Place): Value {
  const key = placeKey(p);
  const known = s.heap.get(key);
  if (known) return known;
  return pointer(key.length > MAX_OBJECT_NAME ? 'cursor:deep' : `load:${key}`);
}

export function store(s: PathState, p: Place, v: Value): void {
  if (!isWeak(p.object) && !p.path.includes('[]')) s.heap.set(placeKey(p), v);
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
    section(s.heap, (k, v) => `${k}=${valueKey(v)};`) +
    '#' +
    section(s.devices, (o, d) => `${o}:${deviceKey(d)};`);
  key +=
    '#' +
    section(s.masks, (o, m) => (m === ANY || o.startsWith('const:') ? '' : `${o}?${m};`)) +
    '#' +
    section(s.config, (k, v) => `${k}:${v};`) +
    '#';
  for (const l of s.log) key += opKey(l) + ';';
  for (const d of s.deferred) key += d.callback + valueKey(d.data);
  return key;
}

/** The entries of a map as text, in an order that does not depend on how they came in. */
function section<T>(map: ReadonlyMap<string, T>, text: (k: string, v: T) => string): string {
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
      (key = `${l.op}${l.ok ? '+' : '-'}${placeKey(l.place)}@${l.site.path}:${l.site.start}`),
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
    d.member,
  ].join(',');
  deviceKeys.set(d, key);
  return key;
}

/**
 * Facts about an object matter while something can still name it: a live value, or a member that is
 * read later on. A fact
 * about a computed value (`fact~op~operands`) lives as long as its operands.
 */
function isUsed(object: string, used: ReadonlySet<string>, live: ReadonlySet<string>): boolean {
  if (used.has(object) || isParameter(object) || object.startsWith('@')) return true;
  if (object.startsWith('fact~')) {
    return object
      .split('~')
      .slice(2)
      .every((k) => {
        const end = k.indexOf('>');
        return end < 0 || k.startsWith('const:') || isUsed(k.slice(0, end), used, live);
      });
  }
  if (!object.startsWith('load:')) return false;
  const i = object.lastIndexOf('|'),
    base = object.slice(5, i),
    path = object.slice(i + 1);
  // Whether there is drvdata is what callers know of a helper's early return.
  if (path === '@drvdata') return isUsed(base, used, live);
  if (base.startsWith('global:') && path === '') return live.has(base.slice(7));
  return live.has(path.slice(path.lastIndexOf('.'))) || live.has(`.${path}`)
    ? base.startsWith('global:') || isUsed(base, used, live)
    : false;
}

function isParameter(object: string): boolean {
  return object.startsWith('param:') && !object.includes('|');
}

/** Forgets variables that are dead and facts that nothing can use. */
export function prune(s: PathState, live: ReadonlySet<string>): void {
  const used = new Set<string>();
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
