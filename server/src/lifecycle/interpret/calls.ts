/**
 * What a call does: of the language, of the module, of the kernel's tables, of code that is not
 * seen.
 */
import type { CallExpr, Expr, FunctionIr } from '../../ir/types.ts';
import type { Behaviour, Effect, ErrorConvention } from '../../kernel/types.ts';
import {
  behaviourOf,
  isNoReturn,
  isView,
  mayFailToRetain,
  memberReadBy,
  retainsArgument,
  testedArgument,
} from '../../kernel/lookup.ts';
import { mayEndContainer } from '../../kernel/containers.ts';
import { opposites } from '../../kernel/heuristics.ts';
import { takenBy } from '../../kernel/resource-pairs.ts';
import { applySummary } from './apply-summary.ts';
import { decide } from './branch-conditions.ts';
import { UNKNOWN_DEVICE } from './device.ts';
import {
  evaluate,
  fewer,
  fresh,
  known,
  someErrno,
  loadPlace,
  storePlace,
  type Evaluated,
} from './evaluate.ts';
import { escape, loseCertainty, operate, operateIfVfio, test, use } from './device-operations.ts';
import { assignedParameters } from '../module/module.ts';
import { callResources, handOver, indirectCall, runInit, runRelease } from './resources.ts';
import { nameOf, site, sourceText, type Run } from './run.ts';
import {
  containerOf,
  drvdataOf,
  fieldOf,
  isDrvdata,
  isWithin,
  pathText,
  follow,
  type AccessStep,
} from '../domain/access-path.ts';
import {
  allocation,
  codeOf,
  keptObjects,
  literal,
  resultAt,
  type AbstractObject,
  type Place,
} from '../domain/objects.ts';
import {
  assume,
  forgetMembers,
  holdersOf,
  fork,
  maskOf,
  membersOf,
  type PathState,
} from '../domain/path-state.ts';
import { NEGATIVE, NULL, POSITIVE, ZERO, int, type Mask, type Value } from '../domain/values.ts';
import { append } from '../../text/lists.ts';

/** A path after the arguments of a call, with their values in order. */
interface Arguments {
  readonly state: PathState;
  readonly values: readonly Value[];
}

/**
 * Evaluates a call: what the language gives a meaning, the module's own functions and macros, the
 * kernel's tables, the unknown.
 */
export function evaluateCall(run: Run, state: PathState, call: CallExpr): Evaluated[] {
  const name = call.name;
  const local = name === null || run.locals.has(name);
  if (!local) {
    const special = SPECIAL[name];
    if (special) return special(run, state, call);
    const defined = run.index.functions(run.file, name);
    if (defined.length)
      return evaluateArguments(run, state, call.args).flatMap((args) =>
        defined.flatMap((definition, i) =>
          applySummary(
            run,
            i < defined.length - 1 ? fork(args.state) : args.state,
            call,
            definition,
            args.values,
          ),
        ),
      );
    const macro = run.index.macroFunction(run.file, name);
    if (macro)
      return evaluateArguments(run, state, passedTo(macro.item, call.args)).flatMap((args) =>
        applySummary(run, args.state, call, macro, args.values),
      );
    if (isNoReturn(name)) return [];
    const first = call.args[0];
    if (first && isView(name))
      return evaluate(run, state, first).map((result) => ({
        state: result.state,
        value: viewOf(result.state, result.value, call.start),
      }));
    const member = memberReadBy(name);
    if (first && member !== undefined)
      return evaluate(run, state, first).map((result) => ({
        state: result.state,
        value:
          result.value.kind === 'pointer'
            ? loadPlace(run, result.state, fieldOf(result.value, member), call.start)
            : unknownAt(result.state, call.start),
      }));
    const returned = testedArgument(name);
    if (returned !== undefined)
      return evaluateArguments(run, state, call.args).map((args) => ({
        state: args.state,
        value: args.values[returned] ?? NULL,
      }));
    const behaviour = behaviourOf(name, run.kernel, run.index.module.wrappers);
    if (behaviour !== undefined && behaviour !== 'neutral' && behaviour.success.length > 0)
      return behave(run, state, call, name, behaviour);
    const keeps = retainsArgument(name);
    return evaluateArguments(run, state, call.args).flatMap((args) => {
      const unknown = behaviour === undefined ? name : null;
      if (keeps && mayFailToRetain(name) && givesDevice(args))
        return keepOrFail(run, args, call, name);
      if (keeps) keepArguments(run, args, name);
      return [{ state: args.state, value: harmlessOrUnknown(run, args, call, unknown) }];
    });
  }
  return evaluate(run, state, call.callee).flatMap((result) =>
    evaluateArguments(run, result.state, call.args).map((args) => ({
      state: args.state,
      value: harmlessOrUnknown(run, args, call, name ?? ''),
    })),
  );
}

