/** What is known at one point of one path through a function. */
import type { EffectOp } from '../../kernel/types.ts';
import { spend } from '../../budget/work.ts';
import { settleHeld, type Held } from '../interpret/held-resource.ts';
import type { DeviceState, Site, Step, Turn } from '../types.ts';
import { pathText } from './access-path.ts';
import { adoptObject, adoptPlace, adoptValue } from './adopt.ts';
import { ForkMap } from './fork-map.ts';
import { contentOf, placeText, type AbstractObject, type Interner, type Place } from './objects.ts';
import { ANY, NEGATIVE, POSITIVE, ZERO, type Mask, type Value } from './values.ts';

/**
 * A device as one path knows it: its abstract state, and the place of the vfio_device in its object
 * once an operation named it.
 */
export interface Tracked {
  readonly state: DeviceState;
  readonly member: Place | null;
  /** For an element of a collection, the turn of the loop in which this holds. */
  readonly turn?: Turn | undefined;
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
  readonly env: ForkMap<string, Value>;
  readonly heap: ForkMap<Place, Value>;
  readonly masks: ForkMap<AbstractObject, Mask>;
  readonly devices: ForkMap<AbstractObject, Tracked>;
  readonly config: ForkMap<string, boolean>;
  result: Value | null;
  log: readonly LoggedOp[];
  deferred: readonly { readonly callback: string; readonly data: Value }[];
  trace: Trace | null;
  /** The path is inside a loop, where counting would never end. */
  looping: boolean;
  /** What was not understood on the way may have done anything: nothing after it is certain. */
  isUncertain: boolean;
  /**
   * A statement on the way is still being typed, and may become a test of a result (1) or the call
   * that is missing (2): nobody can complain yet that it is not there.
   */
  hidden: number;
  /** A state that the driver keeps of its own about a device decided that it is this path. */
  followsOwnState: boolean;
  /** It has put or freed an element of some collection. */
  endsElements: boolean;
  /** It is `module_init()` or its end: what its globals have is its own. */
  ownsGlobals: boolean;
  /** The kernel would have crashed here: what follows on this path is not worth a word. */
  hasEnded: boolean;
  /**
   * What the path has taken and owes, by id. Never changed in place; null where it is no longer
   * followed.
   */
  held: ReadonlyMap<string, Held> | null;
}

/** Of PathState.hidden: a test of a result may be missing because it is being typed. */
export const HIDDEN_TEST = 1;
/** Of PathState.hidden: a call, or a name that it needs, may be missing because it is being typed. */
export const HIDDEN_CALL = 2;

export function emptyState(interner: Interner): PathState {
  return {
    interner,
    env: new ForkMap(),
    heap: new ForkMap(),
    masks: new ForkMap(),
    devices: new ForkMap(),
    config: new ForkMap(),
    result: null,
    log: [],
    deferred: [],
    trace: null,
    looping: false,
    isUncertain: false,
    hidden: 0,
    followsOwnState: false,
    endsElements: false,
    ownsGlobals: false,
    hasEnded: false,
    held: new Map(),
  };
}

/** How much a state holds: what it costs to copy it or to look through it. */
export function sizeOf(state: PathState): number {
  return (
    1 +
    state.env.size +
    state.heap.size +
    state.masks.size +
    state.devices.size +
    state.config.size +
    state.log.length +
    state.deferred.length +
    (state.held?.size ?? 0)
  );
}

export function fork(state: PathState): PathState {
  spend(sizeOf(state));
  // Written out, because no other object is made as often: a spread takes twice as long.
  return {
    interner: state.interner,
    env: state.env.fork(),
    heap: state.heap.fork(),
    masks: state.masks.fork(),
    devices: state.devices.fork(),
    config: state.config.fork(),
    result: state.result,
    log: state.log,
    deferred: state.deferred,
    trace: state.trace,
    looping: state.looping,
    isUncertain: state.isUncertain,
    hidden: state.hidden,
    followsOwnState: state.followsOwnState,
    endsElements: state.endsElements,
    ownsGlobals: state.ownsGlobals,
    hasEnded: state.hasEnded,
    held: state.held,
  };
}

export function addStep(state: PathState, step: Step): void {
  state.trace = { step, before: state.trace };
}

/** Oldest first. */
export function stepsOf(trace: Trace | null): Step[] {
  const steps: Step[] = [];
  for (let item = trace; item; item = item.before) steps.push(item.step);
  spend(steps.length);
  return steps.reverse();
}

