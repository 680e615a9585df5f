/** When two paths may be taken for one, and what is left of what each of them knows. */
import { heldByBoth } from './held-resource.ts';
import { spend } from '../../budget/work.ts';
import { contentOf, joinedValue, placeText, type Place } from '../domain/objects.ts';
import { fingerprint } from '../domain/fingerprint.ts';
import {
  deviceKey,
  flagsOf,
  fork,
  maskOf,
  opKey,
  sizeOf,
  type LoggedOp,
  type PathState,
  type Tracked,
} from '../domain/path-state.ts';
import { ANY, sameValue, valueKey, type Value } from '../domain/values.ts';

/**
 * When a program point has too many states, those that agree on the devices become one, which knows
 * only what all of them know. What
 * tells the devices apart (the result of a registration that failed) is thereby kept; what does not
 * (forty options) is given up.
 */

/** What a state says of devices, as text: states with equal text may be joined. */
function classKey(state: PathState): string {
  spend(sizeOf(state));
  const parts: string[] = [`${flagsOf(state)}`];
  state.devices.forEach((tracked, object) => {
    if (isDevice(tracked)) parts.push(`${object.serial}:${deviceKey(tracked)}`);
  });
  if (parts.length > 1) {
    const held = (key: string | number, value: Value) => {
      if (value.kind === 'pointer' && isDevice(state.devices.get(value.object)))
        parts.push(`${key}=${valueKey(value)}`);
    };
    state.env.forEach((value, name) => held(name, value));
    state.heap.forEach((value, at) => held(at.serial, value));
    state.masks.forEach((mask, object) => {
      if (isDevice(state.devices.get(object))) parts.push(`${object.serial}?${mask}`);
    });
    parts.sort();
    for (const logged of state.log) if (decides(state, logged)) parts.push(opKey(logged));
  }
  for (const deferred of state.deferred) parts.push(deferred.callback + valueKey(deferred.data));
  if (state.result) parts.push(`result?${maskOf(state, state.result)}`);
  return parts.join(';');
}

/** More than memory that is no vfio_device yet, and than something of which nothing is known. */
function isDevice(tracked: Tracked | undefined): boolean {
  if (tracked === undefined || tracked.state.model === 'none') return false;
  const { model, reference, registered, initialised, memory } = tracked.state;
  return (
    model !== 'unknown' ||
    reference !== 'unknown' ||
    registered !== 'unknown' ||
    initialised !== 'unknown' ||
    memory !== 'unknown'
  );
}

/** Whether an operation in the log tells states apart. */
function decides(state: PathState, logged: LoggedOp): boolean {
  return (
    logged.op !== 'escape' &&
    logged.op !== 'checked' &&
    isDevice(state.devices.get(logged.place.object))
  );
}

/** The joined states of one program point, by class. */
export interface Joined {
  /**
   * Takes a state in. Returns the state to go on with, or null when it adds nothing. Takes over
   * `s`.
   */
  add(state: PathState): PathState | null;
}

/**
 * @param where names the program point: what is joined there and differs is a value of that name.
 * @param isAskedLater whether a test of the configuration may come again.
 */
export function createJoined(where: string, isAskedLater: (test: string) => boolean): Joined {
  const classes = new Map<string, PathState>();
  return {
    add(state) {
      const key = classKey(state),
        before = classes.get(key);
      if (!before) {
        classes.set(key, state);
        return fork(state);
      }
      const merged = join(before, state, where, isAskedLater);
      if (fingerprint(merged) === fingerprint(before)) return null;
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
  for (const state of list) {
    const key = classKey(state),
      before = classes.get(key);
    classes.set(key, before ? join(before, state, where, isAskedLater) : state);
  }
  return [...classes.values()];
}

/** What two states of one class have in common. */
function join(
  left: PathState,
  right: PathState,
  where: string,
  isAskedLater: (test: string) => boolean,
): PathState {
  spend(sizeOf(right));
  const state = fork(left);
  const differs = (name: string, value: Value, operand: Value): Value => {
    const object = joinedValue(state.interner, where, name),
      mask = maskOf(left, value) | maskOf(right, operand);
    if (mask === ANY) state.masks.delete(object);
    else state.masks.set(object, mask);
    return object.start;
  };
  left.masks.forEach((mask, object) => {
    const both = mask | (right.masks.get(object) ?? ANY);
    if (both === ANY) state.masks.delete(object);
    else state.masks.set(object, both);
  });
  left.devices.forEach((tracked, object) => {
    const other = right.devices.get(object);
    if (
      other !== tracked &&
      (other ? deviceKey(other) !== deviceKey(tracked) : tracked.state.model === 'none')
    )
      state.devices.delete(object);
  });
  right.devices.forEach((tracked, object) => {
    if (!left.devices.has(object) && tracked.state.model !== 'none')
      state.devices.set(object, tracked);
  });
  if (left.log !== right.log) state.log = logOfBoth(left.log, right.log);
  left.env.forEach((value, name) => {
    const operand = right.env.get(name);
    if (!operand) state.env.delete(name);
    else if (!sameValue(value, operand)) state.env.set(name, differs(name, value, operand));
  });
  const atPlace = (place: Place) => {
    // A place that was never written holds what it held at the beginning.
    const initial = contentOf(place).start,
      value = left.heap.get(place) ?? initial,
      operand = right.heap.get(place) ?? initial;
    if (!sameValue(value, operand))
      state.heap.set(place, differs(placeText(place), value, operand));
  };
  left.heap.forEach((_, place) => atPlace(place));
  right.heap.forEach((_, place) => {
    if (!left.heap.has(place)) atPlace(place);
  });
  if (left.result && right.result && !sameValue(left.result, right.result))
    state.result = differs('result', left.result, right.result);
  state.held = heldByBoth(left, right);
  state.endsElements ||= right.endsElements;
  for (const [test, holds] of left.config) {
    if (right.config.get(test) === holds) continue;
    state.config.delete(test);
    // The arms of a test that comes again can no longer be told apart.
    if (isAskedLater(test)) state.isUncertain = true;
  }
  for (const test of right.config.keys())
    if (!left.config.has(test) && isAskedLater(test)) state.isUncertain = true;
  return state;
}

/**
 * What one of them only may have handed out is out of hand; what one of them only did to plain
 * memory is forgotten.
 */
function logOfBoth(left: PathState['log'], right: PathState['log']): PathState['log'] {
  const inLeft = new Set(left.map(opKey)),
    inRight = new Set(right.map(opKey));
  return [
    ...left.filter((logged) => logged.op === 'escape' || inRight.has(opKey(logged))),
    ...right.filter((logged) => logged.op === 'escape' && !inLeft.has(opKey(logged))),
  ];
}
