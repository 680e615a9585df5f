import { outcomeOf, runDeferred, type Exit } from './explore.ts';
import { isDrvdata } from './domain/access-path.ts';
import type { AbstractObject, Interner } from './domain/objects.ts';
import { addStep, fork, holdersOf, maskOf, stepsOf, type PathState } from './domain/path-state.ts';
import { ANY, POSITIVE } from './domain/values.ts';
import { ENDS, isCertain } from './operate.ts';
import { carryHeld, isAtEntry, observeLeave } from './resources.ts';
import {
  conditionsOf,
  deviceRef,
  nameOf,
  observe,
  site,
  type ObjectInfo,
  type Run,
} from './run.ts';
import type { DeviceState, ExitObservation } from './types.ts';
import type { EffectOp } from '../kernel/types.ts';
import { spend } from '../budget/work.ts';

/**
 * Observes each device at each end of the function. Where the device core runs devm actions after
 * the function (a failed
 * probe, a remove) they have run; where it will run them later (a successful probe) they are
 * listed.
 */
export function observeExits(run: Run, exits: readonly Exit[]): void {
  const ended = new Set(
    exits.flatMap(({ s }) => s.log.flatMap((l) => (ENDS.has(l.op) ? [l.place.object] : []))),
  );
  for (const { s, at } of exits) {
    const outcome = outcomeOf(run, s);
    const releases = (run.role === 'probe' && outcome === 'failure') || run.role === 'remove';
    for (const t of releases ? runDeferred(run, fork(s), at) : [s]) {
      observeExit(run, t, at, outcome, ended);
      if (LEAVING.has(run.role)) observeLeave(run, t, at, outcome);
    }
  }
}

function observeExit(
  run: Run,
  s: PathState,
  at: Exit['at'],
  outcome: ExitObservation['outcome'],
  ended: ReadonlySet<AbstractObject>,
): void {
  for (const [object, t] of s.devices) {
    if (t.state.model === 'none' || object.isWeak || isUntouched(t.state)) continue;
    const observation: ExitObservation = {
      kind: 'exit',
      function: run.fn,
      role: run.role,
      site: site(run, at),
      device: deviceRef(run, object, t),
      before: t.state,
      text: nameOf(run, s, object),
      certain: isCertain(run, s, t.state) && !actsOnAnother(run, s, object, ended),
      trace: stepsOf(s.trace),
      conditions: conditionsOf(s),
      outcome,
      reachable: reachable(s, object),
      returns: site(run, at),
      deferred: deferredOps(run, s, object, at),
    };
    observe(run, `exit${outcome}${observation.deferred.join()}`, observation, t, s.followsOwnState);
  }
}

/** The functions that begin and end a device's life: what others hold, these do. */
const LEAVING: ReadonlySet<string> = new Set(['probe', 'remove', 'init', 'module']);

/**
 * The path ends the life of some other object that may be this one: an element of a list or array,
 * or, in remove, a device
 * other than the one that probe left and that no path of remove touches (it looked for it
 * elsewhere).
 */
