import { heldByBoth } from './held.ts';
import { spend } from '../budget/work.ts';
import { contentOf, joinedValue, placeText } from './domain/objects.ts';
import {
  deviceKey,
  flagsKey,
  fork,
  maskOf,
  opKey,
  sizeOf,
  stateKey,
  type LoggedOp,
  type PathState,
  type Tracked,
} from './domain/path-state.ts';
import { ANY, sameValue, valueKey, type Value } from './domain/values.ts';

/**
 * When a program point has too many states, those that agree on the devices become one, which knows
 * only what all of them know. What
 * tells the devices apart (the result of a registration that failed) is thereby kept; what does not
 * (forty options) is given up.
 */

/** What a state says of devices, as text: states with equal text may be joined. */
function classKey(s: PathState): string {
  spend(sizeOf(s));
  const parts: string[] = [flagsKey(s)];
  for (const [o, d] of s.devices) if (isDevice(d)) parts.push(`${o.serial}:${deviceKey(d)}`);
  const held = (k: string | number, v: Value) => {
    if (v.kind === 'pointer' && isDevice(s.devices.get(v.object)))
      parts.push(`${k}=${valueKey(v)}`);
  };
  for (const [n, v] of s.env) held(n, v);
  for (const [at, v] of s.heap) held(at.serial, v);
  for (const [o, m] of s.masks) if (isDevice(s.devices.get(o))) parts.push(`${o.serial}?${m}`);
  parts.sort();
  for (const l of s.log) if (decides(s, l)) parts.push(opKey(l));
  for (const d of s.deferred) parts.push(d.callback + valueKey(d.data));
  if (s.result) parts.push(`result?${maskOf(s, s.result)}`);
  return parts.join(';');
}

/** More than memory that is no vfio_device yet, and than something of which nothing is known. */
function isDevice(t: Tracked | undefined): boolean {
  if (t === undefined || t.state.model === 'none') return false;
  const { model, reference, registered, initialised, memory } = t.state;
  return (
    model !== 'unknown' ||
    reference !== 'unknown' ||
    registered !== 'unknown' ||
    initialised !== 'unknown' ||
    memory !== 'unknown'
  );
}

/** Whether an operation in the log tells states apart. */
function decides(s: PathState, l: LoggedOp): boolean {
  return l.op !== 'escape' && l.op !== 'checked' && isDevice(s.devices.get(l.place.object));
}

/** The joined states of one program point, by class. */
export interface Joined {
  /**
   * Takes a state in. Returns the state to go on with, or null when it adds nothing. Takes over
   * `s`.
   */
  add(s: PathState): PathState | null;
}

/**
 * @param where names the program point: what is joined there and differs is a value of that name.
 * @param isAskedLater whether a test of the configuration may come again.
 */
export function createJoined(where: string, isAskedLater: (test: string) => boolean): Joined {
  const classes = new Map<string, PathState>();
  return {
    add(s) {
      const key = classKey(s),
        before = classes.get(key);
      if (!before) {
        classes.set(key, s);
        return fork(s);
      }
      const merged = join(before, s, where, isAskedLater);
      if (stateKey(merged) === stateKey(before)) return null;
      classes.set(key, merged);
      return fork(merged);
    },
  };
}

/** Joins the states of a list that agree on the devices. */
export function joinAll(
  list: readonly PathState[],
  where: string,
  isAskedLater: (test: string) => boolean,
): PathState[] {
  const classes = new Map<string, PathState>();
  for (const s of list) {
    const key = classKey(s),
      before = classes.get(key);
    classes.set(key, before ? join(before, s, where, isAskedLater) : s);
  }
  return [...classes.values()];
}

/** What two states of one class have in common. */
function join(
  a: PathState,
  b: PathState,
  where: string,
  isAskedLater: (test: string) => boolean,
): PathState {
  spend(sizeOf(b));
  const s = fork(a);
  const differs = (name: string, x: Value, y: Value): Value => {
    const object = joinedValue(s.interner, where, name),
      m = maskOf(a, x) | maskOf(b, y);
    if (m === ANY) s.masks.delete(object);
    else s.masks.set(object, m);
    return object.start;
  };
  for (const [o, m] of a.masks) {
    const both = m | (b.masks.get(o) ?? ANY);
    if (both === ANY) s.masks.delete(o);
    else s.masks.set(o, both);
  }
  for (const [o, d] of a.devices) {
    const other = b.devices.get(o);
    if (other ? deviceKey(other) !== deviceKey(d) : d.state.model === 'none') s.devices.delete(o);
  }
  for (const [o, d] of b.devices)
    if (!a.devices.has(o) && d.state.model !== 'none') s.devices.set(o, d);
  const inA = new Set(a.log.map(opKey)),
    inB = new Set(b.log.map(opKey));
  // What one of them only may have handed out is out of hand; what one of them only did to plain
  // memory is forgotten.
  s.log = [
    ...a.log.filter((l) => l.op === 'escape' || inB.has(opKey(l))),
    ...b.log.filter((l) => l.op === 'escape' && !inA.has(opKey(l))),
  ];
  for (const n of new Set([...a.env.keys(), ...b.env.keys()])) {
    const x = a.env.get(n),
      y = b.env.get(n);
    if (!x || !y) s.env.delete(n);
    else if (!sameValue(x, y)) s.env.set(n, differs(n, x, y));
  }
  for (const k of new Set([...a.heap.keys(), ...b.heap.keys()])) {
    // A place that was never written holds what it held at the beginning.
    const initial = contentOf(k).start,
      x = a.heap.get(k) ?? initial,
      y = b.heap.get(k) ?? initial;
    if (!sameValue(x, y)) s.heap.set(k, differs(placeText(k), x, y));
  }
  if (a.result && b.result && !sameValue(a.result, b.result))
    s.result = differs('result', a.result, b.result);
  s.held = heldByBoth(a, b);
  for (const [test, holds] of a.config) {
    if (b.config.get(test) === holds) continue;
    s.config.delete(test);
    // The arms of a test that comes again can no longer be told apart.
    if (isAskedLater(test)) s.isUncertain = true;
  }
  for (const test of b.config.keys())
    if (!a.config.has(test) && isAskedLater(test)) s.isUncertain = true;
  return s;
}
