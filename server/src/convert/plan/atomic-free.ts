/** Proves that no free which becomes a put runs where nothing may sleep. */
import { buildCfg, type Block, type Cfg, type Instr } from '../../flow/cfg.ts';
import { solve, type Lattice } from '../../flow/dataflow.ts';
import { atomicChange, lockReleasedBy, lockTakenBy } from '../../kernel/locks.ts';
import type { CallExpr, Expr, FileIr, FunctionIr } from '../../ir/types.ts';
import { functionsNamed } from '../../lifecycle/footprint/calls.ts';
import { macrosAt, writtenOutBody } from '../../lifecycle/footprint/macros.ts';
import { callOfGuard, callOfOwnGuard } from '../../lifecycle/interpret/guards.ts';
import { allExpressions, expressionsIn, statementsOf } from '../../lifecycle/module/statements.ts';
import { expansionOf } from '../../lifecycle/module/module.ts';
import { scopeOf, type Scope } from '../../lifecycle/module/types-of.ts';
import type { Module } from '../../lifecycle/types.ts';
import type { Span } from '../../text/span.ts';
import { lineOf, refuse } from '../refusal-error.ts';
import type { FreePlan } from '../types.ts';

/** Calls in calls, deeper than this, are not followed. */
const MAX_CALLS = 20;

/**
 * Refuses a free where a spinlock is held or preemption is off: vfio_put_device() frees by kvfree() and calls .release, both
 * of which may sleep
 * (drivers/vfio/vfio_main.c, 6.1 to 6.12), and kfree() does not.
 */
export function refuseAtomicFrees(module: Module, frees: readonly FreePlan[]): void {
  const locks: Locks = { module, flows: new Map(), depth: 0 };
  for (const free of frees) {
    const held = heldAt(locks, free, new Map(), new Set());
    if (!held) continue;
    refuse(
      'unsuitable-statement',
      `${held.fn.name}() frees the object ${region(held.file, held.call)}.`,
      held.file,
      held.at.stmt,
    );
  }
}

function region(file: FileIr, { name, start }: CallExpr): string {
  const call = `${name ?? 'a lock'}()`;
  const line = lineOf(file, start);
  return lockTakenBy(name ?? '') === undefined
    ? `after ${call} of line ${line}: vfio_put_device() may sleep. Free it where sleeping is allowed again first`
    : `with the lock of line ${line} held, ${call}: vfio_put_device() may sleep. Free it after the unlock first`;
}

/** A statement of a function, and the call that made it run where nothing may sleep. */
interface Held extends Pick<FreePlan, 'file' | 'fn' | 'at'> {
  readonly call: CallExpr;
}

/**
 * Where a call that frees runs under a lock: in its own function, or in one that calls that.
 * @param left what is left on the way from the call to the free.
 */
function heldAt(
  locks: Locks,
  { file, fn, at, call }: Pick<FreePlan, 'file' | 'fn' | 'at' | 'call'>,
  left: ReadonlyMap<Region, number>,
  entered: ReadonlySet<FunctionIr>,
): Held | null {
  const state = stateBefore(locks, scopeOf(locks.module, file, fn), at.stmt, call.name);
  if (state === null) return null;
  for (const [region, calls] of state.held) {
    const held = calls[calls.length - 1 - (left.get(region) ?? 0)];
    if (held) return { file, fn, at, call: held };
  }
  if (entered.has(fn) || entered.size > MAX_CALLS) return null;
  const before = leftAfter(left, state);
  const next = new Set([...entered, fn]);
  for (const place of callsOf(locks.module, fn)) {
    const held = heldAt(locks, place, before, next);
    if (held) return held;
  }
  return null;
}

/** What is left where `later` is left behind a state: what that holds makes up for some of it. */
function leftAfter(
  later: ReadonlyMap<Region, number>,
  { held, left }: State,
): ReadonlyMap<Region, number> {
  const sum = new Map(left);
  for (const [region, times] of later) {
    const more = times - (held.get(region)?.length ?? 0);
    if (more > 0) sum.set(region, (sum.get(region) ?? 0) + more);
  }
  return sum;
}