function actsOnAnother(
  run: Run,
  s: PathState,
  object: AbstractObject,
  ended: ReadonlySet<AbstractObject>,
): boolean {
  if (s.log.some((l) => ENDS.has(l.op) && l.place.object.isWeak)) return true;
  if (
    run.role === 'remove' &&
    s.log.some((l) => ENDS.has(l.op)) &&
    !s.log.some((l) => ENDS.has(l.op) && l.place.object === object)
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
  for (const o of run.observations.values())
    if (o.kind === 'operation') {
      const ops = done.get(o.device.id) ?? new Set();
      done.set(o.device.id, ops.add(o.op));
    }
  const unregisteredAt = new Set(
    [...run.observations.values()].flatMap((o) =>
      o.kind === 'exit' && o.before.registered === 'undone'
        ? [`${o.device.id}@${o.returns.start}`]
        : [],
    ),
  );
  for (const [key, o] of run.observations) {
    if (!run.ownState.has(o) || !o.certain) continue;
    const ops = done.get(o.device.id) ?? new Set<string>();
    const entry = o.trace.findLastIndex((x) => x.kind === 'entry');
    const acted =
      o.kind === 'operation'
        ? ENDS.has(o.op)
        : o.kind === 'exit' &&
          (unregisteredAt.has(`${o.device.id}@${o.returns.start}`) ||
            o.trace.slice(entry + 1).some((x) => x.op !== undefined && ENDS.has(x.op)));
    const owed =
      (o.before.registered === 'yes' && ops.has('unregister')) ||
      (o.kind === 'exit' &&
        ((o.before.reference === 'held' && ops.has('put')) ||
          (o.before.initialised === 'yes' && ops.has('uninit'))));
    // An unregister that only the driver's own state leads to, on a path where there is nothing to
    // unregister.
    const idle =
      o.kind === 'operation' &&
      o.op === 'unregister' &&
      o.before.registered !== 'yes' &&
      o.before.registered !== 'unknown';
    if (acted && (owed || idle)) run.observations.set(key, { ...o, certain: false });
  }
}

/** Nothing is known of it but, at most, that unseen code has it. */
function isUntouched(d: DeviceState): boolean {
  return (
    d.model === 'unknown' &&
    d.reference === 'unknown' &&
    d.registered === 'unknown' &&
    d.initialised === 'unknown' &&
    d.memory === 'unknown'
  );
}

function reachable(s: PathState, object: AbstractObject): ExitObservation['reachable'] {
  spend(s.heap.size);
  if (s.result?.kind === 'pointer' && s.result.object === object) return 'returned';
  let stored: ExitObservation['reachable'] = object.isOutside ? 'stored' : 'none';
  for (const [at] of holdersOf(s, object)) {
    if (isDrvdata(at)) return 'drvdata';
    if (at.object.isOutside) stored = 'stored';
  }
  return stored;
}

/** What the devm actions that are left behind will do to the object. */
function deferredOps(run: Run, s: PathState, object: AbstractObject, at: Exit['at']): EffectOp[] {
  if (!s.deferred.length) return [];
  const quiet: Run = { ...run, observations: new Map(), resources: null };
  const before = s.log.length;
  const after = runDeferred(quiet, fork(s), at)[0];
  return (after?.log.slice(before) ?? []).flatMap((l) =>
    l.place.object === object && l.op !== 'escape' && l.op !== 'checked' ? [l.op] : [],
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
  entry: (interner: Interner) => PathState,
): { states: PathState[]; objects: Map<string, ObjectInfo> } {
  const states: PathState[] = [];
  const carried = new Map<string, ObjectInfo>();
  for (const { s, at } of exits) {
    const outcome = outcomeOf(run, s);
    if (outcome === 'failure') continue;
    const t = entry(s.interner);
    carry(s, t);
    carryHeld(s, t);
    t.isUncertain ||= s.isUncertain;
    if (outcome === 'unknown')
      for (const [o, d] of t.devices) if (d.state.registered !== 'yes') t.devices.delete(o);
    // What probe left dead is probe's defect; remove would repeat it in every line.
    for (const [o, d] of t.devices)
      if (d.state.memory === 'freed' || d.state.memory === 'error-pointer') t.devices.delete(o);
    if (!t.devices.size) continue;
    for (const o of t.devices.keys()) {
      const info = objects.get(o.id);
      if (info) carried.set(o.id, info);
    }
    for (const [test, holds] of s.config) t.config.set(test, holds);
    t.deferred = s.deferred.filter(
      (d) => d.data.kind === 'pointer' && t.devices.has(d.data.object),
    );
    t.trace = s.trace;
    addStep(t, {
      site: site(run, at),
      kind: 'entry',
      text: `${run.fn.name}() succeeds and leaves the device to ${remove}()`,
    });
    states.push(t);
  }
  doubtSharedReferences(states);
  return { states, objects: carried };
}

/**
 * References that probe took beyond the first, on any of its paths, are somebody's (a work item, a
 * callback) who may or may not have put
 * them by then: remove has its ways to know (`if (cancel_work_sync(…)) put`), and its counts are
 * not certain.
 */
function doubtSharedReferences(states: readonly PathState[]): void {
  const shared = new Set(
    states.flatMap((s) =>
      [...s.devices].flatMap(([o, d]) => (d.state.extraReferences > 0 ? [o] : [])),
    ),
  );
  for (const s of states)
    for (const o of shared) {
      const d = s.devices.get(o);
      if (d) s.devices.set(o, { ...d, state: { ...d.state, escaped: true } });
    }
}

/** Copies the memory and the devices that can be reached from parameter 0 and from globals. */
function carry(s: PathState, t: PathState): void {
  const reached = new Set<AbstractObject>();
  for (let grew = true; grew;) {
    grew = false;
    spend(s.heap.size);
    for (const [at, v] of s.heap) {
      const { object } = at;
      if (t.heap.has(at) || object.kind === 'kept') continue;
      if (!isAtEntry(object) && !reached.has(object)) continue;
      t.heap.set(at, v);
      if (v.kind === 'pointer') reached.add(v.object);
      grew = true;
    }
  }
  for (const [object, tracked] of s.devices)
    if (
      tracked.state.model !== 'none' &&
      (reached.has(object) || (object.kind === 'load' && isAtEntry(object)))
    )
      t.devices.set(object, tracked);
  for (const o of reached) {
    const m = s.masks.get(o);
    if (m !== undefined) t.masks.set(o, m);
  }
  // Who sets drvdata and succeeds sets it to something: a remove that looks whether it is there asks
  // about a probe that has not been.
  for (const [at, v] of t.heap)
    if (isDrvdata(at) && v.kind === 'pointer' && maskOf(t, v) === ANY)
      t.masks.set(v.object, POSITIVE);
}
