import type { CallExpr, Expr, FunctionIr } from '../ir/types.ts';
import type { Behaviour, Effect, ErrorConvention } from '../kernel/types.ts';
import {
  behaviourOf,
  isNoReturn,
  isView,
  memberReadBy,
  retainsArgument,
  testedArgument,
} from '../kernel/lookup.ts';
import { mayEndContainer } from '../kernel/containers.ts';
import { opposites } from '../kernel/opposites.ts';
import { takenBy } from '../kernel/pairs.ts';
import { applySummary } from './apply.ts';
import { decide } from './conditions-flow.ts';
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
import { escape, loseCertainty, operate, operateIfVfio, test, use } from './operate.ts';
import { assignedParameters } from './module.ts';
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
} from './domain/access-path.ts';
import {
  allocation,
  codeOf,
  keptObjects,
  literal,
  resultAt,
  type AbstractObject,
  type Place,
} from './domain/objects.ts';
import {
  assume,
  forgetMembers,
  fork,
  maskOf,
  membersOf,
  type PathState,
} from './domain/path-state.ts';
import { NEGATIVE, NULL, POSITIVE, ZERO, int, type Value } from './domain/values.ts';
import { append } from '../text/lists.ts';

/** A path after the arguments of a call, with their values in order. */
interface Arguments {
  readonly s: PathState;
  readonly values: readonly Value[];
}

/**
 * Evaluates a call: what the language gives a meaning, the module's own functions and macros, the
 * kernel's tables, the unknown.
 */
