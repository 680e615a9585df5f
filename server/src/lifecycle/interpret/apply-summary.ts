/** A call of a function of the module: its summary, in the caller's objects and values. */
import { identityOf } from '../../ir/node-identity.ts';
import type { CallExpr, FunctionIr } from '../../ir/types.ts';
import type { EffectOp } from '../../kernel/types.ts';
import { fresh, loadPlace, storePlace, type Evaluated } from './evaluate.ts';
import { assumeComputed, noteUndecided } from './branch-conditions.ts';
import { assumeConfig } from '../module/config.ts';
import { FOUND_DEVICE, UNKNOWN_DEVICE } from './device.ts';
import type { Defined } from '../module/module.ts';
import { escape, loseCertainty, markChecked, operateIfVfio, use } from './device-operations.ts';
import { applyHelper, applyTranslated, otherEndsOf, translated } from './helper-resources.ts';
import { giveBack } from './give-back.ts';
import { runRelease } from './callback-resources.ts';
import type { Resolve } from './resource-log.ts';
import { nameOf, site, sourceText, type ObjectInfo, type Run } from './run.ts';
import {
  drvdataOf,
  fieldOf,
  follow,
  followTo,
  isDrvdata,
  pathText,
} from '../domain/access-path.ts';
import { adoptObject, ofCall } from '../domain/adopt.ts';
import { codeOf, computed, rootOf, type AbstractObject, type Place } from '../domain/objects.ts';
import { addStep, assume, fork, type PathState } from '../domain/path-state.ts';
import { ANY, POSITIVE, type Value } from '../domain/values.ts';
import type { Site } from '../types.ts';
import type { Summary, SummaryOutcome } from './summary.ts';
import { spend } from '../../budget/work.ts';
import { append } from '../../text/lists.ts';

/**
 * The paths after a call of a function of the module: each outcome of its summary, replayed on the
 * caller's objects.
 * A function without a summary (a recursion not yet solved, or one given up) is treated as unknown
 * code.
 */
export function applySummary(
  run: Run,
  state: PathState,
  call: CallExpr,
  callee: Defined<FunctionIr>,
  args: readonly Value[],
): Evaluated[] {
  args.forEach((value, i) => {
    const expr = call.args[i];
    if (value.kind === 'pointer' && expr && (expr.kind === 'name' || expr.kind === 'unary'))
      passUse(run, state, value, expr, call.name);
  });
  const summary = run.index.summaryOf(callee.item);
  if (summary === null) return [];
  if (summary.outcomes === null) {
    for (const arg of args)
      if (arg.kind === 'pointer') escape(run, state, arg, call, callee.item.name);
    giveBack(
      run,
      state,
      { api: callee.item.name, everything: true, values: args, site: site(run, call) },
      call,
      'call',
    );
    return [{ state, value: fresh(state, identityOf(call), 'call') }];
  }
  const out: Evaluated[] = [];
  for (const outcome of summary.outcomes) {
    const result = replay(run, fork(state), call, callee, summary, outcome, args);
    if (result === null) continue;
    if (summary.isHarmless && result.state.held !== null) {
      const helper = run.index.helperOf(callee.item);
      append(
        out,
        otherEndsOf(run, result.state, helper, result.value, (next) =>
          resolver(run, next, call, summary, args),
        ).map((next) => ({
          state: next,
          value: result.value,
        })),
      );
      applyHelper(
        run,
        result.state,
        call,
        callee,
        args,
        result.value,
        resolver(run, result.state, call, summary, args),
      );
    }
    out.push(result);
  }
  return out;
}

/** Passing is a use, but a helper that only frees or puts is judged by what it does. */
function passUse(
  run: Run,
  state: PathState,
  place: Place,
  at: CallExpr['args'][number],
  api: string | null,
): void {
  const tracked = state.devices.get(place.object);
  if (tracked?.state.memory === 'error-pointer') return; // the helper may well test it
  use(run, state, place, at, 'pass', place.parent === null ? null : pathText(place), api);
}

