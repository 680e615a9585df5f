/** What `.init` takes, and what `.release` and devm actions give back. */
import type { CallExpr, Expr } from '../../ir/types.ts';
import type { Span } from '../../text/span.ts';
import type { Place } from '../domain/objects.ts';
import { type PathState, fork } from '../domain/path-state.ts';
import { ZERO, sameValue } from '../domain/values.ts';
import { storePlace } from './evaluate.ts';
import { changeCount, dropReached, giveBackAll } from './give-back.ts';
import { drop } from './held-resource.ts';
import { takeOver, translateGive, translateHeld } from './helper-resources.ts';
import type { Run } from './run.ts';

/**
 * The last put runs `.release`: what it gives back is given back here. With a `.release` that
 * cannot be seen nothing is known of what the device had.
 */
export function runRelease(run: Run, state: PathState, span: Span, device: Place): void {
  if (state.devices.get(device.object)?.state.reference === 'dropped')
    releaseAll(run, state, span, device);
}

/** Gives back what any `.release` gives back. */
export function releaseAll(run: Run, state: PathState, span: Span, device: Place): void {
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

function asCall(at: Span): CallExpr {
  const callee: Expr = { kind: 'unknown', names: [], calls: [], start: at.start, end: at.end };
  return { kind: 'call', callee, name: null, args: [], argsSpan: at, start: at.start, end: at.end };
}