export function evaluateCall(run: Run, s: PathState, e: CallExpr): Evaluated[] {
  const name = e.name;
  const local = name === null || run.locals.has(name);
  if (!local) {
    const special = SPECIAL[name];
    if (special) return special(run, s, e);
    const defined = run.index.functions(run.file, name);
    if (defined.length)
      return evaluateArguments(run, s, e.args).flatMap((a) =>
        defined.flatMap((d, i) =>
          applySummary(run, i < defined.length - 1 ? fork(a.s) : a.s, e, d, a.values),
        ),
      );
    const macro = run.index.macroFunction(run.file, name);
    if (macro)
      return evaluateArguments(run, s, passedTo(macro.item, e.args)).flatMap((a) =>
        applySummary(run, a.s, e, macro, a.values),
      );
    if (isNoReturn(name)) return [];
    const first = e.args[0];
    if (first && isView(name))
      return evaluate(run, s, first).map((r) => ({ s: r.s, v: viewOf(r.s, r.v, e.start) }));
    const member = memberReadBy(name);
    if (first && member !== undefined)
      return evaluate(run, s, first).map((r) => ({
        s: r.s,
        v:
          r.v.kind === 'pointer'
            ? loadPlace(run, r.s, fieldOf(r.v, member), e.start)
            : unknownAt(r.s, e.start),
      }));
    const returned = testedArgument(name);
    if (returned !== undefined)
      return evaluateArguments(run, s, e.args).map((a) => ({
        s: a.s,
        v: a.values[returned] ?? NULL,
      }));
    const behaviour = behaviourOf(name, run.kernel, run.index.module.wrappers);
    if (behaviour !== undefined && behaviour !== 'neutral' && behaviour.success.length > 0)
      return behave(run, s, e, name, behaviour);
    const keeps = retainsArgument(name);
    return evaluateArguments(run, s, e.args).map((a) => {
      if (keeps) keepArguments(run, a, name);
      return { s: a.s, v: harmlessOrUnknown(run, a, e, behaviour === undefined ? name : null) };
    });
  }
  return evaluate(run, s, e.callee).flatMap((c) =>
    evaluateArguments(run, c.s, e.args).map((a) => ({
      s: a.s,
      v: harmlessOrUnknown(run, a, e, name ?? ''),
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

function evaluateArguments(run: Run, s: PathState, args: readonly Expr[]): Arguments[] {
  let out: Arguments[] = [{ s, values: [] }];
  args.forEach((x, position) => {
    out = out.flatMap((a) =>
      evaluate(run, a.s, x).map((r) => ({ s: r.s, values: [...a.values, r.v] })),
    );
    const few = fewer(
      out.map((a) => a.s),
      x.start,
    );
    // Where they were joined, nothing is known of the values.
    if (few.length < out.length)
      out = few.map((t) => ({
        s: t,
        values: args.slice(0, position + 1).map((one) => fresh(t, one.start)),
      }));
  });
  return out;
}

/**
 * `unknown` is the name of a function that nothing is known of, or null for one that is known to do
 * nothing here.
 */
function harmlessOrUnknown(run: Run, a: Arguments, e: CallExpr, unknown: string | null): Value {
  const s = a.s;
  // A macro of an unseen header that is given a label jumps there.
  if (
    unknown !== null &&
    e.args.some((x) => x.kind === 'name' && run.labels.has(x.name) && !run.locals.has(x.name))
  )
    loseCertainty(s);
  let asksObject = false;
  a.values.forEach((v, i) => {
    if (v.kind !== 'pointer') return;
    const arg = e.args[i]!;
    if (arg.kind === 'name' || arg.kind === 'unary')
      use(run, s, v, arg, 'pass', passedMember(v), e.name);
    // A helper that is given a device does not know that it is one.
    asksObject ||=
      s.devices.has(v.object) ||
      (run.role === 'helper' && v.object.kind === 'parameter' && v.parent !== null);
    if (unknown !== null) hand(run, s, v, e, unknown);
    else if (e.name !== null && mayEndContainer(e.name)) escape(run, s, v.object.start, e, e.name);
    if (v.object.kind === 'local' && v.parent === null)
      storePlace(run, s, v, fresh(s, arg.start, 'out'));
  });
  // What a function that takes or starts something answers is whether it could, and no state of the
  // object.
  const saysWhetherItCould =
    e.name !== null && (takenBy(e.name) !== undefined || opposites(e.name).length > 0);
  const result = fresh(s, e.start, asksObject && !saysWhetherItCould ? 'state' : 'call');
  const callee = e.name !== null && !run.locals.has(e.name) ? e.name : null;
  if (callee !== null) callResources(run, s, e, callee, a.values, result, true);
  else indirectCall(run, s, e, a.values);
  return result;
}

/**
 * Gives a pointer to unseen code, with what can be reached from it: members that hold devices,
 * drvdata.
 */
function hand(run: Run, s: PathState, v: Place, e: CallExpr, to: string): void {
  if (reachesDevice(s, v) || mayEndContainer(to)) escape(run, s, v, e, to);
  if (v.parent !== null && v.object.kind !== 'local' && !s.heap.has(drvdataOf(v))) return;
  for (const [, held] of membersOf(s, v.object)) {
    if (held.kind === 'pointer' && held.object !== v.object && s.devices.has(held.object))
      escape(run, s, held, e, to);
  }
}

/** list_add() and its like: from now on others can reach the object. */
function keepArguments(run: Run, a: Arguments, name: string): void {
  for (const v of a.values)
    if (v.kind === 'pointer' && a.s.devices.has(v.object))
      storePlace(run, a.s, fieldOf(keptObjects(a.s.interner).start, name), v);
}

/**
 * Whether code that is given this pointer can reach the life cycle of the object: it points to its
 * start or to its device, not to some other member.
 */
function reachesDevice(s: PathState, v: Place): boolean {
  if (v.parent === null || v.isOutward) return true;
  const member = s.devices.get(v.object)?.member;
  return member ? isWithin(member, v) : false;
}

/** The member path of what is passed, as a use says it. */
export function passedMember(v: Place): string | null {
  return v.parent === null ? null : pathText(v);
}

/**
 * Another view of the same object (to_pci_dev, mdev_dev): its own life cycle is of no interest, so
 * only identity counts.
 */
function viewOf(s: PathState, v: Value, at: number): Value {
  return v.kind === 'pointer' ? v.object.start : unknownAt(s, at);
}

/** Something of which nothing is known. */
function unknownAt(s: PathState, start: number): Place {
  return resultAt(s.interner, 'value', start).start;
}

function behave(run: Run, s: PathState, e: CallExpr, name: string, b: Behaviour): Evaluated[] {
  // The first two arguments of the vfio_alloc_device macro are a struct tag and a member
  // designator, not values.
  const designators = name === 'vfio_alloc_device' ? 2 : 0;
  return evaluateArguments(run, s, e.args.slice(designators)).flatMap((a) => {
    const values = [...Array<Value>(designators).fill(NULL), ...a.values];
    const out: Evaluated[] = [];
    const canFail = b.errors !== 'void' && b.errors !== 'value' && !b.cannotFail;
    if (canFail) append(out, outcome(run, fork(a.s), e, name, b, values, false));
    append(out, outcome(run, a.s, e, name, b, values, true));
    return out;
  });
}

/** One outcome of a known call: its effects, then its value. */
function outcome(
  run: Run,
  s: PathState,
  e: CallExpr,
  name: string,
  b: Behaviour,
  values: readonly Value[],
  ok: boolean,
): Evaluated[] {
  let result: Value =
    b.errors === 'errno'
      ? ok
        ? int(0)
        : someErrno(s, e.start)
      : ok
        ? fresh(s, e.start, 'call')
        : NULL;
  if (b.errors === 'err-ptr' && !ok)
    result = known(s, resultAt(s.interner, 'error', e.start), NEGATIVE);
  let states: PathState[] = [s];
  const failed = new Set(['alloc', 'allocate', 'register', 'init-device', 'core-init']);
  // A failed call does not do its effects, but a failed allocation or register is a fact about its
  // object.
  const effects = ok
    ? b.success
    : [
        ...b.success.filter((x) => failed.has(x.op) || (x.op === 'defer' && x.orRun)),
        ...(b.failure ?? []),
      ];
  for (const effect of effects) {
    states = states.flatMap((t) => {
      const made = apply(
        run,
        t,
        e,
        name,
        effect,
        values,
        ok || (b.failure ?? []).includes(effect),
        b.errors,
      );
      const out = 'out' in effect ? effect.out : undefined;
      if (out === undefined) result = made.value ?? result;
      else if (ok) storeOut(run, made, values[out]);
      return made.states;
    });
  }
  for (const t of states) callResources(run, t, e, name, values, result, ok);
  return states.map((t) => ({ s: t, v: result }));
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
  s: PathState,
  e: CallExpr,
  api: string,
  effect: Effect,
  values: readonly Value[],
  ok: boolean,
  errors: ErrorConvention,
): { states: PathState[]; value?: Value } {
  if (effect.op === 'alloc' || effect.op === 'allocate')
    return allocate(run, s, e, api, effect.op, ok, errors);
  if (effect.op === 'get-drvdata') {
    const device = values[effect.target];
    return {
      states: [s],
      value:
        device?.kind === 'pointer'
          ? loadPlace(run, s, drvdataOf(device), e.start)
          : unknownAt(s, e.start),
    };
  }
  if (effect.op === 'defer') return { states: defer(run, s, e, effect, values, ok) };
  const v = operandOf(run, s, e, values[effect.target], effect);
  if (effect.op === 'set-drvdata') {
    const stored = values[effect.value];
    if (v?.kind === 'pointer' && stored) storePlace(run, s, drvdataOf(v), stored);
    const arg = e.args[effect.value];
    if (stored?.kind === 'pointer' && arg && s.devices.has(stored.object))
      operate(run, s, {
        op: 'set-drvdata',
        ok: true,
        place: stored,
        api,
        argument: effect.value,
        at: e,
        text: sourceText(run, arg),
        inner: null,
        settled: false,
      });
    return { states: [s] };
  }
  const arg = e.args[effect.target];
  if (!arg || v?.kind !== 'pointer') return { states: [s] };
  if (effect.op === 'free' && !freesObject(s, v)) return { states: [s] };
  operateIfVfio(run, s, {
    op: effect.op,
    ok,
    place: v,
    api,
    argument: effect.target,
    at: e,
    text: sourceText(run, arg),
    inner: null,
    settled: false,
  });
  if (effect.op === 'put') runRelease(run, s, e, v);
  return { states: [s] };
}

/** What an effect is on: the argument, or the drvdata of it. */
function operandOf(
  run: Run,
  s: PathState,
  e: CallExpr,
  argument: Value | undefined,
  { through }: Effect,
): Value | undefined {
  return through === 'drvdata' && argument?.kind === 'pointer'
    ? loadPlace(run, s, drvdataOf(argument), e.start)
    : argument;
}

function allocate(
  run: Run,
  s: PathState,
  e: CallExpr,
  api: string,
  op: 'alloc' | 'allocate',
  ok: boolean,
  errors: ErrorConvention,
): { states: PathState[]; value: Value } {
  // A wrapper of vfio_alloc_device() may turn its error pointer into NULL.
  if ((op === 'allocate' || errors === 'null-ptr') && !ok) return { states: [s], value: NULL };
  const object = allocation(s.interner, run.file.path, e.start);
  const tag = e.args[0],
    designator = e.args[1];
  const macro = op === 'alloc' && e.args.length === 4;
  const member = macro && designator ? designated(designator) : null;
  const place = member && follow(object.start, member);
  run.objects.set(object.id, {
    origin: site(run, e),
    kind: 'allocation',
    container: macro && tag?.kind === 'name' ? tag.name : sizeofTag(run, e),
    member,
  });
  const again = s.devices.get(object);
  // What an earlier round of a loop left in members of the object says nothing about the new one.
  forgetMembers(s, object);
  s.devices.set(object, { state: UNKNOWN_DEVICE, member: place });
  operate(run, s, {
    op,
    ok,
    place: object.start,
    api,
    argument: null,
    at: e,
    text: sourceText(run, e),
    inner: null,
    settled: false,
  });
  if (again && again.state.memory === 'live') {
    // two live objects from one place: nothing certain about either
    const t = s.devices.get(object)!;
    s.devices.set(object, { ...t, state: { ...t.state, escaped: true } });
  }
  s.masks.set(object, ok ? POSITIVE : NEGATIVE);
  if (op === 'alloc' && ok) runInit(run, s, e, place ?? object.start);
  return { states: [s], value: object.start };
}

/** The tag in kzalloc(sizeof(struct T), …), or of the variable in sizeof(*p). */
function sizeofTag(run: Run, e: CallExpr): string | null {
  for (const a of e.args) {
    if (a.kind !== 'sizeof') continue;
    if (a.type?.keyword === 'struct') return a.type.name;
    const o = a.operand;
    if (o?.kind === 'unary' && o.op === '*' && o.operand.kind === 'name')
      return run.locals.get(o.operand.name)?.name ?? null;
  }
  return null;
}

/**
 * kfree(p->name) of something never tracked is of no interest; kfree(p) of a parameter, an
 * allocation or a known device is.
 */
function freesObject(s: PathState, v: Place): boolean {
  if ((maskOf(s, v) & POSITIVE) === 0 && (maskOf(s, v) & NEGATIVE) === 0) return false;
  if (!reachesDevice(s, v)) return false;
  return s.devices.has(v.object) || isFreeable(v.object);
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
  s: PathState,
  e: CallExpr,
  effect: Extract<Effect, { op: 'defer' }>,
  values: readonly Value[],
  ok: boolean,
): PathState[] {
  const callback = values[effect.callback],
    data = values[effect.data];
  if (!data) return [s];
  if (callback?.kind !== 'function') {
    // What runs then is not seen.
    if ((ok || effect.orRun) && data.kind === 'pointer') escape(run, s, data, e, e.name ?? '');
    return [s];
  }
  if (ok) {
    handOver(run, s, (quiet, t) => runCallback(quiet, t, e, callback.name, data));
    s.deferred = [...s.deferred, { callback: callback.name, data }];
    return [s];
  }
  return effect.orRun ? runCallback(run, s, e, callback.name, data) : [s];
}

/** The paths after a callback with one argument was called. */
export function runCallback(
  run: Run,
  s: PathState,
  e: CallExpr,
  name: string,
  data: Value,
): PathState[] {
  const defined = run.index.functions(run.file, name)[0];
  if (defined) return applySummary(run, s, e, defined, [data]).map((r) => r.s);
  callResources(run, s, e, name, [data], unknownAt(s, e.start), true);
  const behaviour = behaviourOf(name, run.kernel, run.index.module.wrappers);
  if (behaviour === 'neutral' || data.kind !== 'pointer') return [s];
  if (behaviour === undefined) {
    escape(run, s, data, e, name);
    return [s];
  }
  for (const effect of behaviour.success) {
    if (!CALLBACK_EFFECTS.has(effect.op) || !('target' in effect) || effect.target !== 0) continue;
    if (effect.op === 'free' && !freesObject(s, data)) continue;
    operateIfVfio(run, s, {
      op: effect.op,
      ok: true,
      place: data,
      api: name,
      argument: null,
      at: e,
      text: nameOf(run, s, data.object),
      inner: null,
      settled: false,
    });
  }
  return [s];
}

/**
 * What a kernel function does that is itself given as a callback: `(void (*)(void
 * *))vfio_put_device`.
 */
const CALLBACK_EFFECTS: ReadonlySet<string> = new Set(['put', 'unregister', 'uninit', 'free']);

type Special = (run: Run, s: PathState, e: CallExpr) => Evaluated[];

const memberToContainer: Special = (run, s, e) => {
  const [from, , member] = e.args;
  const steps = member && designated(member);
  if (!from || !steps) return [{ s, v: fresh(s, e.start) }];
  return evaluate(run, s, from).map(({ s: t, v }) => ({
    s: t,
    v: v.kind === 'pointer' ? containerOf(v, steps) : fresh(t, e.start),
  }));
};

/** The steps that a member designator names: `core_device.vdev`. Null for what is none. */
function designated(e: Expr): readonly AccessStep[] | null {
  if (e.kind === 'name') return [{ kind: 'field', name: e.name }];
  if (e.kind === 'cast') return designated(e.operand);
  if (e.kind !== 'member' && e.kind !== 'index') return null;
  const base = designated(e.base);
  return (
    base && [...base, e.kind === 'member' ? { kind: 'field', name: e.field } : { kind: 'element' }]
  );
}

const errorCode: Special = (run, s, e) =>
  e.args[0]
    ? evaluate(run, s, e.args[0]).map(({ s: t, v }) => ({
        s: t,
        v: v.kind === 'pointer' && v.parent === null ? codeIn(t, v) : v,
      }))
    : [{ s, v: NULL }];

const errorOrZero: Special = (run, s, e) =>
  e.args[0]
    ? evaluate(run, s, e.args[0]).flatMap(({ s: t, v }) => {
        if (v.kind === 'pointer') test(run, t, v.object, e, e, 'is-err');
        const failed = fork(t),
          out: Evaluated[] = [];
        if (assume(failed, v, NEGATIVE))
          out.push({ s: failed, v: v.kind === 'pointer' ? codeIn(failed, v) : v });
        if (assume(t, v, POSITIVE | ZERO)) out.push({ s: t, v: int(0) });
        return out;
      })
    : [{ s, v: NULL }];

/** A test whose result is a value: each truth is a path. Half a call, `IS_ERR()`, tests nothing. */
const truthOf: Special = (run, s, e) =>
  e.args[0]
    ? [
        ...decide(run, fork(s), e, true).map((t) => ({ s: t, v: int(1) })),
        ...decide(run, s, e, false).map((t) => ({ s: t, v: NULL })),
      ]
    : [{ s, v: fresh(s, e.start) }];

const errorPointer: Special = (run, s, e) =>
  e.args[0] ? evaluate(run, s, e.args[0]) : [{ s, v: NULL }];

/** BUG_ON(x): execution goes on only where x is false. */
const assertion: Special = (run, s, e) =>
  e.args[0] ? decide(run, s, e.args[0], false).map((t) => ({ s: t, v: NULL })) : [{ s, v: NULL }];

/** The errno in an error pointer: negative exactly when the pointer is one. */
function codeIn(s: PathState, v: Place): Value {
  return known(s, codeOf(s.interner, v.object), maskOf(s, v));
}

const takePointer: Special = (run, s, e) =>
  e.args[0]
    ? evaluate(run, s, e.args[0]).map(({ s: t, v }) => {
        if (e.args[0]?.kind === 'name') t.env.set(e.args[0].name, NULL); // no_free_ptr(p) leaves NULL for the cleanup
        return { s: t, v };
      })
    : [{ s, v: NULL }];

const bit: Special = (run, s, e) =>
  e.args[0]
    ? evaluate(run, s, e.args[0]).map(({ s: t, v }) => ({
        s: t,
        v:
          v.kind === 'int' && v.value >= 0 && v.value < 31
            ? int(2 ** v.value)
            : known(t, literal(t.interner, sourceText(run, e).slice(0, 80)), POSITIVE),
      }))
    : [{ s, v: NULL }];

const compileTime: Special = (_, s, e) => [
  { s, v: known(s, literal(s.interner, `${e.name} ${e.start}`), POSITIVE | ZERO) },
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
  IS_ENABLED: compileTime,
  sizeof_field: compileTime,
});