function maskOfInt(value: number): Mask {
  if (value === 0) return ZERO;
  return value > 0 ? POSITIVE : NEGATIVE;
}

export function maskOf(state: PathState, value: Value): Mask {
  if (value.kind === 'int') return maskOfInt(value.value);
  if (value.kind === 'function') return POSITIVE;
  const mask = state.masks.get(value.object) ?? maskByKind(value.object);
  const inverted = invertedBy(value);
  if (inverted) return mask & inverse(maskOf(state, inverted));
  // The address of a member is no null pointer; an error pointer with a small offset is still taken
  // for one.
  if (value.parent === null) return mask;
  return mask === NEGATIVE ? NEGATIVE : POSITIVE;
}

/** Narrows a value to `mask`; false when the path cannot be taken. */
export function assume(state: PathState, value: Value, mask: Mask): boolean {
  const now = maskOf(state, value) & mask;
  if (now === 0) return false;
  if (value.kind === 'pointer' && value.parent === null) state.masks.set(value.object, now);
  const inverted = invertedBy(value);
  return inverted === null || assume(state, inverted, inverse(now));
}

/** An error code is positive. A constant of an unseen header after a minus sign is one, and not 0. */
function maskByKind(object: AbstractObject): Mask {
  if (object.kind !== 'symbol') return ANY;
  if (object.isNegated) return NEGATIVE;
  return object.isErrno ? POSITIVE : ANY;
}

/** x of a value that is `!x`. */
function invertedBy(value: Value): Value | null {
  if (value.kind !== 'pointer' || value.object.kind !== 'computed' || value.object.op !== '!')
    return null;
  return value.object.operands[0] ?? null;
}

/** What `!x` may be for what x may be, and the other way round. */
function inverse(mask: Mask): Mask {
  return (mask & ZERO ? POSITIVE | NEGATIVE : 0) | (mask & ~ZERO ? ZERO : 0);
}

/** Reads a place; what was never written is an object of its own. */
export function load(state: PathState, place: Place): Value {
  return state.heap.get(place) ?? contentOf(place).start;
}

export function store(state: PathState, place: Place, value: Value): void {
  if (!place.object.isWeak && !place.hasElement) state.heap.set(place, value);
}

/** The places of an object that were written, with what they hold. */
export function membersOf(
  state: PathState,
  object: AbstractObject,
): (readonly [place: Place, value: Value])[] {
  const members: [Place, Value][] = [];
  state.heap.forEach((value, at) => {
    if (at.object === object) members.push([at, value]);
  });
  return members;
}

/** The written places that hold a pointer into an object. */
export function holdersOf(
  state: PathState,
  object: AbstractObject,
): (readonly [at: Place, value: Place])[] {
  const holders: [Place, Place][] = [];
  state.heap.forEach((value, at) => {
    if (value.kind === 'pointer' && value.object === object) holders.push([at, value]);
  });
  return holders;
}

/** Forgets what was written to an object. */
export function forgetMembers(state: PathState, object: AbstractObject): void {
  for (const [at] of membersOf(state, object)) state.heap.delete(at);
}

/** The flags of a path as a number. */
export function flagsOf({ isUncertain, followsOwnState, endsElements, hidden }: PathState): number {
  return (isUncertain ? 1 : 0) + (followsOwnState ? 2 : 0) + (endsElements ? 4 : 0) + 8 * hidden;
}

/** What is the same wherever it is written. */
export function isConstant(object: AbstractObject): boolean {
  return object.kind === 'symbol' || object.kind === 'literal';
}

// Operations and tracked devices are never changed, and states share them: their text is made once.
const opKeys = new WeakMap<LoggedOp, string>(),
  deviceKeys = new WeakMap<Tracked, string>();

export function opKey(logged: LoggedOp): string {
  let key = opKeys.get(logged);
  if (key === undefined)
    opKeys.set(
      logged,
      (key = `${logged.op}${logged.ok ? '+' : '-'}${placeText(logged.place)}@${logged.site.path}:${logged.site.start}`),
    );
  return key;
}

export function deviceKey(tracked: Tracked): string {
  let key = deviceKeys.get(tracked);
  if (key !== undefined) return key;
  const device = tracked.state,
    member = tracked.member === null ? '' : pathText(tracked.member),
    turn = tracked.turn ? turnKey(tracked.turn) : '';
  key =
    `${device.model},${device.reference},${device.initialised},${device.registered},` +
    `${device.memory},${device.allocator ?? ''},${device.deviceSet},${device.viaCore},` +
    `${device.checked},${device.nullTested},${device.escaped},${device.extraReferences},` +
    `${member},${turn}`;
  deviceKeys.set(tracked, key);
  return key;
}

