/** What a function of the module takes and gives back, as its callers see it. */
import type { CallExpr, FunctionIr, TypeName } from '../../ir/types.ts';
import { namesAnUndo } from '../../kernel/heuristics.ts';
import type { Outcome } from '../../kernel/resource-pairs.ts';
import type { Interner } from '../domain/objects.ts';
import { type PathState, assume, fork, holdersOf, maskOf } from '../domain/path-state.ts';
import { ANY, type Mask, NEGATIVE, POSITIVE, type Value, ZERO } from '../domain/values.ts';
import type { Defined } from '../module/module.ts';
import { isReference } from './call-resources.ts';
import { storePlace } from './evaluate.ts';
import type { Exit } from './explore.ts';
import {
  changeCount,
  dropReached,
  giveBack,
  giveBackAll,
  isHeldFor,
  ownersOf,
} from './give-back.ts';
import {
  type Held,
  heldId,
  hold,
  holdsFor,
  isNameable,
  statusOf,
  takingOf,
} from './held-resource.ts';
import {
  type Give,
  type HelperResources,
  type Left,
  type Resolve,
  type Take,
  nothing,
} from './resource-log.ts';
import { type Run, site } from './run.ts';
import type { Summary, SummaryOutcome } from './summary.ts';

/**
 * Takes over what a function of the module gives back and takes, its values translated. Both are to
 * be translated before it writes.
 */
export function translated(
  own: Interner,
  summary: Summary,
  outcome: SummaryOutcome,
  resolve: Resolve,
): { gives: readonly Give[]; takes: readonly Held[] } {
  return {
    gives: summary.gives.map((give) => translateGive(own, give, resolve)),
    takes: outcome.takes.flatMap((held) => {
      const other = translateHeld(held, resolve);
      return other ? [other] : [];
    }),
  };
}

export function translateGive(own: Interner, give: Give, resolve: Resolve): Give {
  return {
    ...give,
    values: give.values.map((value) =>
      value.kind === 'pointer' ? (resolve(value) ?? nothing(own)) : value,
    ),
  };
}

export function translateHeld(held: Held, resolve: Resolve): Held | null {
  const values = held.values.map((place) => resolve(place) ?? undefined).filter(isNameable);
  if (!values.length) return null;
  const when = held.when && resolve(held.when.object.start);
  const id = heldId(held.site, values[0]!);
  return {
    ...held,
    id: held.isOfFailure ? `failed ${id}` : id,
    values,
    when: when?.kind === 'pointer' ? { object: when.object, mask: held.when!.mask } : null,
  };
}

export function applyTranslated(
  run: Run,
  state: PathState,
  call: CallExpr,
  moved: ReturnType<typeof translated>,
): void {
  giveBackAll(run, state, moved.gives, call, 'call');
  for (const take of moved.takes) takeOver(run, state, take);
}

/** How a function that is named like a taker tells that it has taken, by what it returns. */
function outcomeByType(type: TypeName): Outcome {
  if (type.pointers > 0) return 'pointer';
  return type.name === 'void' ? 'always' : 'zero';
}

export function takeOver(run: Run, state: PathState, held: Held): void {
  if (isReference(run, state, held)) return;
  if (held.kind === 'counter') changeCount(run, state, held);
  else hold(state, held);
}

/**
 * A helper that was explored for its resources alone: what it takes depends on its result. A helper
 * that shows none may be one of a pair by its name.
 */