/** The calls of a function in its module. */
function callsOf(module: Module, fn: FunctionIr): Pick<FreePlan, 'file' | 'fn' | 'at' | 'call'>[] {
  return [...module.sources, ...module.headers].flatMap((file) =>
    file.functions.flatMap((caller) =>
      statementsOf(caller).flatMap((at) => {
        const call = allExpressions(at.stmt).find(
          (expr) => expr.kind === 'call' && expr.name === fn.name,
        );
        return call?.kind === 'call' &&
          functionsNamed(scopeOf(module, file, caller), fn.name).some((one) => one.fn === fn)
          ? [{ file, fn: caller, at, call }]
          : [];
      }),
    ),
  );
}

/** The kind of the lock, or the like: each is entered as often as it is left. */
type Region = string;

/** What code enters and leaves. */
interface State {
  /** What some path enters and does not leave, with the calls that enter it. */
  readonly held: ReadonlyMap<Region, readonly CallExpr[]>;
  /** How often every path leaves what was entered before. */
  readonly left: ReadonlyMap<Region, number>;
}

const NOTHING: State = { held: new Map(), left: new Map() };
/** Entered more often than this without a way out is entered for ever. */
const MAX_HELD = 8;

/** A function with the macros of the module written out, and the state at the entry of its blocks. */
interface Flow {
  readonly scope: Scope;
  readonly cfg: Cfg;
  /** Null where nothing comes to the block. */
  readonly entries: readonly (State | null)[];
  /** Where it comes back. */
  readonly end: State | null;
}

interface Locks {
  readonly module: Module;
  /** Null while a function is followed. */
  readonly flows: Map<FunctionIr, Flow | null>;
  depth: number;
}

/**
 * The state before a call of `name` at a place of a function; null where nothing comes to it. What
 * macros bring there is at that place too.
 */
function stateBefore(locks: Locks, scope: Scope, place: Span, name: string | null): State | null {
  const flow = flowOf(locks, scope);
  let before: State | null = null,
    around: State | null = null;
  for (const block of flow?.cfg.blocks ?? []) {
    let state: State | null = flow!.entries[block.id] ?? null;
    for (const { code, calls } of stepsOf(block)) {
      if (code.start < place.end && place.start < code.end) {
        around = joined(around, state);
        const at = calls.findIndex((call) => call.name === name);
        if (at >= 0)
          before = joined(before, followed(locks, flow!.scope, state, calls.slice(0, at)));
      }
      state = followed(locks, flow!.scope, state, calls);
    }
  }
  return before ?? around;
}

function flowOf(locks: Locks, scope: Scope): Flow | null {
  const known = locks.flows.get(scope.fn);
  if (known !== undefined) return known;
  if (locks.depth > MAX_CALLS) return null;
  locks.flows.set(scope.fn, null);
  locks.depth++;
  const { code, scope: inside } = writtenOutBody(scope);
  const cfg = buildCfg({ ...scope.fn, conditions: [], body: code });
  const entries = solve<State | null>(cfg, latticeOf(locks, inside, cfg), 'forward', NOTHING);
  const end = cfg.blocks
    .filter(({ terminator }) => terminator.kind === 'return')
    .map((block) => afterBlock(locks, inside, block, entries[block.id]!))
    .reduce(joined, null);
  locks.depth--;
  const flow = { scope: inside, cfg, entries, end };
  locks.flows.set(scope.fn, flow);
  return flow;
}

function latticeOf(locks: Locks, scope: Scope, { blocks }: Cfg): Lattice<State | null> {
  return {
    bottom: null,
    join: joined,
    equal: (one, other) =>
      one === other || (one !== null && other !== null && isSameState(one, other)),
    transfer: (block, state) => afterBlock(locks, scope, blocks[block]!, state),
    along(block, way, state) {
      const tried = triedBy(blocks[block]!);
      return tried !== null && way === 0 ? followed(locks, scope, state, [tried]) : state;
    },
  };
}

function isSameState(one: State, other: State): boolean {
  return (
    one.held.size === other.held.size &&
    [...one.held].every(([region, { length }]) => length === other.held.get(region)?.length) &&
    one.left.size === other.left.size &&
    [...one.left].every(([region, times]) => times === other.left.get(region))
  );
}

