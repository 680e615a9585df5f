/** What a call of a kernel function does that has effects: each outcome by its row. */
import { identityOf } from '../../ir/node-identity.ts';
import type { CallExpr } from '../../ir/types.ts';
import { behaviourOf } from '../../kernel/lookup.ts';
import type { Behaviour, Effect, ErrorConvention } from '../../kernel/types.ts';
import { append } from '../../text/lists.ts';
import { drvdataOf, follow, isDrvdata } from '../domain/access-path.ts';
import { type AbstractObject, type Place, allocation, resultAt } from '../domain/objects.ts';
import { type PathState, forgetMembers, fork, holdersOf, maskOf } from '../domain/path-state.ts';
import { NEGATIVE, NULL, POSITIVE, type Value, int } from '../domain/values.ts';
import { applySummary } from './apply-summary.ts';
import { evaluateArguments, reachesDevice, unknownAt } from './calls.ts';
import { escape, operate, operateIfVfio } from './device-operations.ts';
import { UNKNOWN_DEVICE } from './device.ts';
import { type Evaluated, fresh, known, loadPlace, someErrno, storePlace } from './evaluate.ts';
import { callResources } from './call-resources.ts';
import { handOver, runInit, runRelease } from './callback-resources.ts';
import { type Run, nameOf, site, sourceText } from './run.ts';
import { designated } from './special-calls.ts';

/** What an earlier round put into a collection is there, and is none of this one's. */
function forgetKept(state: PathState, object: AbstractObject): boolean {
  const places = [...holdersOf(state, object)].flatMap(([at]) =>
    at.object.kind === 'kept' ? [at] : [],
  );
  for (const at of places) state.heap.delete(at);
  return places.length > 0;
}

export function behave(
  run: Run,
  state: PathState,
  call: CallExpr,
  name: string,
  behaviour: Behaviour,
): Evaluated[] {
  // The first two arguments of the vfio_alloc_device macro are a struct tag and a member
  // designator, not values.
  const designators = name === 'vfio_alloc_device' ? 2 : 0;
  return evaluateArguments(run, state, call.args.slice(designators)).flatMap((args) => {
    const values = [...Array<Value>(designators).fill(NULL), ...args.values];
    const out: Evaluated[] = [];
    const canFail =
      behaviour.errors !== 'void' && behaviour.errors !== 'value' && !behaviour.cannotFail;
    if (canFail) append(out, outcome(run, fork(args.state), call, name, behaviour, values, false));
    append(out, outcome(run, args.state, call, name, behaviour, values, true));
    return out;
  });
}

/** What a known call returns when it has done its work, before its effects give it another value. */
function successResult(state: PathState, call: CallExpr, behaviour: Behaviour): Value {
  return behaviour.errors === 'errno' ? int(0) : fresh(state, identityOf(call), 'call');
}

/** What a known call returns when it failed. */
function failureResult(state: PathState, call: CallExpr, behaviour: Behaviour): Value {
  if (behaviour.errors === 'errno') return someErrno(state, identityOf(call));
  if (behaviour.errors === 'err-ptr')
    return known(state, resultAt(state.interner, 'error', identityOf(call)), NEGATIVE);
  return NULL;
}

/** One outcome of a known call: its effects, then its value. */
function outcome(
  run: Run,
  state: PathState,
  call: CallExpr,
  name: string,
  behaviour: Behaviour,
  values: readonly Value[],
  ok: boolean,
): Evaluated[] {
  let result = ok ? successResult(state, call, behaviour) : failureResult(state, call, behaviour);
  let states: PathState[] = [state];
  const failed = new Set(['alloc', 'allocate', 'register', 'init-device', 'core-init']);
  // A failed call does not do its effects, but a failed allocation or register is a fact about its
  // object.
  const effects = ok
    ? behaviour.success
    : [
        ...behaviour.success.filter(
          (effect) => failed.has(effect.op) || (effect.op === 'defer' && effect.orRun),
        ),
        ...(behaviour.failure ?? []),
      ];
  for (const effect of effects) {
    states = states.flatMap((next) => {
      const made = apply(run, next, call, name, effect, values, {
        ok: ok || (behaviour.failure ?? []).includes(effect),
        errors: behaviour.errors,
      });
      const out = 'out' in effect ? effect.out : undefined;
      if (out === undefined) result = made.value ?? result;
      else if (ok) storeOut(run, made, values[out]);
      return made.states;
    });
  }
  for (const next of states) callResources(run, next, call, name, values, result, ok);
  return states.map((next) => ({ state: next, value: result }));
}

