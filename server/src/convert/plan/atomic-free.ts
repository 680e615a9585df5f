/** Proves that no free which becomes a put runs where nothing may sleep. */
import { buildCfg, type Block, type Cfg, type Instr } from '../../flow/cfg.ts';
import { solve, type Lattice } from '../../flow/dataflow.ts';
import { atomicChange, lockReleasedBy, lockTakenBy } from '../../kernel/locks.ts';
import type { CallExpr, Expr, FileIr, FunctionIr, Stmt } from '../../ir/types.ts';
import { functionsNamed } from '../../lifecycle/footprint/calls.ts';
import { writtenOutBody } from '../../lifecycle/footprint/macros.ts';
import { callOfGuard } from '../../lifecycle/interpret/guards.ts';
import { expressionsIn, ownExpressions, statementsOf } from '../../lifecycle/module/statements.ts';
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
export function refuseAtomicFrees(module: Module, file: FileIr, frees: readonly FreePlan[]): void {
  for (const free of frees) {
    const held = heldAt({ module, flows: new Map(), depth: 0 }, file, free, new Set(), new Set());
    if (!held) continue;
    refuse(
      'unsuitable-statement',
      `${held.fn.name}() frees the object ${region(file, held.call)}.`,
      file,
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
interface Held extends Pick<FreePlan, 'fn' | 'at'> {
  readonly call: CallExpr;
}

/**
 * Where a free runs under a lock: in its own function, or in one that calls that.
 * @param left what is left on the way from the call to the free.
 */
function heldAt(
  locks: Locks,
  file: FileIr,
  { fn, at }: Pick<FreePlan, 'fn' | 'at'>,
  left: ReadonlySet<string>,
  entered: ReadonlySet<FunctionIr>,
): Held | null {
  const state = stateBefore(locks, scopeOf(locks.module, file, fn), at.stmt);
  if (state === null) return null;
  for (const [region, call] of state.held) if (!left.has(region)) return { fn, at, call };
  if (entered.has(fn) || entered.size > MAX_CALLS) return null;
  const before = new Set([...left, ...state.left]);
  const next = new Set([...entered, fn]);
  for (const caller of file.functions) {
    for (const place of statementsOf(caller)) {
      if (!callsFunction(place.stmt, fn.name)) continue;
      const held = heldAt(locks, file, { fn: caller, at: place }, before, next);
      if (held) return held;
    }
  }
  return null;
}

function callsFunction(stmt: Stmt, name: string): boolean {
  return ownExpressions(stmt)
    .flatMap(expressionsIn)
    .some((expr) => expr.kind === 'call' && expr.name === name);
}

/** What code enters and leaves, by the kind of the lock or the like. */
interface State {
  /** What some path enters and does not leave, with the call that enters it. */
  readonly held: ReadonlyMap<string, CallExpr>;
  /** What every path leaves that was entered before. */
  readonly left: ReadonlySet<string>;
}

const NOTHING: State = { held: new Map(), left: new Set() };

/** A function with the macros of the module written out, and the state at the entry of its blocks. */
interface Flow {
  readonly scope: Scope;
  readonly cfg: Cfg;
  /** Null where nothing comes to the block. */
  readonly entries: readonly (State | null)[];
}

interface Locks {
  readonly module: Module;
  /** Null while a function is followed. */
  readonly flows: Map<FunctionIr, Flow | null>;
  depth: number;
}

/** The state before the code at a place of a function; null where nothing comes to it. */
function stateBefore(locks: Locks, scope: Scope, place: Span): State | null {
  const flow = flowOf(locks, scope);
  for (const block of flow?.cfg.blocks ?? []) {
    let state: State | null = flow!.entries[block.id] ?? null;
    for (const { code, calls } of stepsOf(block)) {
      if (code.start < place.end && place.start < code.end) return state;
      state = followed(locks, flow!.scope, state, calls);
    }
  }
  return null;
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
  locks.depth--;
  const flow = { scope: inside, cfg, entries };
  locks.flows.set(scope.fn, flow);
  return flow;
}

function latticeOf(locks: Locks, scope: Scope, { blocks }: Cfg): Lattice<State | null> {
  return {
    bottom: null,
    join: joined,
    equal: (left, right) =>
      left === right ||
      (left !== null &&
        right !== null &&
        left.held.size === right.held.size &&
        left.left.size === right.left.size),
    transfer: (block, state) => afterBlock(locks, scope, blocks[block]!, state),
    along(block, way, state) {
      const tried = triedBy(blocks[block]!);
      return tried !== null && way === 0 ? followed(locks, scope, state, [tried]) : state;
    },
  };
}

/** Of two ways to one place. Only ever more is held, and less left, than before. */
function joined(one: State | null, other: State | null): State | null {
  if (one === null || other === null) return one ?? other;
  return {
    held: new Map([...other.held, ...one.held]),
    left: new Set([...one.left].filter((region) => other.left.has(region))),
  };
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
    const left = new Set([...before.left, ...effect.left]);
    for (const region of effect.left) held.delete(region);
    for (const region of effect.held.keys()) {
      held.set(region, call);
      left.delete(region);
    }
    return { held, left };
  }, state);
}

/** What a call enters and leaves; null where it does not. */
function effectOf(locks: Locks, scope: Scope, { name, ...call }: CallExpr): State | null {
  if (name === null || scope.locals.has(name)) return null;
  const change = atomicChange(name);
  const region = lockTakenBy(name) ?? lockReleasedBy(name) ?? 'preemption';
  if (change === 'enters') return { ...NOTHING, held: new Map([[region, { name, ...call }]]) };
  if (change === 'leaves') return { ...NOTHING, left: new Set([region]) };
  return functionsNamed(scope, name)
    .map(({ scope: inside }) => endOf(locks, inside))
    .reduce(joined, null);
}

/** The state at the end of a function; null where it has none, or calls itself. */
function endOf(locks: Locks, scope: Scope): State | null {
  const flow = flowOf(locks, scope);
  if (flow === null) return null;
  return flow.cfg.blocks
    .filter(({ terminator }) => terminator.kind === 'return')
    .map((block) => afterBlock(locks, flow.scope, block, flow.entries[block.id]!))
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
      return callOfGuard(instr.stmt, instr.isEntry);
    default:
      return null;
  }
}

function callsIn(code: Expr): CallExpr[] {
  return expressionsIn(code).filter((expr) => expr.kind === 'call');
}