function replay(
  run: Run,
  state: PathState,
  call: CallExpr,
  callee: Defined<FunctionIr>,
  summary: Summary,
  outcome: SummaryOutcome,
  args: readonly Value[],
): Evaluated | null {
  spend(outcome.assumes.size + outcome.ops.length + outcome.writes.length);
  for (const [test, holds] of outcome.config)
    if (!assumeConfig(run, state, { test, holds })) return null;
  const resolve = resolver(run, state, call, summary, args);
  const valueOf = (value: Value) => (value.kind === 'pointer' ? resolve(value) : value);
  if (!assumeOutcome(state, outcome, resolve, valueOf)) return null;
  // Everything the outcome names is resolved against the state at the call, before its writes
  // change it.
  const ops = outcome.ops.map((logged) => ({ l: logged, value: resolve(logged.place) }));
  const writes = outcome.writes.map((write) => ({
    to: resolve(write.place),
    value: valueOf(write.value),
    from: write,
  }));
  const resources = summary.isHarmless
    ? null
    : translated(state.interner, summary, outcome, resolve);
  const deferred = outcome.deferred.map((item) => ({
    callback: item.callback,
    data: valueOf(item.data) ?? fresh(state, identityOf(call)),
  }));
  const result = outcome.result === null ? null : valueOf(outcome.result);
  if (ops.length)
    addStep(state, { site: site(run, call), kind: 'call', text: `calls ${callee.item.name}()` });
  const puts: Place[] = [];
  for (const { l: logged, value: operand } of ops) {
    if (operand?.kind !== 'pointer') continue;
    if (logged.op === 'put') puts.push(operand);
    const made =
      logged.op === 'alloc' || logged.op === 'allocate'
        ? summary.objects.get(logged.place.object.id)
        : undefined;
    if (made) run.objects.set(operand.object.id, made);
    replayOperation(run, state, call, callee, logged, operand, made);
  }
  for (const { to, value: operand, from } of writes) {
    if (to?.kind !== 'pointer' || operand === null) continue;
    storePlace(run, state, to, operand);
    // An error code that only the helper could name: `*out = ret`.
    if (
      from.mask !== ANY &&
      operand.kind === 'pointer' &&
      from.value.kind === 'pointer' &&
      IN_CALL.has(from.value.object.kind)
    )
      state.masks.set(operand.object, from.mask);
  }
  if (resources) applyTranslated(run, state, call, resources);
  for (const device of puts) runRelease(run, state, call, device);
  state.deferred = [...state.deferred, ...deferred];
  if (outcome.uncertain) loseCertainty(state);
  state.hidden |= outcome.hidden;
  if (outcome.ownState) state.followsOwnState = true;
  if (outcome.endsElements) state.endsElements = true;
  if (outcome.finds !== null) return found(run, state, call, callee, outcome.finds);
  if (result === null) return { state, value: fresh(state, identityOf(call), 'call') };
  if (
    result.kind === 'pointer' &&
    result.parent === null &&
    outcome.resultMask !== ANY &&
    !assume(state, result, outcome.resultMask)
  )
    return null;
  return { state, value: result };
}

/** Assumes what an outcome says of its arguments; false where that cannot be here. */
function assumeOutcome(
  state: PathState,
  { assumes }: SummaryOutcome,
  resolve: Resolve,
  valueOf: (value: Value) => Value | null,
): boolean {
  for (const [object, mask] of assumes) {
    if (object.kind === 'computed') {
      if (!assumeComputed(state, object, mask, valueOf)) return false;
      continue;
    }
    const value = resolve(object.start);
    if (value === null) continue;
    if (object.kind !== 'parameter') noteUndecided(state, value, mask);
    if (!assume(state, value, mask)) return false;
  }
  return true;
}

/** One operation of a helper, on the object that its caller knows it by. */
function replayOperation(
  run: Run,
  state: PathState,
  call: CallExpr,
  callee: Defined<FunctionIr>,
  logged: SummaryOutcome['ops'][number],
  place: Place,
  made: ObjectInfo | undefined,
): void {
  const { op } = logged;
  if (op === 'escape') {
    escape(run, state, place, call, logged.api);
    return;
  }
  // That the helper tested a failed allocation does not mean that its caller has.
  if (op === 'checked') {
    if (state.devices.get(place.object)?.state.memory === 'live') markChecked(state, place.object);
    return;
  }
  const allocates = op === 'alloc' || op === 'allocate';
  if (allocates) {
    const member = made?.member ? follow(place.object.start, made.member) : null;
    state.devices.set(place.object, { state: UNKNOWN_DEVICE, member });
  }
  operateIfVfio(run, state, {
    op: op satisfies EffectOp,
    ok: logged.ok,
    place,
    api: logged.api,
    argument: logged.argument,
    at: call,
    text: argumentText(run, state, call, callee, logged.place, place.object),
    inner: logged.site,
    settled: logged.settled,
  });
  if (allocates) state.masks.set(place.object, logged.ok ? 2 : 4);
}

