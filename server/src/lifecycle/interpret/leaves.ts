/** What a path holds where it leaves a function, and what remove finds held. */
import type { Span } from '../../text/span.ts';
import { type AbstractObject, parameter, rootOf } from '../domain/objects.ts';
import {
  HIDDEN_CALL,
  type PathState,
  assume,
  fork,
  maskOf,
  stepsOf,
} from '../domain/path-state.ts';
import { NEGATIVE, POSITIVE, ZERO } from '../domain/values.ts';
import type { ExitObservation, HeldResource } from '../types.ts';
import { releaseAll } from './callback-resources.ts';
import { type Held, isHeldAtEnd, isOwedAtEnd, settleHeld } from './held-resource.ts';
import { type Run, conditionsOf, site } from './run.ts';

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
  const held = [...state.held.values()].filter((other) => isOwedAtEnd(state, other));
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
