/** What a call of unseen code or of the kernel takes and gives back. */
import { pastedParts } from '../../ir/substitute.ts';
import type { CallExpr, FunctionIr } from '../../ir/types.ts';
import { counterChange } from '../../kernel/counters.ts';
import { namesAnUndo, opposites } from '../../kernel/heuristics.ts';
import { behaviourOf } from '../../kernel/lookup.ts';
import { takenBy } from '../../kernel/resource-pairs.ts';
import type { Behaviour } from '../../kernel/types.ts';
import { type PathState, load } from '../domain/path-state.ts';
import type { Value } from '../domain/values.ts';
import { scanOf } from '../module/function-scan.ts';
import { changeCount, giveBack, isHeldFor } from './give-back.ts';
import {
  type Held,
  countingOf,
  drop,
  hold,
  isUndo,
  owedByFailure,
  takingOf,
} from './held-resource.ts';
import { type Run, site } from './run.ts';

/**
 * A call of a function that is not the module's: what its name gives back and takes. `ok` is false
 * where the call is known to have failed.
 */
export function callResources(
  run: Run,
  state: PathState,
  call: CallExpr,
  name: string,
  values: readonly Value[],
  result: Value,
  ok: boolean,
): void {
  if (state.held === null) return;
  const at = site(run, call),
    change = counterChange(name);
  if (change) {
    if (ok)
      changeCount(
        run,
        state,
        countingOf(name, change.sign, values[change.counter], result, change.succeeds, at),
      );
    return;
  }
  const behaviour = behaviourOf(name, run.kernel, run.index.module.wrappers);
  const isPlain = behaviour === undefined || behaviour === 'neutral';
  const isUnknown = behaviour === undefined;
  const hasPartner = isHeldFor(state, name, values);
  if (isUndo(name) || (isPlain && namesAnUndo(name)))
    giveBack(run, state, { api: name, everything: false, values, site: at }, call, 'call');
  // An undo is spent on its own partner; any other may give back what it can reach.
  if (isUnknown && namesAnUndo(name) && !hasPartner)
    giveBack(run, state, { api: name, everything: true, values, site: at }, call, 'call');
  else if (isUnknown) share(state, values);
  if (ok && !isPlain && !isUndo(name)) dropReplaced(state, behaviour, values);
  const named = throughOut(state, name, values);
  const asked = { kernel: run.kernel, isCalled: run.index.isCalled };
  const taken = ok ? takingOf(name, named, result, at, asked, isPlain, null) : null;
  if (!taken || isReference(run, state, taken)) return;
  hold(state, taken);
  const owed = owedByFailure(taken);
  if (owed) hold(state, owed);
}

/** The arguments of a taking call, with what it has stored in the place of its out-parameter. */
function throughOut(state: PathState, name: string, values: readonly Value[]): readonly Value[] {
  const pair = takenBy(name);
  if (pair?.isOut === undefined || pair.taken === 'return') return values;
  const to = values[pair.taken];
  if (to?.kind !== 'pointer') return values;
  const stored =
    to.object.kind === 'local' && to.parent === null
      ? state.env.get(to.object.name)
      : load(state, to);
  return stored ? values.map((value) => (value === to ? stored : value)) : values;
}

/** A reallocation that succeeds has freed the old block. */
function dropReplaced(state: PathState, { success }: Behaviour, values: readonly Value[]): void {
  const freed = success.flatMap((effect) =>
    effect.op === 'free' && typeof effect.target === 'number' ? (values[effect.target] ?? []) : [],
  );
  if (freed.length > 0)
    drop(
      state,
      (held) =>
        held.byReturn && freed.some((value) => held.values.some((place) => place === value)),
    );
}

/**
 * A call through a pointer: one whose name says that it ends something may give back all that it
 * can reach.
 */
export function indirectCall(
  run: Run,
  state: PathState,
  call: CallExpr,
  values: readonly Value[],
): void {
  const name = call.callee.kind === 'member' ? call.callee.field : (call.name ?? '');
  if (state.held !== null && namesAnUndo(name))
    giveBack(
      run,
      state,
      { api: name, everything: true, values, site: site(run, call) },
      call,
      'call',
    );
}

/** The resource itself is in the hands of unseen code. */
function share(state: PathState, values: readonly Value[]): void {
  if (!state.held?.size) return;
  const given = new Set<Value>(values);
  const isGiven = (held: Held) =>
    !held.shared && held.byReturn && held.values.some((place) => given.has(place));
  if ([...state.held.values()].some(isGiven))
    state.held = new Map(
      [...state.held].map(([id, held]) => [id, isGiven(held) ? { ...held, shared: true } : held]),
    );
}

/** The references of a device are followed in its own state. */
export function isReference(run: Run, state: PathState, { api, values }: Held): boolean {
  const behaviour = behaviourOf(api, run.kernel, run.index.module.wrappers);
  return (
    behaviour !== undefined &&
    behaviour !== 'neutral' &&
    behaviour.success.some((effect) => effect.op === 'get') &&
    values.some((place) => state.devices.has(place.object))
  );
}

/**
 * Whether a call may take or give something back that the tables know, or give back what only its
 * name tells.
 */
function touchesSurely(name: string): boolean {
  return (
    isUndo(name) ||
    takenBy(name) !== undefined ||
    counterChange(name) !== undefined ||
    namesAnUndo(name)
  );
}

/** How a function may take or give back resources. */
export interface Touches {
  readonly surely: boolean;
  /** It takes something by a name, if one of these is called where resources are followed. */
  readonly owing: readonly string[];
}

/** What a function does itself that makes it worth an exploration as a helper. */
export function touchesOf(fn: FunctionIr): Touches {
  const { names, calls, counts, unknown } = scanOf(fn);
  const surely =
    counts ||
    names.called.some(touchesSurely) ||
    calls.some(endsIndirectly) ||
    (fn.macro !== undefined && (unknown.length > 0 || callsArguments(fn, calls)));
  return { surely, owing: surely ? [] : names.called.flatMap(opposites) };
}

/** Whether a call through a pointer may give something back, by its name. */
function endsIndirectly({ callee }: CallExpr): boolean {
  return callee.kind === 'member' && namesAnUndo(callee.field);
}

/** `f(x)`, `x##_put(x)` and `(p)->op(p)` in a macro, where who uses it says what that is. */
function callsArguments({ params }: FunctionIr, calls: readonly CallExpr[]): boolean {
  const given = new Set(params.map(({ name }) => name));
  return calls.some(({ name, callee }) => {
    const called = callee.kind === 'member' ? callee.field : name;
    return called !== null && pastedParts(called).some((part) => given.has(part));
  });
}
