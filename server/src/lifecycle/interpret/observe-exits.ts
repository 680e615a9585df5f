/** What holds where a path leaves a function, and what remove begins with after probe. */
import { outcomeOf, runDeferred, type Exit } from './explore.ts';
import { isDrvdata, keptElement } from '../domain/access-path.ts';
import type { AbstractObject, Interner } from '../domain/objects.ts';
import {
  addStep,
  fork,
  HIDDEN_CALL,
  holdersOf,
  maskOf,
  stepsOf,
  type PathState,
  type Tracked,
} from '../domain/path-state.ts';
import { ANY, POSITIVE } from '../domain/values.ts';
import { ENDS, isCertain } from './device-operations.ts';
import { carryHeld, isAtEntry, observeLeave } from './leaves.ts';
import {
  conditionsOf,
  deviceRef,
  nameOf,
  observe,
  site,
  type ObjectInfo,
  type Run,
} from './run.ts';
import type { DeviceState, ExitObservation, Observation } from '../types.ts';
import type { EffectOp } from '../../kernel/types.ts';
import { spend } from '../../budget/work.ts';

/**
 * Observes each device at each end of the function. Where the device core runs devm actions after
 * the function (a failed
 * probe, a remove) they have run; where it will run them later (a successful probe) they are
 * listed.
 */
export function observeExits(run: Run, exits: readonly Exit[]): void {
  const ended = new Set(
    exits.flatMap(({ state: next }) =>
      next.log.flatMap((logged) => (ENDS.has(logged.op) ? [logged.place.object] : [])),
    ),
  );
  const endsElements = exits.some(({ state: next }) => next.endsElements);
  for (const { state: next, at } of exits) {
    const outcome = outcomeOf(run, next);
    const releases = (run.role === 'probe' && outcome === 'failure') || run.role === 'remove';
    for (const state of releases ? runDeferred(run, fork(next), at) : [next]) {
      observeExit(run, state, at, outcome, { objects: ended, endsElements });
      if (run.leaves) observeLeave(run, state, at, outcome);
    }
  }
}

/** What the paths of a function have ended: objects, and elements of collections. */
interface Ended {
  readonly objects: ReadonlySet<AbstractObject>;
  readonly endsElements: boolean;
}

/** An element that a loop has unregistered, where no path drops the reference of one. */
function isLostElement(state: PathState, tracked: Tracked, endsElements: boolean): boolean {
  const device = tracked.state;
  return (
    tracked.turn !== undefined &&
    device.registered === 'undone' &&
    device.reference === 'held' &&
    !device.escaped &&
    !endsElements &&
    !state.isUncertain
  );
}

/**
 * A device that was put into a collection belongs to what walks the collection: a loop that ends
 * its elements has ended it, and one that is registered is where it should be.
 */
function isInCollection(
  run: Run,
  state: PathState,
  object: AbstractObject,
  { state: device }: Tracked,
  endsElements: boolean,
): boolean {
  if (run.role === 'remove') return false;
  const kept = [...holdersOf(state, object)].filter(([at]) => at.object.kind === 'kept');
  if (kept.length === 0) return false;
  return (
    endsElements ||
    (device.registered === 'yes' && kept.some(([at]) => at === keptElement(state.interner)))
  );
}

function observeExit(
  run: Run,
  state: PathState,
  at: Exit['at'],
  outcome: ExitObservation['outcome'],
  { objects: ended, endsElements }: Ended,
): void {
  const later = afterDeferred(run, state, at);
  const isHidden = ((state.hidden | later.hidden) & HIDDEN_CALL) !== 0;
  for (const [object, tracked] of state.devices) {
    if (tracked.state.model === 'none' || isUntouched(tracked.state)) continue;
    if (
      object.isWeak
        ? !isLostElement(state, tracked, endsElements)
        : isInCollection(run, state, object, tracked, endsElements)
    )
      continue;
    const certain =
      isCertain(run, state, tracked.state) &&
      !isHidden &&
      !actsOnAnother(run, state, object, ended);
    const deferred = deferredOps(state, later, object);
    observe(
      run,
      `exit${outcome}${deferred.join()}`,
      { at: at.start, object: object.id, tracked, certain, ownState: state.followsOwnState },
      () => ({
        kind: 'exit',
        function: run.fn,
        role: run.role,
        site: site(run, at),
        device: deviceRef(run, object, tracked),
        before: tracked.state,
        text: nameOf(run, state, object),
        certain,
        trace: stepsOf(state.trace),
        conditions: conditionsOf(state),
        outcome,
        reachable: reachable(state, object),
        returns: site(run, at),
        deferred,
      }),
    );
  }
}

