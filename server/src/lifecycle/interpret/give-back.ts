/** What a call gives back, counts changed back, and what goes away of a device that is registered. */
import { operatorSign } from '../../kernel/counters.ts';
import { mayFree } from '../../kernel/heuristics.ts';
import type { Span } from '../../text/span.ts';
import { isDrvdata, isWithin, pathText } from '../domain/access-path.ts';
import type { AbstractObject, Place } from '../domain/objects.ts';
import { type PathState, holdersOf, membersOf, stepsOf } from '../domain/path-state.ts';
import { type Value, valueKey } from '../domain/values.ts';
import type { Site, Undone } from '../types.ts';
import { spend } from '../../budget/work.ts';
import { isCertain } from './device-operations.ts';
import {
  type Held,
  countingOf,
  drop,
  hold,
  isGivenBack,
  isNameable,
  isUndo,
  mayBeMeant,
  statusOf,
} from './held-resource.ts';
import { type Give, nothing } from './resource-log.ts';
import { type Run, conditionsOf, deviceRef, site } from './run.ts';

/** Whether the path holds what a call of this name and these arguments gives back. */
export function isHeldFor(state: PathState, api: string, values: readonly Value[]): boolean {
  return [...(state.held?.values() ?? [])].some((held) => isGivenBack(held, api, values));
}

/** `count++` and `count -= n`. */
export function operatorCount(
  run: Run,
  state: PathState,
  place: Place,
  op: string,
  at: Span,
): void {
  if (state.held === null || !place.object.isOutside || place.object.isWeak) return;
  const sign = operatorSign(op);
  if (sign !== undefined)
    changeCount(
      run,
      state,
      countingOf(op, sign, place, nothing(state.interner), 'always', site(run, at)),
    );
}

/** A change in the other direction gives a count back; any other takes. */
export function changeCount(
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
    dropReached(state, give.values, {
      withItself: mayFree(give.api),
      isOnlyPart: via === 'release',
    });
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
  dropByHand(state, give.values, named);
  if (named.length) {
    drop(state, (held) => named.includes(held));
    return;
  }
  drop(state, (held) => mayBeMeant(held, give.api, give.values));
  noteGive(run, state, give);
}

/** By hand: what the undo of a helper would give back. */
function dropByHand(state: PathState, values: readonly Value[], named: readonly Held[]): void {
  const isOfHelper = (held: Held) => held.bySeen === true && !named.includes(held);
  // Nearly no path holds any, and to find the owners is to look through the state.
  if (state.held === null || ![...state.held.values()].some(isOfHelper)) return;
  const owners = new Set(
    values.flatMap((value) =>
      isNameable(value) ? ownersOf(state, value).map((owner) => owner.object) : [],
    ),
  );
  drop(state, (held) => isOfHelper(held) && held.values.some((place) => owners.has(place.object)));
}

/**
 * What a function gives back on any of its paths, in no order: first what is named, as what is not
 * may be anything that is still held.
 */
export function giveBackAll(
  run: Run,
  state: PathState,
  gives: readonly Give[],
  at: Span,
  via: Undone['via'],
): void {
  const held = [...(state.held?.values() ?? [])];
  spend(gives.length * (1 + held.length));
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
    `${give.api}:${give.everything}:${give.site.start}:${values.map(valueKey).join()}`,
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
export function dropReached(
  state: PathState,
  values: readonly Value[],
  { withItself = true, isOnlyPart = false } = {},
): void {
  if (!state.held?.size) return;
  const reached = new Set<AbstractObject>();
  for (const given of values) {
    if (given.kind !== 'pointer') continue;
    // Who is given a member does not reach the ones beside it.
    const isPart = isOnlyPart && given.parent !== null && !given.isOutward;
    if (!isPart) reached.add(given.object);
    for (const [at, value] of membersOf(state, given.object))
      if (value.kind === 'pointer' && (!isPart || isWithin(at, given))) reached.add(value.object);
  }
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
export function ownersOf(state: PathState, place: Place): Place[] {
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
