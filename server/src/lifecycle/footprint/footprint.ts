/**
 * The footprint of code: what a statement, an expression or a function reads and writes, what it
 * lets others reach, and how else it makes itself felt.
 */
import { subStmts } from '../../ir/visit.ts';
import type { Expr, Stmt } from '../../ir/types.ts';
import { ownExpressions } from '../module/statements.ts';
import type { Scope } from '../module/types-of.ts';
import { collect, Collector, evaluate, loopMacro } from './collect.ts';
import { writtenOutBody, writtenOutExpression, writtenOutStatement } from './macros.ts';
import type { Access, Place } from './places.ts';

/** Memory whose address is stored, or given to code that may keep it. */
export interface Escape {
  readonly place: Place;
  /** What leads to it; null in code that was not understood. */
  readonly value: Expr | null;
}

export interface Footprint {
  readonly reads: readonly Access[];
  readonly writes: readonly Access[];
  /** Memory that code which is not seen can reach from then on. */
  readonly escapes: readonly Escape[];
  /**
   * Control may go elsewhere than on to what follows: a return, a jump out of it, a macro that may
   * hold one.
   */
  readonly leaves: boolean;
  /**
   * It calls what may fail, or may give another result when it is asked again: an allocation, a
   * function that has effects.
   */
  readonly mayFail: boolean;
  readonly prints: boolean;
  /** It may sleep. */
  readonly maySleep: boolean;
  /** Where it has run nothing may sleep, or something may that might not: a spinlock, preemption. */
  readonly changesAtomic: boolean;
}

/** Footprints are the same for as long as the module is. */
interface Known {
  readonly module: Scope['module'];
  readonly fn: Scope['fn'];
  readonly footprint: Footprint;
}
const known = new WeakMap<Stmt | Expr, Known>();

function memoised(scope: Scope, code: Stmt | Expr, find: (out: Collector) => void): Footprint {
  const before = known.get(code);
  if (before?.module === scope.module && before.fn === scope.fn) return before.footprint;
  const footprint = new Collector();
  find(footprint);
  known.set(code, { module: scope.module, fn: scope.fn, footprint });
  return footprint;
}

/** The footprint of evaluating an expression in a function. */
export function footprintOfExpr(scope: Scope, expr: Expr): Footprint {
  return memoised(scope, expr, (out) => {
    const { code, scope: inside } = writtenOutExpression(scope, expr);
    evaluate(inside, code, out);
  });
}

/** The footprint of a statement and all inside it. */
export function footprintOfStmt(scope: Scope, stmt: Stmt): Footprint {
  return memoised(scope, stmt, (out) => {
    const { code, scope: inside } = writtenOutStatement(scope, stmt);
    collect(inside, [code], out);
  });
}

/** The footprint of what a statement evaluates itself, without the statements inside it. */
export function footprintOfOwn(scope: Scope, stmt: Stmt): Footprint {
  if (subStmts(stmt).length === 0) return footprintOfStmt(scope, stmt);
  const out = new Collector();
  for (const expr of ownExpressions(stmt)) {
    const { code, scope: inside } = writtenOutExpression(scope, expr);
    evaluate(inside, code, out);
  }
  if (stmt.kind === 'loop' && stmt.form === 'macro') loopMacro(scope, stmt, out);
  if (stmt.kind === 'guard') out.unseen(stmt);
  return out;
}

/** The footprint of the body of the function of a scope. A jump inside it does not leave. */
export function footprintOfBody(scope: Scope): Footprint {
  const out = new Collector();
  const { code, scope: inside } = writtenOutBody(scope);
  collect(inside, code.body, out);
  for (let open = out.openGuards; open > 0; open--) out.atomic('leaves');
  return out;
}
