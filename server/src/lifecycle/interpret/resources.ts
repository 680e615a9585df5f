/** What paths take, hold, hand on and give back, beside devices. */
import type { CallExpr, Expr, FunctionIr, TypeName } from '../../ir/types.ts';
import type { Span } from '../../text/span.ts';
import { counterChange } from '../../kernel/counters.ts';
import { mayFree, namesAnUndo, opposites } from '../../kernel/heuristics.ts';
import { behaviourOf } from '../../kernel/lookup.ts';
import type { Behaviour } from '../../kernel/types.ts';
import { takenBy, type Outcome } from '../../kernel/resource-pairs.ts';
import { storePlace } from './evaluate.ts';
import {
  countingOf,
  drop,
  hold,
  isGivenBack,
  isHeldAtEnd,
  isNameable,
  holdsFor,
  isUndo,
  mayBeMeant,
  owedByFailure,
  settleHeld,
  statusOf,
  takingOf,
  heldId,
  type Held,
} from './held-resource.ts';
import type { Exit } from './explore.ts';
import type { Defined } from '../module/module.ts';
import { isCertain } from './device-operations.ts';
import { conditionsOf, deviceRef, site, type Run } from './run.ts';
import { isDrvdata, pathText } from '../domain/access-path.ts';
import {
  parameter,
  resultAt,
  rootOf,
  valueText,
  type AbstractObject,
  type Interner,
  type Place,
} from '../domain/objects.ts';
import {
  assume,
  fork,
  holdersOf,
  load,
  maskOf,
  membersOf,
  stepsOf,
  type PathState,
  HIDDEN_CALL,
} from '../domain/path-state.ts';
import {
  ANY,
  NEGATIVE,
  POSITIVE,
  ZERO,
  sameValue,
  type Mask,
  type Value,
} from '../domain/values.ts';
import type { Summary, SummaryOutcome } from './summary.ts';
import type { ExitObservation, HeldResource, Leave, Site, Teardown, Undone } from '../types.ts';
/** What one exploration learns of resources. */
export interface ResourceLog extends ResourceFindings {
  /** What it gives back without having taken it: for its callers. */
  readonly gives: Map<string, Give>;
}

/** What rules read of it. */
export interface ResourceFindings {
  readonly undone: Map<string, Undone>;
  readonly leaves: Leave[];
  readonly teardowns: Map<string, Teardown>;
}

export function emptyLog(): ResourceLog {
  return { gives: new Map(), undone: new Map(), leaves: [], teardowns: new Map() };
}

/**
 * A call that gives something back. `everything` stands for unseen code that may give back all that
 * it can reach.
 */
export interface Give {
  readonly api: string;
  readonly everything: boolean;
  readonly values: readonly Value[];
  /** Where the call stands. */
  readonly site: Site;
}

/** How a function that is not explored for its own sake deals with resources. */
export interface HelperResources {
  readonly takes: readonly Take[];
  readonly gives: readonly Give[];
  /**
   * What it fails with on some failing paths and not on others, by path: its callers go on by one
   * of these, or with none of it.
   */
  readonly left: readonly (readonly Take[])[];
}

interface Take {
  readonly held: Held;
  readonly when: Mask | null;
  readonly storedAt: Place | null;
  readonly isResult: boolean;
}

type Resolve = (place: Place) => Value | null;

/** The pointer that is none: it names nothing. */
function nothing(own: Interner): Place {
  return resultAt(own, 'value', 0).start;
}

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
  const taken = ok
    ? takingOf(name, named, result, at, run.kernel, run.index.isCalled, isPlain, null)
    : null;
  if (!taken || isReference(run, state, taken)) return;
  hold(state, taken);
  const owed = owedByFailure(taken);
  if (owed) hold(state, owed);
}