/** A lookup returns a device with a reference, which its caller owes. */
function found(
  run: Run,
  state: PathState,
  call: CallExpr,
  callee: Defined<FunctionIr>,
  device: Place,
): Evaluated {
  const value = fresh(state, identityOf(call), 'call');
  const { object } = value;
  const member = followTo(value, device);
  const origin = site(run, call);
  run.objects.set(object.id, { origin, kind: 'return', container: null, member: null });
  state.devices.set(object, { state: FOUND_DEVICE, member });
  state.masks.set(object, POSITIVE);
  addStep(state, {
    site: origin,
    kind: 'operation',
    op: 'get',
    text: `${callee.item.name}() takes a reference`,
  });
  // Who returns it has found it too.
  recordFound(state, fieldOf(member, 'device'), origin, callee.item.name);
  return { state, value };
}

function recordFound(state: PathState, place: Place, at: Site, api: string): void {
  const isKnown = state.log.some((logged) => logged.op === 'get' && logged.place === place);
  if (isKnown) return;
  state.log = [
    ...state.log,
    { op: 'get', ok: true, place, api, argument: null, site: at, settled: true },
  ];
}

/** Objects of a helper that only it could name. */
const IN_CALL: ReadonlySet<AbstractObject['kind']> = new Set<AbstractObject['kind']>([
  'undefined',
  'allocation',
  'joined',
  'result',
  'code',
  'computed',
  'local',
]);

/**
 * What a message calls the object: the caller's argument that leads to it, as written; for a
 * callback, the variable that holds it.
 */
function argumentText(
  run: Run,
  state: PathState,
  call: CallExpr,
  callee: Defined<FunctionIr>,
  place: Place,
  object: AbstractObject,
): string {
  const from = rootOf(place.object);
  const arg =
    from.kind === 'parameter' && call.name === callee.item.name ? call.args[from.index] : undefined;
  return arg ? sourceText(run, arg) : nameOf(run, state, object);
}

/** Maps objects of the callee to values of the caller. */
export function resolver(
  run: Run,
  state: PathState,
  call: CallExpr,
  summary: Summary,
  args: readonly Value[],
): (place: Place) => Value | null {
  const own = state.interner;
  const known = new Map<AbstractObject, Value | null>();
  const at = (value: Value | null, place: Place): Value | null => {
    if (value?.kind !== 'pointer') return place.parent === null ? value : null;
    return isDrvdata(place) ? drvdataOf(value) : followTo(value, place);
  };
  const resolve = (place: Place): Value | null => at(object(place.object), place);
  const object = (other: AbstractObject): Value | null => {
    let value = known.get(other);
    if (value === undefined) known.set(other, (value = find(other)));
    return value;
  };
  const find = (other: AbstractObject): Value | null => {
    if (other.kind === 'parameter') return args[other.index] ?? fresh(state, identityOf(call));
    if (other.isWeak) return adoptObject(own, other).start;
    if (other.kind === 'load') {
      const from = resolve(other.from);
      return from?.kind === 'pointer'
        ? loadPlace(run, state, from, call.start)
        : fresh(state, identityOf(call));
    }
    if (other.kind === 'computed') return computedOf(other.op, other.operands);
    if (other.kind === 'code') return codeIn(resolve(other.of.start));
    // Made or worked out inside: an object of this call.
    const made = ofCall(own, other, identityOf(call));
    const info = summary.objects.get(other.id);
    if (info && !run.objects.has(made.id)) run.objects.set(made.id, info);
    if ('calls' in other && other.kind !== 'allocation') state.masks.delete(made);
    return made.start;
  };
  const computedOf = (op: string, operands: readonly Value[]): Value => {
    const values = operands.map((value) => (value.kind === 'pointer' ? resolve(value) : value));
    const isWhole = (list: readonly (Value | null)[]): list is readonly Value[] =>
      !list.includes(null);
    const made = isWhole(values) ? computed(own, op, values) : null;
    return made?.start ?? fresh(state, identityOf(call));
  };
  const codeIn = (value: Value | null): Value => {
    if (value?.kind !== 'pointer') return fresh(state, identityOf(call));
    const code = codeOf(own, value.object);
    state.masks.delete(code);
    return code.start;
  };
  return resolve;
}