/** A call that made something has stored it in what an argument points to. */
function storeOut(
  run: Run,
  { states, value }: { readonly states: readonly PathState[]; readonly value?: Value },
  to: Value | undefined,
): void {
  if (to?.kind !== 'pointer' || !value) return;
  for (const state of states) storePlace(run, state, to, value);
}

function apply(
  run: Run,
  state: PathState,
  call: CallExpr,
  api: string,
  effect: Effect,
  values: readonly Value[],
  { ok, errors }: { readonly ok: boolean; readonly errors: ErrorConvention },
): { states: PathState[]; value?: Value } {
  if (effect.op === 'alloc' || effect.op === 'allocate')
    return allocate(run, state, call, api, effect.op, ok, errors);
  if (effect.op === 'get-drvdata') {
    const device = values[effect.target];
    return {
      states: [state],
      value:
        device?.kind === 'pointer'
          ? loadPlace(run, state, drvdataOf(device), call.start)
          : unknownAt(state, identityOf(call)),
    };
  }
  if (effect.op === 'defer') return { states: defer(run, state, call, effect, values, ok) };
  const value = operandOf(run, state, call, values[effect.target], effect);
  if (effect.op === 'set-drvdata') {
    const stored = values[effect.value];
    if (value?.kind === 'pointer' && stored) storePlace(run, state, drvdataOf(value), stored);
    const arg = call.args[effect.value];
    if (stored?.kind === 'pointer' && arg && state.devices.has(stored.object))
      operate(run, state, {
        op: 'set-drvdata',
        ok: true,
        place: stored,
        api,
        argument: effect.value,
        at: call,
        text: sourceText(run, arg),
        inner: null,
        settled: false,
      });
    return { states: [state] };
  }
  const arg = call.args[effect.target];
  if (!arg || value?.kind !== 'pointer') return { states: [state] };
  if (effect.op === 'free' && !freesObject(state, value)) return { states: [state] };
  operateIfVfio(run, state, {
    op: effect.op,
    ok,
    place: value,
    api,
    argument: effect.target,
    at: call,
    text: sourceText(run, arg),
    inner: null,
    settled: false,
  });
  if (effect.op === 'put') runRelease(run, state, call, value);
  return { states: [state] };
}

/** What an effect is on: the argument, or the drvdata of it. */
function operandOf(
  run: Run,
  state: PathState,
  call: CallExpr,
  argument: Value | undefined,
  { through }: Effect,
): Value | undefined {
  return through === 'drvdata' && argument?.kind === 'pointer'
    ? loadPlace(run, state, drvdataOf(argument), call.start)
    : argument;
}

function allocate(
  run: Run,
  state: PathState,
  call: CallExpr,
  api: string,
  op: 'alloc' | 'allocate',
  ok: boolean,
  errors: ErrorConvention,
): { states: PathState[]; value: Value } {
  // A wrapper of vfio_alloc_device() may turn its error pointer into NULL.
  if ((op === 'allocate' || errors === 'null-ptr') && !ok) return { states: [state], value: NULL };
  const object = allocation(state.interner, run.file.path, identityOf(call));
  const tag = call.args[0],
    designator = call.args[1];
  const macro = op === 'alloc' && call.args.length === 4;
  const member = macro && designator ? designated(designator) : null;
  const place = member && follow(object.start, member);
  run.objects.set(object.id, {
    origin: site(run, call),
    kind: 'allocation',
    container: macro && tag?.kind === 'name' ? tag.name : sizeofTag(run, call),
    member,
  });
  const again = state.devices.get(object);
  // What an earlier round of a loop left in members of the object says nothing about the new one.
  forgetMembers(state, object);
  const isKept = forgetKept(state, object);
  state.devices.set(object, { state: UNKNOWN_DEVICE, member: place });
  operate(run, state, {
    op,
    ok,
    place: object.start,
    api,
    argument: null,
    at: call,
    text: sourceText(run, call),
    inner: null,
    settled: false,
  });
  if (again && again.state.memory === 'live' && !isKept) {
    // two live objects from one place: nothing certain about either
    const tracked = state.devices.get(object)!;
    state.devices.set(object, { ...tracked, state: { ...tracked.state, escaped: true } });
  }
  state.masks.set(object, ok ? POSITIVE : NEGATIVE);
  if (op === 'alloc' && ok) runInit(run, state, call, place ?? object.start);
  return { states: [state], value: object.start };
}