/** The variables that a macro assigns to are passed by their addresses. */
function passedTo(macro: FunctionIr, args: readonly Expr[]): readonly Expr[] {
  const outs = assignedParameters(macro);
  return outs === undefined
    ? args
    : args.map((arg, i): Expr =>
        outs.has(i)
          ? { kind: 'unary', op: '&', operand: arg, start: arg.start, end: arg.end }
          : arg,
      );
}

function evaluateArguments(run: Run, state: PathState, args: readonly Expr[]): Arguments[] {
  let out: Arguments[] = [{ state, values: [] }];
  args.forEach((expr, position) => {
    out = out.flatMap((evaluated) =>
      evaluate(run, evaluated.state, expr).map((result) => ({
        state: result.state,
        values: [...evaluated.values, result.value],
      })),
    );
    const few = fewer(
      out.map((evaluated) => evaluated.state),
      expr.start,
    );
    // Where they were joined, nothing is known of the values.
    if (few.length < out.length)
      out = few.map((next) => ({
        state: next,
        values: args.slice(0, position + 1).map((one) => fresh(next, one.start)),
      }));
  });
  return out;
}

/**
 * `unknown` is the name of a function that nothing is known of, or null for one that is known to do
 * nothing here.
 */
function harmlessOrUnknown(
  run: Run,
  args: Arguments,
  call: CallExpr,
  unknown: string | null,
): Value {
  const state = args.state;
  // A macro of an unseen header that is given a label jumps there.
  if (
    unknown !== null &&
    call.args.some(
      (expr) => expr.kind === 'name' && run.labels.has(expr.name) && !run.locals.has(expr.name),
    )
  )
    loseCertainty(state);
  let asksObject = false;
  args.values.forEach((value, i) => {
    if (value.kind !== 'pointer') return;
    const arg = call.args[i]!;
    if (arg.kind === 'name' || arg.kind === 'unary')
      use(run, state, value, arg, 'pass', passedMember(value), call.name);
    // A helper that is given a device does not know that it is one.
    asksObject ||=
      state.devices.has(value.object) ||
      (run.role === 'helper' && value.object.kind === 'parameter' && value.parent !== null);
    if (unknown !== null) hand(run, state, value, call, unknown);
    else if (call.name !== null && mayEndContainer(call.name))
      escape(run, state, value.object.start, call, call.name);
    if (value.object.kind === 'local' && value.parent === null)
      storePlace(run, state, value, fresh(state, arg.start, 'out'));
  });
  // What a function that takes or starts something answers is whether it could, and no state of the
  // object.
  const saysWhetherItCould =
    call.name !== null && (takenBy(call.name) !== undefined || opposites(call.name).length > 0);
  const result = fresh(state, call.start, asksObject && !saysWhetherItCould ? 'state' : 'call');
  const callee = call.name !== null && !run.locals.has(call.name) ? call.name : null;
  if (callee !== null) callResources(run, state, call, callee, args.values, result, true);
  else indirectCall(run, state, call, args.values);
  return result;
}

/**
 * Gives a pointer to unseen code, with what can be reached from it: members that hold devices,
 * drvdata.
 */
function hand(run: Run, state: PathState, place: Place, call: CallExpr, to: string): void {
  if (reachesDevice(state, place) || mayEndContainer(to)) escape(run, state, place, call, to);
  if (place.parent !== null && place.object.kind !== 'local' && !state.heap.has(drvdataOf(place)))
    return;
  for (const [, held] of membersOf(state, place.object)) {
    if (held.kind === 'pointer' && held.object !== place.object && state.devices.has(held.object))
      escape(run, state, held, call, to);
  }
}

/** What an earlier round put into a collection is there, and is none of this one's. */
function forgetKept(state: PathState, object: AbstractObject): boolean {
  const places = [...holdersOf(state, object)].flatMap(([at]) =>
    at.object.kind === 'kept' ? [at] : [],
  );
  for (const at of places) state.heap.delete(at);
  return places.length > 0;
}

