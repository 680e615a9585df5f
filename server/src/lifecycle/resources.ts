import type { CallExpr, Expr, FunctionIr } from '../ir/types.ts';
import type { Span } from '../text/span.ts';
import { counterChange } from '../kernel/counters.ts';
import { mayFree, namesAnUndo, opposites } from '../kernel/opposites.ts';
import { behaviourOf } from '../kernel/lookup.ts';
import type { Behaviour } from '../kernel/types.ts';
import { takenBy } from '../kernel/pairs.ts';
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
  settleHeld,
  statusOf,
  takingOf,
  heldId,
  type Held,
} from './held.ts';
import type { Exit } from './explore.ts';
import type { Defined } from './module.ts';
import { isCertain } from './operate.ts';
import { conditionsOf, deviceRef, site, type Run } from './run.ts';
import { isDrvdata, pathText } from './domain/access-path.ts';
import {
  parameter,
  resultAt,
  rootOf,
  valueText,
  type AbstractObject,
  type Interner,
  type Place,
} from './domain/objects.ts';
import {
  assume,
  fork,
  holdersOf,
  maskOf,
  membersOf,
  stepsOf,
  type PathState,
} from './domain/path-state.ts';
import { NEGATIVE, POSITIVE, ZERO, sameValue, type Mask, type Value } from './domain/values.ts';
import type { Summary, SummaryOutcome } from './summary.ts';
import type { ExitObservation, HeldResource, Leave, Site, Teardown, Undone } from './types.ts';
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

type Resolve = (p: Place) => Value | null;

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
  s: PathState,
  e: CallExpr,
  name: string,
  values: readonly Value[],
  result: Value,
  ok: boolean,
): void {
  if (s.held === null) return;
  const at = site(run, e),
    change = counterChange(name);
  if (change) {
    if (ok)
      changeCount(
        run,
        s,
        countingOf(name, change.sign, values[change.counter], result, change.succeeds, at),
      );
    return;
  }
  const behaviour = behaviourOf(name, run.kernel, run.index.module.wrappers);
  const isPlain = behaviour === undefined || behaviour === 'neutral';
  const isUnknown = behaviour === undefined;
  if (isUndo(name) || (isPlain && namesAnUndo(name)))
    giveBack(run, s, { api: name, everything: false, values, site: at }, e, 'call');
  if (isUnknown && namesAnUndo(name))
    giveBack(run, s, { api: name, everything: true, values, site: at }, e, 'call');
  else if (isUnknown) share(s, values);
  if (ok && !isPlain && !isUndo(name)) dropReplaced(s, behaviour, values);
  const taken = ok ? takingOf(name, values, result, at, run.index.isCalled, isPlain, null) : null;
  if (taken && !isReference(run, s, taken)) hold(s, taken);
}

/** A reallocation that succeeds has freed the old block. */
function dropReplaced(s: PathState, { success }: Behaviour, values: readonly Value[]): void {
  const freed = success.flatMap((x) =>
    x.op === 'free' && typeof x.target === 'number' ? (values[x.target] ?? []) : [],
  );
  if (freed.length > 0)
    drop(s, (h) => h.byReturn && freed.some((v) => h.values.some((w) => w === v)));
}

/**
 * A call through a pointer: one whose name says that it ends something may give back all that it
 * can reach.
 */
export function indirectCall(run: Run, s: PathState, e: CallExpr, values: readonly Value[]): void {
  const name = e.callee.kind === 'member' ? e.callee.field : (e.name ?? '');
  if (s.held !== null && namesAnUndo(name))
    giveBack(run, s, { api: name, everything: true, values, site: site(run, e) }, e, 'call');
}

/** The resource itself is in the hands of unseen code. */
function share(s: PathState, values: readonly Value[]): void {
  if (!s.held?.size) return;
  const given = new Set<Value>(values);
  const isGiven = (h: Held) => !h.shared && h.byReturn && h.values.some((v) => given.has(v));
  if ([...s.held.values()].some(isGiven))
    s.held = new Map([...s.held].map(([id, h]) => [id, isGiven(h) ? { ...h, shared: true } : h]));
}

const SIGNS: Readonly<Record<string, 1 | -1 | undefined>> = {
  '++': 1,
  '+=': 1,
  '--': -1,
  '-=': -1,
};

/** `count++` and `count -= n`. */
export function operatorCount(run: Run, s: PathState, place: Place, op: string, at: Span): void {
  if (s.held === null || !place.object.isOutside || place.object.isWeak) return;
  const sign = SIGNS[op];
  if (sign !== undefined)
    changeCount(run, s, countingOf(op, sign, place, nothing(s.interner), 'always', site(run, at)));
}