/** Whether the path holds what a call of this name and these arguments gives back. */
function isHeldFor(state: PathState, api: string, values: readonly Value[]): boolean {
  return [...(state.held?.values() ?? [])].some((held) => isGivenBack(held, api, values));
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

const SIGNS: Readonly<Record<string, 1 | -1 | undefined>> = {
  '++': 1,
  '+=': 1,
  '--': -1,
  '-=': -1,
};

/** `count++` and `count -= n`. */
export function operatorCount(
  run: Run,
  state: PathState,
  place: Place,
  op: string,
  at: Span,
): void {
  if (state.held === null || !place.object.isOutside || place.object.isWeak) return;
  const sign = SIGNS[op];
  if (sign !== undefined)
    changeCount(
      run,
      state,
      countingOf(op, sign, place, nothing(state.interner), 'always', site(run, at)),
    );
}

/** A change in the other direction gives a count back; any other takes. */
function changeCount(
  run: Run,
  state: PathState,
  change: Held | null,
  via: Undone['via'] = 'call',
): void {
  if (change === null || state.held === null) return;
  const [counter] = change.values;
  // What dies with the device is nobody's account.
  if (!counter || counter.object.kind === 'allocation') return;
  const taken = [...state.held.values()].filter(
    (held) =>
      held.kind === 'counter' && held.values[0] === counter && held.sign * change.sign !== 1,
  );
  if (!taken.length) {
    hold(state, change);
    return;
  }
  for (const held of taken) noteUndone(run, held, change.api, change.site, via);
  drop(state, (held) => taken.includes(held));
}

/**
 * Gives back what the call names; where it is not certain what that is, nothing is known any more
 * of what it may be.
 */
export function giveBack(
  run: Run,
  state: PathState,
  give: Give,
  at: Span,
  via: Undone['via'],
): void {
  if (give.everything) {
    dropReached(state, give.values, mayFree(give.api));
    noteGive(run, state, give);
    return;
  }
  // What `.release` takes down goes with the device: that it is put too early is another defect.
  if (via !== 'release') noteTeardown(run, state, give, at);
  const named =
    state.held === null
      ? []
      : [...state.held.values()].filter((held) => isGivenBack(held, give.api, give.values));
  for (const held of named)
    if (statusOf(state, held) !== 'free') noteUndone(run, held, give.api, give.site, via);
  // By hand: what the undo of a helper would give back.
  const owners = new Set(
    give.values.flatMap((value) =>
      isNameable(value) ? ownersOf(state, value).map((owner) => owner.object) : [],
    ),
  );
  drop(
    state,
    (held) =>
      held.bySeen === true &&
      !named.includes(held) &&
      held.values.some((place) => owners.has(place.object)),
  );
  if (named.length) {
    drop(state, (held) => named.includes(held));
    return;
  }
  drop(state, (held) => mayBeMeant(held, give.api, give.values));
  noteGive(run, state, give);
}

/**
 * What a function gives back on any of its paths, in no order: first what is named, as what is not
 * may be anything that is still held.
 */
function giveBackAll(
  run: Run,
  state: PathState,
  gives: readonly Give[],
  at: Span,
  via: Undone['via'],
): void {
  const held = [...(state.held?.values() ?? [])];
  const named = gives.filter(
    (give) => !give.everything && held.some((other) => isGivenBack(other, give.api, give.values)),
  );
  const isSpent = (give: Give): boolean =>
    give.everything &&
    named.some((one) => one.api === give.api && one.site.start === give.site.start);
  for (const give of [...named, ...gives.filter((one) => !named.includes(one) && !isSpent(one))])
    giveBack(run, state, give, at, via);
}

function noteGive(run: Run, state: PathState, give: Give): void {
  if (!run.resources || run.role === 'probe') return;
  const values = give.values.map((value) =>
    value.kind !== 'pointer' || value.object.isOutside ? value : nothing(state.interner),
  );
  run.resources.gives.set(
    `${give.api}:${give.everything}:${give.site.path}:${give.site.start}:${values.map(valueText).join()}`,
    { ...give, values },
  );
}

function noteUndone(run: Run, held: Held, api: string, at: Site, via: Undone['via']): void {
  run.resources?.undone.set(`${held.id};${at.path}:${at.start};${via}`, {
    id: held.id,
    site: at,
    api,
    function: run.fn,
    role: run.role,
    via,
  });
}

/** Unseen code may give back what it can reach from its arguments. */
function dropReached(state: PathState, values: readonly Value[], withItself = true): void {
  if (!state.held?.size) return;
  const reached = new Set(
    values.flatMap((value) => (value.kind === 'pointer' ? [value.object] : [])),
  );
  for (const object of reached)
    for (const [, value] of membersOf(state, object))
      if (value.kind === 'pointer') reached.add(value.object);
  const isItself = (held: Held) =>
    held.byReturn && held.values.some((place) => place.parent === null && values.includes(place));
  drop(
    state,
    (held) =>
      held.kind !== 'counter' &&
      held.values.some((place) => reached.has(place.object)) &&
      (withItself || !isItself(held)),
  );
}

/**
 * Where a value is kept in an object: the member that it is the address of, or that it was read
 * from or stored in.
 */
function ownersOf(state: PathState, place: Place): Place[] {
  const owners: Place[] = [];
  if (place.parent !== null) owners.push(place);
  if (place.object.kind === 'load') owners.push(place.object.from);
  for (const [at, held] of holdersOf(state, place.object)) if (held === place) owners.push(at);
  return owners;
}

/** Something of a registered device goes away. */
function noteTeardown(run: Run, state: PathState, give: Give, at: Span): void {
  if (!run.resources || !isUndo(give.api) || (run.role !== 'remove' && run.role !== 'action'))
    return;
  for (const value of give.values)
    if (isNameable(value))
      for (const owner of ownersOf(state, value))
        teardown(run, state, owner, give.api, give.site, at);
}

/** `p->member = NULL`. */
export function noteCleared(run: Run, state: PathState, place: Place, at: Span): void {
  if (run.resources && (run.role === 'remove' || run.role === 'action'))
    teardown(run, state, place, null, site(run, at), at);
}

function teardown(
  run: Run,
  state: PathState,
  owner: Place,
  api: string | null,
  inner: Site,
  at: Span,
): void {
  const tracked = state.devices.get(owner.object);
  if (tracked?.state.registered !== 'yes' || owner.parent === null || isDrvdata(owner)) return;
  const here = site(run, at),
    member = pathText(owner),
    key = `${member};${here.start};${inner.path}:${inner.start};${state.followsOwnState}`;
  if (run.resources!.teardowns.has(key)) return;
  run.resources!.teardowns.set(key, {
    function: run.fn,
    role: run.role,
    site: here,
    inner: inner.path === here.path && inner.start === here.start ? null : inner,
    api,
    member,
    device: deviceRef(run, owner.object, tracked),
    certain: isCertain(run, state, tracked.state),
    trace: stepsOf(state.trace),
    conditions: conditionsOf(state),
  });
}

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

function translateGive(own: Interner, give: Give, resolve: Resolve): Give {
  return {
    ...give,
    values: give.values.map((value) =>
      value.kind === 'pointer' ? (resolve(value) ?? nothing(own)) : value,
    ),
  };
}

function translateHeld(held: Held, resolve: Resolve): Held | null {
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

/** The references of a device are followed in its own state. */
function isReference(run: Run, state: PathState, { api, values }: Held): boolean {
  const behaviour = behaviourOf(api, run.kernel, run.index.module.wrappers);
  return (
    behaviour !== undefined &&
    behaviour !== 'neutral' &&
    behaviour.success.some((effect) => effect.op === 'get') &&
    values.some((place) => state.devices.has(place.object))
  );
}

/** How a function that is named like a taker tells that it has taken, by what it returns. */
function outcomeByType(type: TypeName): Outcome {
  if (type.pointers > 0) return 'pointer';
  return type.name === 'void' ? 'always' : 'zero';
}

function takeOver(run: Run, state: PathState, held: Held): void {
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
  helper: HelperResources | null,
  args: readonly Value[],
  result: Value,
  resolve: Resolve,
): void {
  if (state.held === null) return;
  const name = callee.item.name;
  if (helper === null) {
    dropReached(state, args);
    return;
  }
  // Of a pair with guards in their bodies the calls are compared.
  if (namesAnUndo(name) && isHeldFor(state, name, args))
    giveBack(
      run,
      state,
      { api: name, everything: false, values: args, site: site(run, call) },
      call,
      'call',
    );
  if (!helper.takes.length && !helper.gives.length) {
    if (namesAnUndo(name))
      giveBack(
        run,
        state,
        { api: name, everything: false, values: args, site: site(run, call) },
        call,
        'call',
      );
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
  const taken = takingOf(name, args, result, at, run.kernel, isCalled, true, returns);
  if (taken) hold(state, { ...taken, bySeen: true });
}

/**
 * The paths on which a helper has failed with something that it gives back on other failing paths:
 * beside the path on which it did not.
 */
export function failedHelper(
  run: Run,
  state: PathState,
  helper: HelperResources | null,
  result: Value,
  resolverOf: (next: PathState) => Resolve,
): PathState[] {
  if (state.held === null || helper === null || result.kind !== 'pointer') return [];
  return helper.left.flatMap((takes) => {
    const next = fork(state);
    if (!assume(next, result, NEGATIVE)) return [];
    takeAll(run, next, takes, result, resolverOf(next));
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
    // Success and failure are told apart, and some of the failing paths forget it.
    if ((present & absent) !== NEGATIVE || (present & ~NEGATIVE) === 0 || asked !== null) return [];
    exits.forEach((one, i) => {
      const own = one.held!.get(held.id);
      if (own && masks[i] === NEGATIVE && statusOf(one, own) === 'held')
        sometimes.set(one, [
          ...(sometimes.get(one) ?? []),
          {
            ...take(null),
            held: {
              ...held,
              when: null,
              leftBy: { function: run.fn, site: site(run, ends[i]!.at) },
            },
          },
        ]);
    });
    return [take(present & ~NEGATIVE)];
  });
  return { takes, gives: [...gives], left: [...sometimes.values()].slice(0, MAX_LEFT) };
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

/** More failing paths of a helper than this are not followed further. */
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

/**
 * The last put runs `.release`: what it gives back is given back here. With a `.release` that
 * cannot be seen nothing is known of what the device had.
 */
export function runRelease(run: Run, state: PathState, span: Span, device: Place): void {
  if (state.devices.get(device.object)?.state.reference === 'dropped')
    releaseAll(run, state, span, device);
}

/** Gives back what any `.release` gives back. */
function releaseAll(run: Run, state: PathState, span: Span, device: Place): void {
  if (!state.held?.size) return;
  const { functions, isWhole } = run.index.callbacks('release');
  if (!isWhole) dropReached(state, [device.object.start]);
  const call = asCall(span);
  for (const definition of functions) {
    const summary = run.index.summaryOf(definition.item);
    if (!summary?.outcomes) {
      dropReached(state, [device.object.start]);
      continue;
    }
    const resolve = run.resolver(state, call, summary, [
      state.devices.get(device.object)?.member ?? device,
    ]);
    const gives = summary.gives.map((give) => translateGive(state.interner, give, resolve));
    const counts = new Map(
      summary.outcomes.flatMap((outcome) =>
        outcome.takes
          .filter((held) => held.kind === 'counter')
          .map((held) => [held.id, held] as const),
      ),
    );
    giveBackAll(run, state, gives, span, 'release');
    for (const held of counts.values()) {
      const other = translateHeld(held, resolve);
      if (other) changeCount(run, state, other, 'release');
    }
  }
}

/** A successful allocation has run `.init`: what that took is held. */
export function runInit(run: Run, state: PathState, call: CallExpr, device: Place): void {
  if (state.held === null) return;
  const { functions } = run.index.callbacks('init');
  const [init] = functions;
  if (!init || functions.length > 1) return;
  const summary = run.index.summaryOf(init.item);
  const succeeding =
    summary?.outcomes?.filter((outcome) => (outcome.resultMask & ZERO) !== 0) ?? [];
  if (!summary || !succeeding.length) return;
  const resolve = run.resolver(state, call, summary, [device]);
  for (const take of succeeding[0]!.takes) {
    if (!succeeding.every((outcome) => outcome.takes.some((held) => held.id === take.id))) continue;
    const other = translateHeld({ ...take, when: null }, resolve);
    if (!other) continue;
    const write = take.byReturn
      ? succeeding[0]!.writes.find((item) => sameValue(item.value, take.values[0]!))
      : undefined;
    const to = write && resolve(write.place);
    if (to?.kind === 'pointer') storePlace(run, state, to, other.values[0]!);
    takeOver(run, state, other);
  }
}

/**
 * A devm action that was added gives back later, whatever happens: what it will give back is the
 * device core's.
 */
export function handOver(
  run: Run,
  state: PathState,
  runAction: (run: Run, next: PathState) => readonly PathState[],
): void {
  if (!state.held?.size) return;
  const after = runAction({ ...run, observations: new Map(), resources: null }, fork(state));
  drop(state, (held) => after.some((next) => !next.held?.has(held.id)));
}

/** What a path holds at its end. */
export function observeLeave(
  run: Run,
  state: PathState,
  at: Span,
  outcome: ExitObservation['outcome'],
): void {
  if (!run.resources || state.held === null) return;
  // The result of a call that may fail, as it is returned: it did, or it did not.
  if (
    outcome === 'unknown' &&
    state.result?.kind === 'pointer' &&
    state.result.parent === null &&
    state.result.object.kind === 'result' &&
    state.result.object.of === 'call' &&
    (maskOf(state, state.result) & (NEGATIVE | ZERO)) === (NEGATIVE | ZERO)
  ) {
    for (const [mask, decided] of [
      [NEGATIVE, 'failure'],
      [ZERO | POSITIVE, 'success'],
    ] as const) {
      const next = fork(state);
      if (assume(next, state.result, mask)) {
        settleHeld(next, () => true);
        observeLeave(run, next, at, decided);
      }
    }
    return;
  }
  const held = [...state.held.values()].filter((other) => isHeldAtEnd(state, other));
  run.resources.leaves.push({
    function: run.fn,
    role: run.role,
    outcome,
    returns: site(run, at),
    held: held.map(resourceOf),
    trace: stepsOf(state.trace),
    conditions: conditionsOf(state),
    certain: !run.fn.opaque && !state.isUncertain && !(state.hidden & HIDDEN_CALL),
    ownState: state.followsOwnState,
  });
  // What `.init` leaves to `.release` shows at its successful ends.
  if (run.role === 'init' && outcome === 'success')
    releaseAll(run, fork(state), at, parameter(state.interner, 0).start);
}

function resourceOf({ id, kind, api, undo, site: at, shared, leftBy }: Held): HeldResource {
  return { id, kind, api, undo, site: at, shared, leftBy };
}

/** What remove finds as probe left it: its first parameter, globals, and what they lead to. */
export function isAtEntry(object: AbstractObject): boolean {
  const from = rootOf(object);
  return (
    from.kind === 'global' ||
    from.kind === 'kept' ||
    (from.kind === 'parameter' && from.index === 0)
  );
}

/** What remove finds held: what it can name as probe did. */
export function carryHeld(state: PathState, next: PathState): void {
  next.held =
    state.held === null
      ? null
      : new Map(
          [...state.held].flatMap(([id, held]) => {
            const canName = held.values.some(
              (place) =>
                isAtEntry(place.object) ||
                next.devices.has(rootOf(place.object)) ||
                [...next.heap.values()].some(
                  (value) => value.kind === 'pointer' && value.object === place.object,
                ),
            );
            return canName && isHeldAtEnd(state, held)
              ? [[id, { ...held, when: null }] as const]
              : [];
          }),
        );
}

function asCall(at: Span): CallExpr {
  const callee: Expr = { kind: 'unknown', names: [], calls: [], start: at.start, end: at.end };
  return { kind: 'call', callee, name: null, args: [], argsSpan: at, start: at.start, end: at.end };
}

/**
 * Whether a call may take or give something back that the tables know, or give back what only its
 * name tells: only then is a helper worth an exploration.
 */
export function touchesResources(name: string): boolean {
  return (
    isUndo(name) ||
    takenBy(name) !== undefined ||
    counterChange(name) !== undefined ||
    opposites(name).length > 0 ||
    namesAnUndo(name)
  );
}
