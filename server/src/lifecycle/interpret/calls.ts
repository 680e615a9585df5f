/**
 * What a call does: of the language, of the module, of the kernel's tables, of code that is not
 * seen.
 */
import { identityOf } from '../../ir/node-identity.ts';
import type { CallExpr, Expr, FunctionIr } from '../../ir/types.ts';
import { mayEndContainer } from '../../kernel/containers.ts';
import { opposites } from '../../kernel/heuristics.ts';
import {
  behaviourOf,
  isNoReturn,
  isView,
  mayFailToRetain,
  memberReadBy,
  retainsArgument,
  testedArgument,
} from '../../kernel/lookup.ts';
import { takenBy } from '../../kernel/resource-pairs.ts';
import { drvdataOf, fieldOf, isWithin, pathText } from '../domain/access-path.ts';
import { type Place, keptObjects, resultAt } from '../domain/objects.ts';
import { type PathState, assume, fork, membersOf } from '../domain/path-state.ts';
import { type Mask, NEGATIVE, NULL, POSITIVE, type Value, ZERO } from '../domain/values.ts';
import { assignedParameters } from '../module/module.ts';
import { applySummary } from './apply-summary.ts';
import { escape, loseCertainty, use } from './device-operations.ts';
import { type Evaluated, evaluate, fewer, fresh, loadPlace, storePlace } from './evaluate.ts';
import { behave } from './known-calls.ts';
import { callResources, indirectCall } from './call-resources.ts';
import type { Run } from './run.ts';
import { specialCall } from './special-calls.ts';

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
    const special = specialCall(name);
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
    const macros = run.index.macroFunctions(run.file, name);
    if (macros.length > 0)
      return macros.flatMap((macro, i) =>
        evaluateArguments(
          run,
          i < macros.length - 1 ? fork(state) : state,
          passedTo(macro.item, call.args),
        ).flatMap((args) => applySummary(run, args.state, call, macro, args.values)),
      );
    if (isNoReturn(name)) return [];
    const first = call.args[0];
    if (first && isView(name))
      return evaluate(run, state, first).map((result) => ({
        state: result.state,
        value: viewOf(result.state, result.value, identityOf(call)),
      }));
    const member = memberReadBy(name);
    if (first && member !== undefined)
      return evaluate(run, state, first).map((result) => ({
        state: result.state,
        value:
          result.value.kind === 'pointer'
            ? loadPlace(run, result.state, fieldOf(result.value, member), call.start)
            : unknownAt(result.state, identityOf(call)),
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

export function evaluateArguments(run: Run, state: PathState, args: readonly Expr[]): Arguments[] {
  let out: Arguments[] = [{ state, values: [] }];
  for (let position = 0; position < args.length; position++) {
    const expr = args[position]!,
      next: Arguments[] = [];
    for (let i = 0; i < out.length; i++) {
      const { state: before, values } = out[i]!,
        ways = evaluate(run, before, expr);
      for (let way = 0; way < ways.length; way++) {
        const { state: after, value } = ways[way]!;
        next.push({ state: after, values: [...values, value] });
      }
    }
    out = next;
    if (out.length === 1) continue;
    const few = fewer(
      out.map((evaluated) => evaluated.state),
      expr.start,
    );
    // Where they were joined, nothing is known of the values.
    if (few.length < out.length)
      out = few.map((joined) => ({
        state: joined,
        values: args.slice(0, position + 1).map((one) => fresh(joined, identityOf(one))),
      }));
  }
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
      storePlace(run, state, value, fresh(state, identityOf(arg), 'out'));
  });
  // What a function that takes or starts something answers is whether it could, and no state of the
  // object.
  const saysWhetherItCould =
    call.name !== null && (takenBy(call.name) !== undefined || opposites(call.name).length > 0);
  const result = fresh(
    state,
    identityOf(call),
    asksObject && !saysWhetherItCould ? 'state' : 'call',
  );
  const callee = call.name !== null && !run.locals.has(call.name) ? call.name : null;
  if (callee !== null) callResources(run, state, call, callee, args.values, result, true);
  else indirectCall(run, state, call, args.values);
  return result;
}

/**
 * Gives a pointer to unseen code, with what can be reached from it: members that hold devices,
 * drvdata, what a variable points to.
 */
function hand(run: Run, state: PathState, place: Place, call: CallExpr, to: string): void {
  if (reachesDevice(state, place) || mayEndContainer(to)) escape(run, state, place, call, to);
  // The address of a variable: `foo_put(&foo)` may put what the variable points to.
  if (place.object.kind === 'local' && place.parent === null) {
    const held = loadPlace(run, state, place, call.start);
    if (held.kind === 'pointer' && state.devices.has(held.object))
      escape(run, state, held, call, to);
    return;
  }
  if (place.parent !== null && place.object.kind !== 'local' && !state.heap.has(drvdataOf(place)))
    return;
  for (const [, held] of membersOf(state, place.object)) {
    if (held.kind === 'pointer' && held.object !== place.object && state.devices.has(held.object))
      escape(run, state, held, call, to);
  }
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
export function reachesDevice(state: PathState, place: Place): boolean {
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
export function unknownAt(state: PathState, start: number): Place {
  return resultAt(state.interner, 'value', start).start;
}