/** A change in the other direction gives a count back; any other takes. */
function changeCount(
  run: Run,
  s: PathState,
  change: Held | null,
  via: Undone['via'] = 'call',
): void {
  if (change === null || s.held === null) return;
  const [counter] = change.values;
  // What dies with the device is nobody's account.
  if (!counter || counter.object.kind === 'allocation') return;
  const taken = [...s.held.values()].filter(
    (h) => h.kind === 'counter' && h.values[0] === counter && h.sign * change.sign !== 1,
  );
  if (!taken.length) {
    hold(s, change);
    return;
  }
  for (const h of taken) noteUndone(run, h, change.api, change.site, via);
  drop(s, (h) => taken.includes(h));
}

/**
 * Gives back what the call names; where it is not certain what that is, nothing is known any more
 * of what it may be.
 */
export function giveBack(run: Run, s: PathState, g: Give, at: Span, via: Undone['via']): void {
  if (g.everything) {
    dropReached(s, g.values, mayFree(g.api));
    noteGive(run, s, g);
    return;
  }
  // What `.release` takes down goes with the device: that it is put too early is another defect.
  if (via !== 'release') noteTeardown(run, s, g, at);
  const named =
    s.held === null ? [] : [...s.held.values()].filter((h) => isGivenBack(h, g.api, g.values));
  for (const h of named) if (statusOf(s, h) !== 'free') noteUndone(run, h, g.api, g.site, via);
  if (named.length) {
    drop(s, (h) => named.includes(h));
    return;
  }
  drop(s, (h) => mayBeMeant(h, g.api, g.values));
  noteGive(run, s, g);
}

/**
 * What a function gives back on any of its paths, in no order: first what is named, as what is not
 * may be anything that is still held.
 */
function giveBackAll(
  run: Run,
  s: PathState,
  gives: readonly Give[],
  at: Span,
  via: Undone['via'],
): void {
  const held = [...(s.held?.values() ?? [])];
  const named = gives.filter(
    (g) => !g.everything && held.some((h) => isGivenBack(h, g.api, g.values)),
  );
  for (const g of [...named, ...gives.filter((one) => !named.includes(one))])
    giveBack(run, s, g, at, via);
}

function noteGive(run: Run, s: PathState, g: Give): void {
  if (!run.resources || run.role === 'probe') return;
  const values = g.values.map((v) =>
    v.kind !== 'pointer' || v.object.isOutside ? v : nothing(s.interner),
  );
  run.resources.gives.set(
    `${g.api}:${g.everything}:${g.site.path}:${g.site.start}:${values.map(valueText).join()}`,
    { ...g, values },
  );
}

function noteUndone(run: Run, h: Held, api: string, at: Site, via: Undone['via']): void {
  run.resources?.undone.set(`${h.id};${at.path}:${at.start};${via}`, {
    id: h.id,
    site: at,
    api,
    function: run.fn,
    role: run.role,
    via,
  });
}

/** Unseen code may give back what it can reach from its arguments. */
function dropReached(s: PathState, values: readonly Value[], withItself = true): void {
  if (!s.held?.size) return;
  const reached = new Set(values.flatMap((v) => (v.kind === 'pointer' ? [v.object] : [])));
  for (const o of reached)
    for (const [, v] of membersOf(s, o)) if (v.kind === 'pointer') reached.add(v.object);
  const isItself = (h: Held) =>
    h.byReturn && h.values.some((v) => v.parent === null && values.includes(v));
  drop(
    s,
    (h) =>
      h.kind !== 'counter' &&
      h.values.some((v) => reached.has(v.object)) &&
      (withItself || !isItself(h)),
  );
}

/**
 * Where a value is kept in an object: the member that it is the address of, or that it was read
 * from or stored in.
 */
function ownersOf(s: PathState, v: Place): Place[] {
  const owners: Place[] = [];
  if (v.parent !== null) owners.push(v);
  if (v.object.kind === 'load') owners.push(v.object.from);
  for (const [at, held] of holdersOf(s, v.object)) if (held === v) owners.push(at);
  return owners;
}

/** Something of a registered device goes away. */
function noteTeardown(run: Run, s: PathState, g: Give, at: Span): void {
  if (!run.resources || !isUndo(g.api) || (run.role !== 'remove' && run.role !== 'action')) return;
  for (const v of g.values)
    if (isNameable(v))
      for (const owner of ownersOf(s, v)) teardown(run, s, owner, g.api, g.site, at);
}