function turnKey({ loop, entry, isStale }: Turn): string {
  return `${loop}${isStale}${entry && `${entry.registered}${entry.reference}${entry.memory}`}`;
}

/** How many states were pruned: what the state of the latest names has this number. */
let prunings = 0;

/**
 * Facts about an object matter while something can still name it: a live value, or a member that is
 * read later on. A fact about a computed value lives as long as its operands.
 */
function isUsed(object: AbstractObject, live: ReadonlySet<string>): boolean {
  if (object.namedIn === prunings) return true;
  switch (object.kind) {
    case 'parameter':
      return true;
    case 'computed':
      for (const value of object.operands)
        if (value.kind === 'pointer' && !isConstant(value.object) && !isUsed(value.object, live))
          return false;
      return true;
    case 'load':
      return isRead(object.from, live);
    // What a test of a constant has found holds for the next test of it.
    case 'symbol':
      return live.has(object.name);
    default:
      return false;
  }
}

/** Whether a place may still be read. */
function isRead({ object, step }: Place, live: ReadonlySet<string>): boolean {
  // What `*param` is, callers know: `__cleanup(f)` gives f the address of a variable.
  if (step === null)
    return object.kind === 'parameter' || (object.kind === 'global' && live.has(object.name));
  // Whether there is drvdata is what callers know of a helper's early return.
  if (step.kind !== 'drvdata' && !(step.kind === 'field' && live.has(`.${step.name}`)))
    return false;
  return (step.kind !== 'drvdata' && object.kind === 'global') || isUsed(object, live);
}

/** Forgets variables that are dead and facts that nothing can use. */
export function prune(state: PathState, live: ReadonlySet<string>): void {
  prunings++;
  state.env.forEach((value, name) => {
    if (live.has(name)) markNamed(value);
    else state.env.delete(name);
  });
  state.heap.forEach(markNamed);
  for (const { data } of state.deferred) markNamed(data);
  if (state.result) markNamed(state.result);
  state.devices.forEach((tracked, object) => {
    // Memory that never became a device and that nothing names any more is of no interest; nor is
    // what was done to it.
    if (tracked.state.model === 'none' && object.namedIn !== prunings) {
      state.devices.delete(object);
      state.log = state.log.filter((logged) => logged.place.object !== object);
    } else object.namedIn = prunings;
  });
  settleHeld(state, (object) => isUsed(object, live));
  state.masks.forEach((_, object) => {
    if (!isUsed(object, live)) state.masks.delete(object);
  });
}

function markNamed(value: Value): void {
  if (value.kind === 'pointer') value.object.namedIn = prunings;
}

/** The state in the objects of another exploration, which goes on where this one ended. */
export function adoptState(own: Interner, state: PathState): PathState {
  spend(sizeOf(state));
  const value = (operand: Value) => adoptValue(own, operand);
  const member = (place: Place | null) => place && adoptPlace(own, place);
  const mapped = <K, V, W, X>(map: ForkMap<K, V>, key: (item: K) => W, of: (item: V) => X) =>
    new ForkMap([...map].map(([item, entry]) => [key(item), of(entry)] as const));
  const object = (other: AbstractObject) => adoptObject(own, other);
  return {
    ...state,
    interner: own,
    env: mapped(state.env, (name) => name, value),
    heap: mapped(state.heap, (place) => adoptPlace(own, place), value),
    masks: mapped(state.masks, object, (mask) => mask),
    devices: mapped(state.devices, object, (tracked) => ({
      ...tracked,
      member: member(tracked.member),
    })),
    config: new ForkMap(state.config),
    result: state.result && value(state.result),
    log: state.log.map((logged) => ({ ...logged, place: adoptPlace(own, logged.place) })),
    deferred: state.deferred.map((deferred) => ({ ...deferred, data: value(deferred.data) })),
    held:
      state.held &&
      new Map(
        [...state.held].map(([id, held]) => [
          id,
          {
            ...held,
            values: held.values.map((place) => adoptPlace(own, place)),
            when: held.when && { ...held.when, object: object(held.when.object) },
          },
        ]),
      ),
  };
}
