/**
 * The element of a collection that a loop works on: an object for one turn. The next turn begins
 * with what was known before the loop; behind the loop all elements are what the last turn has made
 * of one.
 */
import { printExpr } from '../../ir/print.ts';
import type { FunctionIr } from '../../ir/types.ts';
import { walkExprs, walkStmt } from '../../ir/visit.ts';
import type { EffectOp } from '../../kernel/types.ts';
import type { Span } from '../../text/span.ts';
import { UNKNOWN_DEVICE } from './device.ts';
import type { AbstractObject } from '../domain/objects.ts';
import type { PathState, Tracked } from '../domain/path-state.ts';
import type { Run } from './run.ts';
import type { DeviceState, Turn } from '../types.ts';

/** A device that the driver has made and put into a collection. */
const ELEMENT_DEVICE: DeviceState = {
  ...UNKNOWN_DEVICE,
  model: 'new',
  reference: 'held',
  initialised: 'no',
  registered: 'yes',
  memory: 'live',
  checked: true,
};

/** Operations that name a device of the driver's own, and end a part of its life. */
const NAMING: ReadonlySet<EffectOp> = new Set<EffectOp>(['unregister', 'put']);

/**
 * What is known of an element where an operation meets it; null where nothing is, because somebody
 * else may have it or because elements cannot be told apart.
 */
export function elementBefore(
  run: Run,
  state: PathState,
  object: AbstractObject,
  op: EffectOp,
  at: Span,
): { readonly state: DeviceState; readonly turn: Turn } | null {
  if (!isElement(object)) return null;
  const known = state.devices.get(object);
  if (known && !known.turn) return null;
  const loop = loopAround(run.fn, at);
  if (loop?.isMixed === true && object.kind === 'load' && object.from.hasElement) return null;
  const start = loop?.start ?? null;
  const seed = (): DeviceState | null =>
    NAMING.has(op) && run.index.makesDevices() ? ELEMENT_DEVICE : null;
  if (!known?.turn) {
    const made = seed();
    return made && { state: made, turn: { loop: start, entry: null, isStale: false } };
  }
  const { turn } = known;
  if (turn.isStale && turn.loop === start) {
    const again = turn.entry ?? seed();
    return again && { state: again, turn: { ...turn, isStale: false } };
  }
  if (known.state.escaped) return null;
  if (!turn.isStale) return { state: known.state, turn };
  return { state: known.state, turn: { loop: start, entry: known.state, isStale: false } };
}

/** An element that the path knows in this turn. */
export function isOfThisTurn(tracked: Tracked): boolean {
  return tracked.turn?.isStale === false;
}

/** The path goes back to the head of a loop: the next turn has another element. */
export function beginTurn(state: PathState): void {
  for (const [object, tracked] of state.devices)
    if (tracked.turn?.isStale === false)
      state.devices.set(object, { ...tracked, turn: { ...tracked.turn, isStale: true } });
  for (const object of state.masks.keys()) if (isElement(object)) state.masks.delete(object);
}

function isElement(object: AbstractObject): boolean {
  return object.isWeak && (object.kind === 'load' || object.kind === 'cursor');
}

interface Loop extends Span {
  /** Its elements have more than one index: `all[i]` and `all[i + 1]`. */
  readonly isMixed: boolean;
}

const loops = new WeakMap<FunctionIr, readonly Loop[]>();

/** The innermost loop around a place. */
function loopAround(fn: FunctionIr, at: Span): Loop | null {
  let list = loops.get(fn);
  if (!list) loops.set(fn, (list = loopsIn(fn)));
  return list.findLast((loop) => loop.start <= at.start && at.end <= loop.end) ?? null;
}

function loopsIn(fn: FunctionIr): Loop[] {
  const found: Loop[] = [];
  walkStmt(fn.body, (stmt) => {
    if (stmt.kind !== 'loop') return;
    const indices = new Set<string>();
    walkExprs(stmt, (expr) => {
      if (expr.kind === 'index') indices.add(printExpr(expr.index));
    });
    found.push({ start: stmt.start, end: stmt.end, isMixed: indices.size > 1 });
  });
  return found;
}
