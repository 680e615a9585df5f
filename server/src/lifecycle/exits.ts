import { outcomeOf, runDeferred, type Exit } from './explore.ts';
import { isCertain } from './operate.ts';
import { conditionsOf, deviceRef, nameOf, observe, site, type ObjectInfo, type Run } from './run.ts';
import { addStep, fork, stepsOf, type PathState } from './state.ts';
import { isOutside } from './summary.ts';
import type { DeviceState, ExitObservation } from './types.ts';
import type { EffectOp } from '../kernel/types.ts';
import { POSITIVE, isWeak } from './values.ts';

/**
 * Observes each device at each end of the function. Where the device core runs devm actions after the function (a failed
 * probe, a remove) they have run; where it will run them later (a successful probe) they are listed.
 */
export function observeExits(run: Run, exits: readonly Exit[]): void {
  for (const { s, at } of exits) {
    const outcome = outcomeOf(run, s);
    const releases = (run.role === 'probe' && outcome === 'failure') || run.role === 'remove';
    for (const t of releases ? runDeferred(run, fork(s), at) : [s]) observeExit(run, t, at, outcome);
  }
}

function observeExit(run: Run, s: PathState, at: Exit['at'], outcome: ExitObservation['outcome']): void {
  for (const [object, t] of s.devices) {
    if (t.state.model === 'none' || isWeak(object) || isUntouched(t.state)) continue;
    const observation: ExitObservation = {
      kind: 'exit', function: run.fn, role: run.role, site: site(run, at), device: deviceRef(run, object, t), before: t.state, text: nameOf(run, s, object),
      certain: isCertain(run, s, t.state) && !actsOnAnother(run, s, object), trace: stepsOf(s.trace), conditions: conditionsOf(s), outcome, reachable: reachable(s, object), returns: site(run, at), deferred: deferredOps(run, s, object, at),
    };
    observe(run, `exit${outcome}${observation.deferred.join()}`, observation, t);
  }
}

/**
 * In remove, a device that probe left behind and that remove does not touch, while it ends the life of some other device: the
 * other is most likely the same, reached in a way that was not followed.
 */
function actsOnAnother(run: Run, s: PathState, object: string): boolean {
  if (run.role !== 'remove') return false;
  const ends = s.log.filter((l) => l.op === 'unregister' || l.op === 'put' || l.op === 'uninit' || l.op === 'free' || l.op === 'free-device');
  return !ends.some((l) => l.place.object === object) && ends.some((l) => l.place.object !== object);
}

/** Nothing is known of it but, at most, that unseen code has it. */
function isUntouched(d: DeviceState): boolean { return d.model === 'unknown' && d.reference === 'unknown' && d.registered === 'unknown' && d.initialised === 'unknown' && d.memory === 'unknown'; }

function reachable(s: PathState, object: string): ExitObservation['reachable'] {
  if (s.result?.kind === 'pointer' && s.result.object === object) return 'returned';
  let stored: ExitObservation['reachable'] = isOutside(object) ? 'stored' : 'none';
  for (const [k, v] of s.heap) {
    if (v.kind !== 'pointer' || v.object !== object) continue;
    if (k.endsWith('|@drvdata')) return 'drvdata';
    if (isOutside(k.slice(0, k.lastIndexOf('|')))) stored = 'stored';
  }
  return stored;
}

/** What the devm actions that are left behind will do to the object. */
function deferredOps(run: Run, s: PathState, object: string, at: Exit['at']): EffectOp[] {
  if (!s.deferred.length) return [];
  const quiet: Run = { ...run, observations: new Map() };
  const before = s.log.length;
  const after = runDeferred(quiet, fork(s), at)[0];
  return (after?.log.slice(before) ?? []).flatMap((l) => (l.place.object === object && l.op !== 'escape' && l.op !== 'checked' ? [l.op] : []));
}

/** The entry states of remove: for each way that probe succeeds, the device under the drvdata of remove's parameter. */
export function seedRemove(exits: readonly Exit[], run: Run, objects: ReadonlyMap<string, ObjectInfo>, remove: string, entry: () => PathState): { states: PathState[]; objects: Map<string, ObjectInfo> } {
  const states: PathState[] = [];
  const carried = new Map<string, ObjectInfo>();
  for (const { s, at } of exits) {
    const outcome = outcomeOf(run, s);
    if (outcome === 'failure') continue;
    const stored = s.heap.get('param:0|@drvdata');
    const t = entry();
    if (stored?.kind === 'pointer') { t.heap.set('param:0|@drvdata', stored); t.masks.set(stored.object, POSITIVE); }
    for (const [object, tracked] of s.devices) {
      // Both get the same device: what probe reached through its parameter, remove reaches in the same way.
      const same = stored?.kind === 'pointer' && stored.object === object || object.startsWith('load:param:0|');
      if (!same || tracked.state.model === 'none' || (outcome === 'unknown' && tracked.state.registered !== 'yes')) continue;
      t.devices.set(object, tracked);
      const info = objects.get(object);
      if (info) carried.set(object, info);
    }
    if (!t.devices.size) continue;
    for (const [k, v] of s.heap) if (/^(load:)*param:0\|/.test(k) && v.kind === 'pointer' && t.devices.has(v.object)) t.heap.set(k, v);
    for (const [test, holds] of s.config) t.config.set(test, holds);
    t.deferred = s.deferred.filter((d) => d.data.kind === 'pointer' && t.devices.has(d.data.object));
    t.trace = s.trace;
    addStep(t, { site: site(run, at), kind: 'entry', text: `${run.fn.name}() succeeds and leaves the device to ${remove}()` });
    states.push(t);
  }
  return { states, objects: carried };
}