/**
 * The functions that begin and end a device's life: what others hold, these do. Of the callbacks
 * only those that open a device are followed.
 */
export const LEAVING: ReadonlySet<string> = new Set([
  'probe',
  'remove',
  'init',
  'module',
  'callback',
]);

/**
 * The path ends the life of some other object that may be this one: an element of a list or array,
 * or, in remove, a device
 * other than the one that probe left and that no path of remove touches (it looked for it
 * elsewhere).
 */
function actsOnAnother(
  run: Run,
  state: PathState,
  object: AbstractObject,
  ended: ReadonlySet<AbstractObject>,
): boolean {
  // What was put nowhere is no element of anything.
  if (
    state.log.some((logged) => ENDS.has(logged.op) && logged.place.object.isWeak) &&
    !(object.kind === 'allocation' && reachable(state, object) === 'none')
  )
    return !object.isWeak;
  if (
    run.role === 'remove' &&
    state.log.some((logged) => ENDS.has(logged.op)) &&
    !state.log.some((logged) => ENDS.has(logged.op) && logged.place.object === object)
  )
    return true;
  return run.role === 'remove' && ended.size > 0 && !ended.has(object);
}

/**
 * Takes back certainty where a state of the driver's own decides: when one path does `if
 * (p->registered) unregister(p)` and the
 * other goes on to the put or to the same end, the driver most likely knows why. A path that leaves
 * early without doing anything stays what it is.
 */
export function doubtOwnState(run: Run): void {
  const done = new Map<string, Set<string>>();
  for (const observation of run.observations.values())
    if (observation.kind === 'operation') {
      const ops = done.get(observation.device.id) ?? new Set();
      done.set(observation.device.id, ops.add(observation.op));
    }
  const unregisteredAt = new Set(
    [...run.observations.values()].flatMap((observation) =>
      observation.kind === 'exit' && observation.before.registered === 'undone'
        ? [`${observation.device.id}@${observation.returns.start}`]
        : [],
    ),
  );
  for (const [key, observation] of run.observations) {
    if (!run.ownState.has(observation) || !observation.certain) continue;
    const ops = done.get(observation.device.id) ?? new Set<string>();
    const entry = observation.trace.findLastIndex((step) => step.kind === 'entry');
    const acted =
      observation.kind === 'operation'
        ? ENDS.has(observation.op)
        : observation.kind === 'exit' &&
          (unregisteredAt.has(`${observation.device.id}@${observation.returns.start}`) ||
            observation.trace
              .slice(entry + 1)
              .some((step) => step.op !== undefined && ENDS.has(step.op)));
    const owed =
      (observation.before.registered === 'yes' && ops.has('unregister')) ||
      (observation.kind === 'exit' &&
        ((observation.before.reference === 'held' && ops.has('put')) ||
          (observation.before.initialised === 'yes' && ops.has('uninit'))));
    // An unregister that only the driver's own state leads to, on a path where there is nothing to
    // unregister.
    const idle =
      observation.kind === 'operation' &&
      observation.op === 'unregister' &&
      observation.before.registered !== 'yes' &&
      observation.before.registered !== 'unknown';
    if (acted && (owed || idle)) run.observations.set(key, doubted(observation));
  }
}

function doubted(observation: Observation): Observation {
  return observation.kind === 'operation'
    ? { ...observation, certain: false, doubt: 'suggested' }
    : { ...observation, certain: false };
}

/** Nothing is known of it but, at most, that unseen code has it. */
function isUntouched(device: DeviceState): boolean {
  return (
    device.model === 'unknown' &&
    device.reference === 'unknown' &&
    device.registered === 'unknown' &&
    device.initialised === 'unknown' &&
    device.memory === 'unknown'
  );
}

function reachable(state: PathState, object: AbstractObject): ExitObservation['reachable'] {
  spend(state.heap.size);
  if (state.result?.kind === 'pointer' && state.result.object === object) return 'returned';
  let stored: ExitObservation['reachable'] = object.isOutside ? 'stored' : 'none';
  for (const [at] of holdersOf(state, object)) {
    if (isDrvdata(at)) return 'drvdata';
    if (at.object.isOutside) stored = 'stored';
  }
  return stored;
}

/** The state after the devm actions that are left behind: itself where there are none. */
function afterDeferred(run: Run, state: PathState, at: Exit['at']): PathState {
  if (!state.deferred.length) return state;
  const quiet: Run = { ...run, observations: new Map(), resources: null };
  return runDeferred(quiet, fork(state), at)[0] ?? state;
}