function givesDevice({ state, values }: Arguments): boolean {
  return values.some((value) => value.kind === 'pointer' && state.devices.has(value.object));
}

/** xa_alloc() and its like: a call that fails has stored nothing. */
function keepOrFail(run: Run, args: Arguments, call: CallExpr, name: string): Evaluated[] {
  const failed = { ...args, state: fork(args.state) };
  keepArguments(run, args, name);
  const ways: readonly (readonly [Arguments, Mask])[] = [
    [args, ZERO | POSITIVE],
    [failed, NEGATIVE],
  ];
  return ways.flatMap(([way, mask]) => {
    const value = harmlessOrUnknown(run, way, call, null);
    return assume(way.state, value, mask) ? [{ state: way.state, value }] : [];
  });
}

/** list_add() and its like: from now on others can reach the object. */
function keepArguments(run: Run, args: Arguments, name: string): void {
  for (const value of args.values)
    if (value.kind === 'pointer' && args.state.devices.has(value.object))
      storePlace(run, args.state, fieldOf(keptObjects(args.state.interner).start, name), value);
}

/**
 * Whether code that is given this pointer can reach the life cycle of the object: it points to its
 * start or to its device, not to some other member.
 */
function reachesDevice(state: PathState, place: Place): boolean {
  if (place.parent === null || place.isOutward) return true;
  const member = state.devices.get(place.object)?.member;
  return member ? isWithin(member, place) : false;
}

/** The member path of what is passed, as a use says it. */
export function passedMember(place: Place): string | null {
  return place.parent === null ? null : pathText(place);
}

/**
 * Another view of the same object (to_pci_dev, mdev_dev): its own life cycle is of no interest, so
 * only identity counts.
 */
function viewOf(state: PathState, value: Value, at: number): Value {
  return value.kind === 'pointer' ? value.object.start : unknownAt(state, at);
}

/** Something of which nothing is known. */
function unknownAt(state: PathState, start: number): Place {
  return resultAt(state.interner, 'value', start).start;
}

function behave(
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
  return behaviour.errors === 'errno' ? int(0) : fresh(state, call.start, 'call');
}