/** Of two ways to one place. Only ever more is held, and less left, than before. */
function joined(one: State | null, other: State | null): State | null {
  if (one === null || other === null) return one ?? other;
  const held = new Map(one.held);
  for (const [region, calls] of other.held)
    if (calls.length > (held.get(region)?.length ?? 0)) held.set(region, calls);
  const left = new Map<Region, number>();
  for (const [region, times] of one.left) {
    const least = Math.min(times, other.left.get(region) ?? 0);
    if (least > 0) left.set(region, least);
  }
  return { held, left };
}

function afterBlock(locks: Locks, scope: Scope, block: Block, state: State | null): State | null {
  return stepsOf(block).reduce((before, { calls }) => followed(locks, scope, before, calls), state);
}

/** The state after calls, one after the other. */
function followed(
  locks: Locks,
  scope: Scope,
  state: State | null,
  calls: readonly CallExpr[],
): State | null {
  if (state === null) return null;
  return calls.reduce((before, call) => {
    const effect = effectOf(locks, scope, call);
    if (effect === null) return before;
    const held = new Map(before.held);
    for (const [region, times] of effect.left) {
      const calls = (held.get(region) ?? []).slice(0, -times);
      if (calls.length > 0) held.set(region, calls);
      else held.delete(region);
    }
    for (const [region, { length }] of effect.held) {
      const calls = [...(held.get(region) ?? []), ...Array.from({ length }, () => call)];
      held.set(region, calls.slice(0, MAX_HELD));
    }
    return { held, left: leftAfter(effect.left, before) };
  }, state);
}

/** What a call enters and leaves; null where it does not. */
function effectOf(locks: Locks, scope: Scope, call: CallExpr): State | null {
  const { name } = call;
  if (name === null || scope.locals.has(name)) return null;
  const change = atomicChange(name);
  const region = lockTakenBy(name) ?? lockReleasedBy(name) ?? 'preemption';
  if (change === 'enters') return { ...NOTHING, held: new Map([[region, [call]]]) };
  if (change === 'leaves') return { ...NOTHING, left: new Map([[region, 1]]) };
  const { module, file } = scope;
  const functions = functionsNamed(scope, name).map((one) => one.scope);
  // A macro that could not be written out, because another configuration has another one.
  const macros = functions.length > 0 ? [] : macrosAt(scope, call);
  const expansions = macros.flatMap((macro) => expansionOf(macro) ?? []);
  return [...functions, ...expansions.map((fn) => scopeOf(module, file, fn))]
    .map((inside) => flowOf(locks, inside)?.end ?? null)
    .reduce(joined, null);
}

/** The lock that a block ends with trying: it is taken where the test holds. */
function triedBy({ terminator }: Block): CallExpr | null {
  if (terminator.kind !== 'branch') return null;
  const { condition } = terminator;
  return condition.kind === 'call' && atomicChange(condition.name ?? '') === 'enters'
    ? condition
    : null;
}

/** The code of a block in its order, each with the calls in it. */
function stepsOf(
  block: Block,
): readonly { readonly code: Span; readonly calls: readonly CallExpr[] }[] {
  const steps = block.instrs.flatMap((instr) => {
    const code = codeOf(instr);
    return code === null ? [] : [{ code, calls: callsIn(code) }];
  });
  const { terminator } = block;
  if (terminator.kind === 'switch')
    steps.push({ code: terminator.value, calls: callsIn(terminator.value) });
  if (terminator.kind === 'branch') {
    const tried = triedBy(block);
    const calls = callsIn(terminator.condition).filter((call) => call !== tried);
    steps.push({ code: terminator.condition, calls });
  }
  return steps;
}

function codeOf(instr: Instr): Expr | null {
  switch (instr.kind) {
    case 'expr':
      return instr.expr;
    case 'decl':
      return instr.decl.init;
    case 'result':
      return instr.value;
    case 'guard':
      return callOfGuard(instr.stmt, instr.isEntry) ?? callOfOwnGuard(instr.stmt, instr.isEntry);
    default:
      return null;
  }
}

function callsIn(code: Expr): CallExpr[] {
  return expressionsIn(code).filter((expr) => expr.kind === 'call');
}