/** What the devm actions that are left behind will do to the object. */
function deferredOps(state: PathState, later: PathState, object: AbstractObject): EffectOp[] {
  return later.log
    .slice(state.log.length)
    .flatMap((logged) =>
      logged.place.object === object && logged.op !== 'escape' && logged.op !== 'checked'
        ? [logged.op]
        : [],
    );
}

/**
 * The entry states of remove: for each way that probe succeeds, what remove reaches as probe did:
 * drvdata, members of its parameter, globals.
 */
export function seedRemove(
  exits: readonly Exit[],
  run: Pick<Run, 'fn' | 'role' | 'file'>,
  objects: ReadonlyMap<string, ObjectInfo>,
  remove: string,
  hasDeferredPut: boolean,
  entry: (interner: Interner) => PathState,
): { states: PathState[]; objects: Map<string, ObjectInfo> } {
  const states: PathState[] = [];
  const carried = new Map<string, ObjectInfo>();
  for (const { state: next, at } of exits) {
    const outcome = outcomeOf(run, next);
    if (outcome === 'failure') continue;
    const state = entry(next.interner);
    carry(next, state);
    carryHeld(next, state);
    state.isUncertain ||= next.isUncertain;
    state.ownsGlobals = next.ownsGlobals;
    state.hidden |= next.hidden & HIDDEN_CALL;
    if (outcome === 'unknown')
      for (const [object, tracked] of state.devices)
        if (tracked.state.registered !== 'yes') state.devices.delete(object);
    // What probe left dead is probe's defect; remove would repeat it in every line.
    for (const [object, tracked] of state.devices)
      if (tracked.state.memory === 'freed' || tracked.state.memory === 'error-pointer')
        state.devices.delete(object);
    if (!state.devices.size) continue;
    for (const object of state.devices.keys()) {
      const info = objects.get(object.id);
      if (info) carried.set(object.id, info);
    }
    for (const [test, holds] of next.config) state.config.set(test, holds);
    state.deferred = next.deferred.filter(
      (deferred) => deferred.data.kind === 'pointer' && state.devices.has(deferred.data.object),
    );
    state.trace = next.trace;
    addStep(state, {
      site: site(run, at),
      kind: 'entry',
      text: `${run.fn.name}() succeeds and passes the device to ${remove}()`,
    });
    states.push(state);
  }
  doubtSharedReferences(states, hasDeferredPut);
  return { states, objects: carried };
}

/**
 * References that probe took beyond the first, on any of its paths, are somebody's (a work item, a
 * callback) who may or may not have put
 * them by then: remove has its ways to know (`if (cancel_work_sync(…)) put`), and its counts are
 * not certain. Where somebody else of the module puts, they are none of remove's.
 */
function doubtSharedReferences(states: readonly PathState[], hasDeferredPut: boolean): void {
  const shared = new Set(
    states.flatMap((state) =>
      [...state.devices].flatMap(([object, tracked]) =>
        tracked.state.extraReferences > 0 ? [object] : [],
      ),
    ),
  );
  for (const state of states)
    for (const object of shared) {
      const tracked = state.devices.get(object);
      if (!tracked) continue;
      const extraReferences = hasDeferredPut ? 0 : tracked.state.extraReferences;
      const doubted = { ...tracked.state, escaped: true, extraReferences };
      state.devices.set(object, { ...tracked, state: doubted });
    }
}

/** Copies the memory and the devices that can be reached from parameter 0 and from globals. */
function carry(state: PathState, next: PathState): void {
  const reached = new Set<AbstractObject>();
  for (let grew = true; grew;) {
    grew = false;
    spend(state.heap.size);
    for (const [at, value] of state.heap) {
      const { object } = at;
      if (next.heap.has(at) || object.kind === 'kept') continue;
      if (!isAtEntry(object) && !reached.has(object)) continue;
      next.heap.set(at, value);
      if (value.kind === 'pointer') reached.add(value.object);
      grew = true;
    }
  }
  for (const [object, tracked] of state.devices)
    if (
      tracked.state.model !== 'none' &&
      (reached.has(object) || (object.kind === 'load' && isAtEntry(object)))
    )
      next.devices.set(object, tracked);
  for (const object of reached) {
    const mask = state.masks.get(object);
    if (mask !== undefined) next.masks.set(object, mask);
  }
  // Who sets drvdata and succeeds sets it to something: a remove that looks whether it is there asks
  // about a probe that has not been.
  for (const [at, value] of next.heap)
    if (isDrvdata(at) && value.kind === 'pointer' && maskOf(next, value) === ANY)
      next.masks.set(value.object, POSITIVE);
}