/** What a known call returns when it failed. */
function failureResult(state: PathState, call: CallExpr, behaviour: Behaviour): Value {
  if (behaviour.errors === 'errno') return someErrno(state, call.start);
  if (behaviour.errors === 'err-ptr')
    return known(state, resultAt(state.interner, 'error', call.start), NEGATIVE);
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
      const made = apply(
        run,
        next,
        call,
        name,
        effect,
        values,
        ok || (behaviour.failure ?? []).includes(effect),
        behaviour.errors,
      );
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
  ok: boolean,
  errors: ErrorConvention,
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
          : unknownAt(state, call.start),
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
  const object = allocation(state.interner, run.file.path, call.start);
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
  callResources(run, state, call, name, [data], unknownAt(state, call.start), true);
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

type Special = (run: Run, state: PathState, call: CallExpr) => Evaluated[];

const memberToContainer: Special = (run, next, call) => {
  const [from, , member] = call.args;
  const steps = member && designated(member);
  if (!from || !steps) return [{ state: next, value: fresh(next, call.start) }];
  return evaluate(run, next, from).map(({ state: after, value: operand }) => ({
    state: after,
    value: operand.kind === 'pointer' ? containerOf(operand, steps) : fresh(after, call.start),
  }));
};

/** The steps that a member designator names: `core_device.vdev`. Null for what is none. */
function designated(expr: Expr): readonly AccessStep[] | null {
  if (expr.kind === 'name') return [{ kind: 'field', name: expr.name }];
  if (expr.kind === 'cast') return designated(expr.operand);
  if (expr.kind !== 'member' && expr.kind !== 'index') return null;
  const base = designated(expr.base);
  return (
    base && [
      ...base,
      expr.kind === 'member' ? { kind: 'field', name: expr.field } : { kind: 'element' },
    ]
  );
}

const errorCode: Special = (run, next, call) =>
  call.args[0]
    ? evaluate(run, next, call.args[0]).map(({ state: after, value: operand }) => ({
        state: after,
        value:
          operand.kind === 'pointer' && operand.parent === null ? codeIn(after, operand) : operand,
      }))
    : [{ state: next, value: NULL }];

const errorOrZero: Special = (run, next, call) =>
  call.args[0]
    ? evaluate(run, next, call.args[0]).flatMap(({ state: after, value: operand }) => {
        if (operand.kind === 'pointer') test(run, after, operand.object, call, call, 'is-err');
        const failed = fork(after),
          out: Evaluated[] = [];
        if (assume(failed, operand, NEGATIVE))
          out.push({
            state: failed,
            value: operand.kind === 'pointer' ? codeIn(failed, operand) : operand,
          });
        if (assume(after, operand, POSITIVE | ZERO)) out.push({ state: after, value: int(0) });
        return out;
      })
    : [{ state: next, value: NULL }];

/** A test whose result is a value: each truth is a path. Half a call, `IS_ERR()`, tests nothing. */
const truthOf: Special = (run, state, call) =>
  call.args[0]
    ? [
        ...decide(run, fork(state), call, true).map((next) => ({ state: next, value: int(1) })),
        ...decide(run, state, call, false).map((next) => ({ state: next, value: NULL })),
      ]
    : [{ state, value: fresh(state, call.start) }];

const errorPointer: Special = (run, state, call) =>
  call.args[0] ? evaluate(run, state, call.args[0]) : [{ state, value: NULL }];

/** BUG_ON(x): execution goes on only where x is false. */
const assertion: Special = (run, state, call) =>
  call.args[0]
    ? decide(run, state, call.args[0], false).map((next) => ({ state: next, value: NULL }))
    : [{ state, value: NULL }];

/** The errno in an error pointer: negative exactly when the pointer is one. */
function codeIn(state: PathState, place: Place): Value {
  return known(state, codeOf(state.interner, place.object), maskOf(state, place));
}

const takePointer: Special = (run, next, call) =>
  call.args[0]
    ? evaluate(run, next, call.args[0]).map(({ state: after, value: operand }) => {
        if (call.args[0]?.kind === 'name') after.env.set(call.args[0].name, NULL); // no_free_ptr(p) leaves NULL for the cleanup
        return { state: after, value: operand };
      })
    : [{ state: next, value: NULL }];

const bit: Special = (run, next, call) =>
  call.args[0]
    ? evaluate(run, next, call.args[0]).map(({ state: after, value: operand }) => ({
        state: after,
        value:
          operand.kind === 'int' && operand.value >= 0 && operand.value < 31
            ? int(2 ** operand.value)
            : known(after, literal(after.interner, sourceText(run, call).slice(0, 80)), POSITIVE),
      }))
    : [{ state: next, value: NULL }];

/** A test of the configuration in an expression, where the build tells what it is. */
const configured: Special = (run, state, call) => {
  const truth = run.index.truthOf(sourceText(run, call));
  if (truth === 'unknown') return compileTime(run, state, call);
  return [{ state, value: truth === 'true' ? int(1) : NULL }];
};

const compileTime: Special = (_, state, call) => [
  {
    state,
    value: known(state, literal(state.interner, `${call.name} ${call.start}`), POSITIVE | ZERO),
  },
];

/**
 * Names that the analysis must understand as the language does: pointers from member to container,
 * and what the compiler works out.
 */
const SPECIAL: Readonly<Record<string, Special | undefined>> = Object.assign(Object.create(null), {
  container_of: memberToContainer,
  container_of_const: memberToContainer,
  container_of_safe: memberToContainer,
  list_entry: memberToContainer,
  hlist_entry: memberToContainer,
  rb_entry: memberToContainer,
  IS_ERR: truthOf,
  IS_ERR_OR_NULL: truthOf,
  IS_ERR_VALUE: truthOf,
  PTR_ERR: errorCode,
  PTR_ERR_OR_ZERO: errorOrZero,
  ERR_PTR: errorPointer,
  BUG_ON: assertion,
  VM_BUG_ON: assertion,
  GEM_BUG_ON: assertion,
  no_free_ptr: takePointer,
  return_ptr: takePointer,
  retain_ptr: takePointer,
  retain_and_null_ptr: takePointer,
  BIT: bit,
  BIT_ULL: bit,
  offsetof: compileTime,
  offsetofend: compileTime,
  typeof: compileTime,
  BUILD_BUG_ON: compileTime,
  BUILD_BUG_ON_ZERO: compileTime,
  ARRAY_SIZE: compileTime,
  IS_ENABLED: configured,
  IS_BUILTIN: configured,
  IS_MODULE: configured,
  IS_REACHABLE: configured,
  sizeof_field: compileTime,
});