export function applyHelper(
  run: Run,
  state: PathState,
  call: CallExpr,
  callee: Defined<FunctionIr>,
  args: readonly Value[],
  result: Value,
  resolve: Resolve,
): void {
  if (state.held === null) return;
  const name = callee.item.name;
  const helper = run.index.helperOf(callee.item);
  if (helper === null) {
    dropReached(state, args);
    return;
  }
  const isEmpty = helper.takes.length + helper.gives.length === 0;
  // Of a pair with guards in their bodies the calls are compared.
  if (namesAnUndo(name) && (isEmpty || isHeldFor(state, name, args)))
    giveBack(
      run,
      state,
      { api: name, everything: false, values: args, site: site(run, call) },
      call,
      'call',
    );
  if (isEmpty) {
    takeByName(run, state, call, callee, args, result);
    return;
  }
  giveBackAll(
    run,
    state,
    helper.gives.map((give) => translateGive(state.interner, give, resolve)),
    call,
    'call',
  );
  if (helper.takes.length > 0) takeAll(run, state, helper.takes, result, resolve);
  else if (!namesAnUndo(name)) takeByName(run, state, call, callee, args, result);
}

/** A helper of the module that takes something by its name, whatever its body shows. */
function takeByName(
  run: Run,
  state: PathState,
  call: CallExpr,
  { item: { name, returnType } }: Defined<FunctionIr>,
  args: readonly Value[],
  result: Value,
): void {
  const returns = outcomeByType(returnType);
  const at = site(run, call),
    { isCalled } = run.index;
  const taken = takingOf(name, args, result, at, { kernel: run.kernel, isCalled }, true, returns);
  if (taken) hold(state, { ...taken, bySeen: true });
}

/**
 * The paths on which a helper ends with something that it does not have on others with the same
 * result: beside the path on which it does not.
 */
export function otherEndsOf(
  run: Run,
  state: PathState,
  helper: HelperResources | null,
  result: Value,
  resolverOf: (next: PathState) => Resolve,
): PathState[] {
  if (state.held === null || helper === null || result.kind !== 'pointer') return [];
  return helper.left.flatMap((left) => {
    const next = fork(state);
    if (!assume(next, result, left.result)) return [];
    takeAll(run, next, left.takes, result, resolverOf(next));
    // What the helper asked, the undo may ask too.
    if (left.result === ZERO) next.followsOwnState = true;
    return [next];
  });
}

function takeAll(
  run: Run,
  state: PathState,
  takes: readonly Take[],
  result: Value,
  resolve: Resolve,
): void {
  for (const take of takes) {
    const held =
      take.isResult && isNameable(result)
        ? {
            ...take.held,
            values: [result],
            id: heldId(take.held.site, result),
          }
        : translateHeld({ ...take.held, when: null }, resolve);
    if (!held) continue;
    const stored = take.storedAt && resolve(take.storedAt);
    if (stored?.kind === 'pointer') storePlace(run, state, stored, held.values[0]!);
    takeOver(
      run,
      state,
      take.when === null || result.kind !== 'pointer'
        ? { ...held, when: null }
        : { ...held, when: { object: result.object, mask: take.when } },
    );
  }
}

/**
 * Condenses the ends of a helper: what it holds at all of them, or at those that its result tells
 * apart. Null when it cannot be told.
 */
