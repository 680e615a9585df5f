/** Proves that no free which becomes a put runs where nothing may sleep. */
import { atomicChange, lockReleasedBy, lockTakenBy } from '../../kernel/locks.ts';
import type { CallExpr, Expr, FileIr, FunctionIr, Stmt } from '../../ir/types.ts';
import { subStmts, walkStmt } from '../../ir/visit.ts';
import { functionsNamed } from '../../lifecycle/footprint/calls.ts';
import {
  writtenOutBody,
  writtenOutExpression,
  writtenOutStatement,
} from '../../lifecycle/footprint/macros.ts';
import { callOfGuard } from '../../lifecycle/interpret/guards.ts';
import {
  expressionsIn,
  ownExpressions,
  statementsOf,
  type Placed,
} from '../../lifecycle/module/statements.ts';
import { scopeOf, type Scope } from '../../lifecycle/module/types-of.ts';
import type { Module } from '../../lifecycle/types.ts';
import { append } from '../../text/lists.ts';
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
    const held = heldAt(module, file, free, new Set(), new Set());
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

/** Where a free runs under a lock: in its own function, or in one that calls that. */
function heldAt(
  module: Module,
  file: FileIr,
  { fn, at }: Pick<FreePlan, 'fn' | 'at'>,
  left: Set<string>,
  entered: ReadonlySet<FunctionIr>,
): Held | null {
  const call = lockHeldAt(scopeOf(module, file, fn), at, left);
  if (call) return { fn, at, call };
  if (entered.has(fn) || entered.size > MAX_CALLS) return null;
  const next = new Set([...entered, fn]);
  for (const caller of file.functions) {
    for (const place of statementsOf(caller)) {
      if (!callsFunction(place.stmt, fn.name)) continue;
      const held = heldAt(module, file, { fn: caller, at: place }, new Set(left), next);
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

/**
 * The call that took a lock in front of a statement, in its own block or one around it, which
 * nothing in between let go; `left` gets what is let go.
 */
function lockHeldAt(scope: Scope, place: Placed, left: Set<string>): CallExpr | null {
  for (let at: Placed | null = place; at; at = at.parent) {
    const around = at === place ? [] : [...ownChanges(scope, at.stmt)].reverse();
    const before = [...at.siblings.slice(0, at.index)].reverse();
    const held =
      around.find((one) => one.change === 'enters' && !left.has(one.region)) ??
      heldAfter(scope, before, left);
    if (held) return held.call;
  }
  return null;
}

/** What of the statements, the last first, is entered and not left; `left` gets what is left. */
function heldAfter(scope: Scope, before: readonly Stmt[], left: Set<string>): Change | null {
  for (const stmt of before) {
    for (const one of changesOf(scope, stmt).reverse()) {
      if (one.change === 'leaves') left.add(one.region);
      else if (!left.has(one.region)) return one;
    }
  }
  return null;
}

/** A call from which on nothing may sleep, or something may again. */
interface Change {
  readonly change: 'enters' | 'leaves';
  /** What is entered or left: the kind of the lock, or the like. */
  readonly region: string;
  readonly call: CallExpr;
}

/**
 * What a statement in front of others leaves entered or left. What it does under a condition counts
 * where it enters: some path then comes to the others so.
 */
function changesOf(scope: Scope, stmt: Stmt): Change[] {
  if (stmt.kind === 'guard' && stmt.body === null) return ownChanges(scope, stmt);
  const { code, scope: inside } = writtenOutStatement(scope, stmt);
  const all = changesUnder(inside, code, new Set([scope.fn]));
  if (subStmts(code).length === 0) return all;
  const isStraight = code.kind === 'block' || (code.kind === 'loop' && code.form === 'do');
  return remaining(all).filter((one) => isStraight || one.change === 'enters');
}

/** What a statement around others enters before them: a guard, or a trylock that is its condition. */
function ownChanges(scope: Scope, stmt: Stmt): Change[] {
  if (stmt.kind === 'guard') return changesOfCalls(scope, [callOfGuard(stmt, true)], new Set());
  const exprs = ownExpressions(stmt).map((expr) => writtenOutExpression(scope, expr).code);
  return remaining(changesOfCalls(scope, exprs.flatMap(expressionsIn), new Set()));
}

/**
 * The changes under a statement in their order, those of the functions of the module with them. A
 * guard in it ends with its block.
 */
function changesUnder(scope: Scope, root: Stmt, entered: ReadonlySet<FunctionIr>): Change[] {
  const found: Change[] = [];
  walkStmt(root, (stmt) => {
    if (stmt.kind === 'guard') return;
    append(found, changesOfCalls(scope, ownExpressions(stmt).flatMap(expressionsIn), entered));
  });
  return found;
}

function changesOfCalls(
  scope: Scope,
  exprs: readonly (Expr | null)[],
  entered: ReadonlySet<FunctionIr>,
): Change[] {
  return exprs.flatMap((call): Change[] => {
    if (call?.kind !== 'call' || call.name === null || scope.locals.has(call.name)) return [];
    const change = atomicChange(call.name);
    const region = lockTakenBy(call.name) ?? lockReleasedBy(call.name) ?? 'preemption';
    if (change !== undefined) return [{ change, region, call }];
    return functionsNamed(scope, call.name).flatMap(({ scope: inside, fn }) =>
      leftByBody(inside, fn, entered).map((one) => ({ ...one, call })),
    );
  });
}

/** What the body of a function leaves entered or left. */
function leftByBody(scope: Scope, fn: FunctionIr, entered: ReadonlySet<FunctionIr>): Change[] {
  if (entered.has(fn) || entered.size > MAX_CALLS) return [];
  const { code, scope: inside } = writtenOutBody(scope);
  const next = new Set([...entered, fn]);
  return remaining(code.body.flatMap((stmt) => changesUnder(inside, stmt, next)));
}

/**
 * What is left of changes that make up for each other. Paths that return early leave one region
 * more than once.
 */
function remaining(changes: readonly Change[]): Change[] {
  return changes.filter(({ region, change }, position) => {
    const same = changes.filter((one) => one.region === region);
    const enters = same.filter((one) => one.change === 'enters').length;
    const net = enters > same.length - enters ? 'enters' : 'leaves';
    const isOpen = net === 'enters' || enters === 0;
    const last = changes.findLastIndex((one) => one.region === region && one.change === net);
    return isOpen && change === net && position === last;
  });
}