/** `p->member = NULL`. */
export function noteCleared(run: Run, s: PathState, place: Place, at: Span): void {
  if (run.resources && (run.role === 'remove' || run.role === 'action'))
    teardown(run, s, place, null, site(run, at), at);
}

function teardown(
  run: Run,
  s: PathState,
  owner: Place,
  api: string | null,
  inner: Site,
  at: Span,
): void {
  const t = s.devices.get(owner.object);
  if (t?.state.registered !== 'yes' || owner.parent === null || isDrvdata(owner)) return;
  const here = site(run, at),
    member = pathText(owner),
    key = `${member};${here.start};${inner.path}:${inner.start};${s.followsOwnState}`;
  if (run.resources!.teardowns.has(key)) return;
  run.resources!.teardowns.set(key, {
    function: run.fn,
    role: run.role,
    site: here,
    inner: inner.path === here.path && inner.start === here.start ? null : inner,
    api,
    member,
    device: deviceRef(run, owner.object, t),
    certain: isCertain(run, s, t.state),
    trace: stepsOf(s.trace),
    conditions: conditionsOf(s),
  });
}

/**
 * Takes over what a function of the module gives back and takes, its values translated. Both are to
 * be translated before it writes.
 */
export function translated(
  own: Interner,
  summary: Summary,
  o: SummaryOutcome,
  resolve: Resolve,
): { gives: readonly Give[]; takes: readonly Held[] } {
  return {
    gives: summary.gives.map((g) => translateGive(own, g, resolve)),
    takes: o.takes.flatMap((h) => {
      const t = translateHeld(h, resolve);
      return t ? [t] : [];
    }),
  };
}

function translateGive(own: Interner, g: Give, resolve: Resolve): Give {
  return {
    ...g,
    values: g.values.map((v) => (v.kind === 'pointer' ? (resolve(v) ?? nothing(own)) : v)),
  };
}

function translateHeld(h: Held, resolve: Resolve): Held | null {
  const values = h.values.map((v) => resolve(v) ?? undefined).filter(isNameable);
  if (!values.length) return null;
  const when = h.when && resolve(h.when.object.start);
  return {
    ...h,
    id: heldId(h.site, values[0]!),
    values,
    when: when?.kind === 'pointer' ? { object: when.object, mask: h.when!.mask } : null,
  };
}

export function applyTranslated(
  run: Run,
  s: PathState,
  e: CallExpr,
  t: ReturnType<typeof translated>,
): void {
  giveBackAll(run, s, t.gives, e, 'call');
  for (const h of t.takes) takeOver(run, s, h);
}

/** The references of a device are followed in its own state. */
function isReference(run: Run, s: PathState, { api, values }: Held): boolean {
  const behaviour = behaviourOf(api, run.kernel, run.index.module.wrappers);
  return (
    behaviour !== undefined &&
    behaviour !== 'neutral' &&
    behaviour.success.some((x) => x.op === 'get') &&
    values.some((v) => s.devices.has(v.object))
  );
}

function takeOver(run: Run, s: PathState, h: Held): void {
  if (isReference(run, s, h)) return;
  if (h.kind === 'counter') changeCount(run, s, h);
  else hold(s, h);
}

/**
 * A helper that was explored for its resources alone: what it takes depends on its result. A helper
 * that shows none may be one of a pair by its name.
 */
export function applyHelper(
  run: Run,
  s: PathState,
  e: CallExpr,
  callee: Defined<FunctionIr>,
  helper: HelperResources | null,
  args: readonly Value[],
  result: Value,
  resolve: Resolve,
): void {
  if (s.held === null) return;
  const name = callee.item.name;
  if (helper === null) {
    dropReached(s, args);
    return;
  }
  if (!helper.takes.length && !helper.gives.length) {
    if (namesAnUndo(name))
      giveBack(
        run,
        s,
        { api: name, everything: false, values: args, site: site(run, e) },
        e,
        'call',
      );
    const type = callee.item.returnType;
    const taken = takingOf(
      name,
      args,
      result,
      site(run, e),
      run.index.isCalled,
      true,
      type.name === 'void' && type.pointers === 0
        ? 'always'
        : type.pointers > 0
          ? 'pointer'
          : 'zero',
    );
    if (taken) hold(s, taken);
    return;
  }
  giveBackAll(
    run,
    s,
    helper.gives.map((g) => translateGive(s.interner, g, resolve)),
    e,
    'call',
  );
  takeAll(run, s, helper.takes, result, resolve);
}

/**
 * The paths on which a helper has failed with something that it gives back on other failing paths:
 * beside the path on which it did not.
 */