export function helperResources(
  run: Run,
  ends: readonly Exit[],
  gives: Iterable<Give>,
): HelperResources | null {
  const exits = ends.map(({ state: next }) => next);
  if (exits.some((state) => state.held === null)) return null;
  const masks = exits.map((state) => (state.result ? failing(maskOf(state, state.result)) : 0));
  const all = new Map(exits.flatMap((state) => [...state.held!]));
  const sometimes = new Map<PathState, Take[]>();
  const atSome = (of: Mask, held: Held, taken: (at: Exit['at']) => Take): void =>
    exits.forEach((one, i) => {
      const own = one.held!.get(held.id);
      if (own && masks[i] === of && statusOf(one, own) === 'held')
        sometimes.set(one, [...(sometimes.get(one) ?? []), taken(ends[i]!.at)]);
    });
  const takes = [...all.values()].flatMap((held): Take[] => {
    let present = 0,
      absent = 0,
      certain = 0,
      isEverywhere = true,
      asked: Mask | null = null,
      owner: PathState | null = null;
    exits.forEach((state, i) => {
      const own = state.held!.get(held.id),
        status = own ? statusOf(state, own) : 'free';
      const isOpenResult =
        status === 'open' &&
        state.result?.kind === 'pointer' &&
        state.result.object === own!.when!.object;
      if (status === 'held' || isOpenResult) {
        present |= masks[i]!;
        owner ??= state;
      } else {
        absent |= masks[i]!;
        isEverywhere = false;
      }
      if (isOpenResult) asked = own!.when!.mask;
      else if (status === 'held') certain |= masks[i]!;
    });
    if (owner === null) return [];
    const next: PathState = owner,
      [target] = held.values;
    const isResult = held.byReturn && next.result === target;
    const place =
      held.byReturn && !isResult
        ? (ownersOf(next, target!).find((base) => base.object.isOutside && next.heap.has(base)) ??
          null)
        : null;
    if (held.byReturn && !isResult && place === null && !target!.object.isOutside) return [];
    const take = (when: Mask | null): Take => ({
      held: { ...held, when: null },
      when,
      storedAt: place,
      isResult,
    });
    // Its own result tells at some ends, and at the others it has it for certain: one question
    // answers both, or none does.
    if (isEverywhere)
      return asked === null || (certain & ~holdsFor(asked)) === 0 ? [take(asked)] : [];
    if (present === 0 || (present & absent) === 0) return present === 0 ? [] : [take(present)];
    // It succeeds with it and without.
    if ((present & absent) === ZERO && present === ZERO && asked === null) {
      if (held.kind === 'pair') atSome(ZERO, held, () => take(null));
      return [];
    }
    // Success and failure are told apart, and some of the failing paths forget it.
    if ((present & absent) !== NEGATIVE || (present & ~NEGATIVE) === 0 || asked !== null) return [];
    atSome(NEGATIVE, held, (at) => ({
      ...take(null),
      held: { ...held, when: null, leftBy: { function: run.fn, site: site(run, at) } },
    }));
    return [take(present & ~NEGATIVE)];
  });
  const left = [...sometimes].map(([end, list]): Left => {
    const isFailure = failing(maskOf(end, end.result!)) === NEGATIVE;
    return { takes: list, result: isFailure ? NEGATIVE : ZERO };
  });
  return { takes, gives: [...gives], left: left.slice(0, MAX_LEFT) };
}

/**
 * Says of what the failing ends of a helper hold that it left it: who fails gives back what it
 * took.
 */
export function blameHelper(run: Run, ends: readonly Exit[]): void {
  for (const { state: next, at } of ends) {
    if (!next.held?.size || next.result === null || failing(maskOf(next, next.result)) !== NEGATIVE)
      continue;
    next.held = new Map(
      [...next.held].map(([id, held]) => [
        id,
        held.leftBy !== null || held.kind === 'counter'
          ? held
          : { ...held, leftBy: { function: run.fn, site: site(run, at) } },
      ]),
    );
  }
}

/** A code that was asked only for being zero is negative where it is not. */
function failing(mask: Mask): Mask {
  return mask === (POSITIVE | NEGATIVE) ? NEGATIVE : mask;
}

/** More such paths of a helper than this are not followed further. */
const MAX_LEFT = 3;

/** What callers of an explored function owe after one of its ends. */
export function takesOf(state: PathState): Held[] {
  return [...(state.held?.values() ?? [])].flatMap((held) => {
    const status = statusOf(state, held);
    if (status === 'held') return [held];
    if (status === 'free' || held.when === null) return [];
    const { object } = held.when;
    if (state.result?.kind === 'pointer' && state.result.object === object) return [held];
    // Nobody has asked, and nobody can any more: it goes on as if the call had succeeded.
    const isLost =
      object.kind === 'result' &&
      maskOf(state, object.start) === ANY &&
      [...holdersOf(state, object)].length === 0;
    return isLost && !held.isOfFailure ? [{ ...held, when: null }] : [];
  });
}