/** The tag in kzalloc(sizeof(struct T), …), or of the variable in sizeof(*p). */
function sizeofTag(run: Run, call: CallExpr): string | null {
  for (const arg of call.args) {
    if (arg.kind !== 'sizeof') continue;
    if (arg.type?.keyword === 'struct') return arg.type.name;
    const expr = arg.operand;
    if (expr?.kind === 'unary' && expr.op === '*' && expr.operand.kind === 'name')
      return run.locals.get(expr.operand.name)?.name ?? null;
  }
  return null;
}

/**
 * kfree(p->name) of something never tracked is of no interest; kfree(p) of a parameter, an
 * allocation or a known device is.
 */
function freesObject(state: PathState, place: Place): boolean {
  if ((maskOf(state, place) & POSITIVE) === 0 && (maskOf(state, place) & NEGATIVE) === 0)
    return false;
  if (!reachesDevice(state, place)) return false;
  return state.devices.has(place.object) || isFreeable(place.object);
}

function isFreeable(object: AbstractObject): boolean {
  return (
    object.kind === 'parameter' ||
    object.kind === 'allocation' ||
    (object.kind === 'load' && isDrvdata(object.from))
  );
}

/** devm_add_action: the callback is kept; devm_add_action_or_reset that fails runs it at once. */
function defer(
  run: Run,
  state: PathState,
  call: CallExpr,
  effect: Extract<Effect, { op: 'defer' }>,
  values: readonly Value[],
  ok: boolean,
): PathState[] {
  const callback = values[effect.callback],
    data = values[effect.data];
  if (!data) return [state];
  if (callback?.kind !== 'function') {
    // What runs then is not seen.
    if ((ok || effect.orRun) && data.kind === 'pointer')
      escape(run, state, data, call, call.name ?? '');
    return [state];
  }
  if (ok) {
    handOver(run, state, (quiet, next) => runCallback(quiet, next, call, callback.name, data));
    state.deferred = [...state.deferred, { callback: callback.name, data }];
    return [state];
  }
  return effect.orRun ? runCallback(run, state, call, callback.name, data) : [state];
}

/** The paths after a callback with one argument was called. */
export function runCallback(
  run: Run,
  state: PathState,
  call: CallExpr,
  name: string,
  data: Value,
): PathState[] {
  const defined = run.index.functions(run.file, name)[0];
  if (defined) return applySummary(run, state, call, defined, [data]).map((result) => result.state);
  callResources(run, state, call, name, [data], unknownAt(state, identityOf(call)), true);
  const behaviour = behaviourOf(name, run.kernel, run.index.module.wrappers);
  if (behaviour === 'neutral' || data.kind !== 'pointer') return [state];
  if (behaviour === undefined) {
    escape(run, state, data, call, name);
    return [state];
  }
  for (const effect of behaviour.success) {
    if (!CALLBACK_EFFECTS.has(effect.op) || !('target' in effect) || effect.target !== 0) continue;
    if (effect.op === 'free' && !freesObject(state, data)) continue;
    operateIfVfio(run, state, {
      op: effect.op,
      ok: true,
      place: data,
      api: name,
      argument: null,
      at: call,
      text: nameOf(run, state, data.object),
      inner: null,
      settled: false,
    });
  }
  return [state];
}

/**
 * What a kernel function does that is itself given as a callback: `(void (*)(void
 * *))vfio_put_device`.
 */
const CALLBACK_EFFECTS: ReadonlySet<string> = new Set(['put', 'unregister', 'uninit', 'free']);