export function failedHelper(
  run: Run,
  s: PathState,
  helper: HelperResources | null,
  result: Value,
  resolverOf: (s: PathState) => Resolve,
): PathState[] {
  if (s.held === null || helper === null || result.kind !== 'pointer') return [];
  return helper.left.flatMap((takes) => {
    const t = fork(s);
    if (!assume(t, result, NEGATIVE)) return [];
    takeAll(run, t, takes, result, resolverOf(t));
    return [t];
  });
}

function takeAll(
  run: Run,
  s: PathState,
  takes: readonly Take[],
  result: Value,
  resolve: Resolve,
): void {
  for (const t of takes) {
    const h =
      t.isResult && isNameable(result)
        ? {
            ...t.held,
            values: [result],
            id: heldId(t.held.site, result),
          }
        : translateHeld({ ...t.held, when: null }, resolve);
    if (!h) continue;
    const stored = t.storedAt && resolve(t.storedAt);
    if (stored?.kind === 'pointer') storePlace(run, s, stored, h.values[0]!);
    takeOver(
      run,
      s,
      t.when === null || result.kind !== 'pointer'
        ? { ...h, when: null }
        : { ...h, when: { object: result.object, mask: t.when } },
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
  const exits = ends.map(({ s }) => s);
  if (exits.some((s) => s.held === null)) return null;
  const masks = exits.map((s) => (s.result ? failing(maskOf(s, s.result)) : 0));
  const all = new Map(exits.flatMap((s) => [...s.held!]));
  const sometimes = new Map<PathState, Take[]>();
  const takes = [...all.values()].flatMap((h): Take[] => {
    let present = 0,
      absent = 0,
      certain = 0,
      isEverywhere = true,
      asked: Mask | null = null,
      owner: PathState | null = null;
    exits.forEach((s, i) => {
      const own = s.held!.get(h.id),
        status = own ? statusOf(s, own) : 'free';
      const isOpenResult =
        status === 'open' && s.result?.kind === 'pointer' && s.result.object === own!.when!.object;
      if (status === 'held' || isOpenResult) {
        present |= masks[i]!;
        owner ??= s;
      } else {
        absent |= masks[i]!;
        isEverywhere = false;
      }
      if (isOpenResult) asked = own!.when!.mask;
      else if (status === 'held') certain |= masks[i]!;
    });
    if (owner === null) return [];
    const s: PathState = owner,
      [v] = h.values;
    const isResult = h.byReturn && s.result === v;
    const place =
      h.byReturn && !isResult
        ? (ownersOf(s, v!).find((p) => p.object.isOutside && s.heap.has(p)) ?? null)
        : null;
    if (h.byReturn && !isResult && place === null && !v!.object.isOutside) return [];
    const take = (when: Mask | null): Take => ({
      held: { ...h, when: null },
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
      const own = one.held!.get(h.id);
      if (own && masks[i] === NEGATIVE && statusOf(one, own) === 'held')
        sometimes.set(one, [
          ...(sometimes.get(one) ?? []),
          {
            ...take(null),
            held: { ...h, when: null, leftBy: { function: run.fn, site: site(run, ends[i]!.at) } },
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
  for (const { s, at } of ends) {
    if (!s.held?.size || s.result === null || failing(maskOf(s, s.result)) !== NEGATIVE) continue;
    s.held = new Map(
      [...s.held].map(([id, h]) => [
        id,
        h.leftBy !== null || h.kind === 'counter'
          ? h
          : { ...h, leftBy: { function: run.fn, site: site(run, at) } },
      ]),
    );
  }
}

/** A code that was asked only for being zero is negative where it is not. */
function failing(m: Mask): Mask {
  return m === (POSITIVE | NEGATIVE) ? NEGATIVE : m;
}

/** More failing paths of a helper than this are not followed further. */
const MAX_LEFT = 3;

/** What callers of an explored function owe after one of its ends. */
export function takesOf(s: PathState): Held[] {
  return [...(s.held?.values() ?? [])].filter((h) => {
    const status = statusOf(s, h);
    return (
      status === 'held' ||
      (status === 'open' && s.result?.kind === 'pointer' && s.result.object === h.when!.object)
    );
  });
}

/**
 * The last put runs `.release`: what it gives back is given back here. With a `.release` that
 * cannot be seen nothing is known of what the device had.
 */
export function runRelease(run: Run, s: PathState, e: Span, device: Place): void {
  if (s.devices.get(device.object)?.state.reference === 'dropped') releaseAll(run, s, e, device);
}

/** Gives back what any `.release` gives back. */
function releaseAll(run: Run, s: PathState, e: Span, device: Place): void {
  if (!s.held?.size) return;
  const { functions, isWhole } = run.index.callbacks('release');
  if (!isWhole) dropReached(s, [device.object.start]);
  const call = asCall(e);
  for (const f of functions) {
    const summary = run.index.summaryOf(f.item);
    if (!summary?.outcomes) {
      dropReached(s, [device.object.start]);
      continue;
    }
    const resolve = run.resolver(s, call, summary, [
      s.devices.get(device.object)?.member ?? device,
    ]);
    const gives = summary.gives.map((g) => translateGive(s.interner, g, resolve));
    const counts = new Map(
      summary.outcomes.flatMap((o) =>
        o.takes.filter((h) => h.kind === 'counter').map((h) => [h.id, h] as const),
      ),
    );
    giveBackAll(run, s, gives, e, 'release');
    for (const h of counts.values()) {
      const t = translateHeld(h, resolve);
      if (t) changeCount(run, s, t, 'release');
    }
  }
}

/** A successful allocation has run `.init`: what that took is held. */
export function runInit(run: Run, s: PathState, e: CallExpr, device: Place): void {
  if (s.held === null) return;
  const { functions } = run.index.callbacks('init');
  const [init] = functions;
  if (!init || functions.length > 1) return;
  const summary = run.index.summaryOf(init.item);
  const succeeding = summary?.outcomes?.filter((o) => (o.resultMask & ZERO) !== 0) ?? [];
  if (!summary || !succeeding.length) return;
  const resolve = run.resolver(s, e, summary, [device]);
  for (const h of succeeding[0]!.takes) {
    if (!succeeding.every((o) => o.takes.some((x) => x.id === h.id))) continue;
    const t = translateHeld({ ...h, when: null }, resolve);
    if (!t) continue;
    const write = h.byReturn
      ? succeeding[0]!.writes.find((w) => sameValue(w.value, h.values[0]!))
      : undefined;
    const to = write && resolve(write.place);
    if (to?.kind === 'pointer') storePlace(run, s, to, t.values[0]!);
    takeOver(run, s, t);
  }
}

/**
 * A devm action that was added gives back later, whatever happens: what it will give back is the
 * device core's.
 */
export function handOver(
  run: Run,
  s: PathState,
  runAction: (run: Run, s: PathState) => readonly PathState[],
): void {
  if (!s.held?.size) return;
  const after = runAction({ ...run, observations: new Map(), resources: null }, fork(s));
  drop(s, (h) => after.some((t) => !t.held?.has(h.id)));
}

/** What a path holds at its end. */
export function observeLeave(
  run: Run,
  s: PathState,
  at: Span,
  outcome: ExitObservation['outcome'],
): void {
  if (!run.resources || s.held === null) return;
  // The result of a call that may fail, as it is returned: it did, or it did not.
  if (
    outcome === 'unknown' &&
    s.result?.kind === 'pointer' &&
    s.result.parent === null &&
    s.result.object.kind === 'result' &&
    s.result.object.of === 'call' &&
    (maskOf(s, s.result) & (NEGATIVE | ZERO)) === (NEGATIVE | ZERO)
  ) {
    for (const [mask, decided] of [
      [NEGATIVE, 'failure'],
      [ZERO | POSITIVE, 'success'],
    ] as const) {
      const t = fork(s);
      if (assume(t, s.result, mask)) {
        settleHeld(t, () => true);
        observeLeave(run, t, at, decided);
      }
    }
    return;
  }
  const held = [...s.held.values()].filter((h) => isHeldAtEnd(s, h));
  run.resources.leaves.push({
    function: run.fn,
    role: run.role,
    outcome,
    returns: site(run, at),
    held: held.map(resourceOf),
    trace: stepsOf(s.trace),
    conditions: conditionsOf(s),
    certain: !run.fn.opaque && !s.isUncertain,
    ownState: s.followsOwnState,
  });
  // What `.init` leaves to `.release` shows at its successful ends.
  if (run.role === 'init' && outcome === 'success')
    releaseAll(run, fork(s), at, parameter(s.interner, 0).start);
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
export function carryHeld(s: PathState, t: PathState): void {
  t.held =
    s.held === null
      ? null
      : new Map(
          [...s.held].flatMap(([id, h]) => {
            const canName = h.values.some(
              (v) =>
                isAtEntry(v.object) ||
                t.devices.has(v.object) ||
                [...t.heap.values()].some((w) => w.kind === 'pointer' && w.object === v.object),
            );
            return canName && isHeldAtEnd(s, h) ? [[id, { ...h, when: null }] as const] : [];
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
