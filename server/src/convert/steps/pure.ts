/** Whether evaluating an expression has no effect. */
import { mayCleanUp } from '../../ir/attributes.ts';
import type { Expr, FileIr, FunctionIr, Stmt } from '../../ir/types.ts';
import { isQuery } from '../../kernel/touches.ts';
import {
  allExpressions,
  expressionsIn,
  statementsOf,
  uncast,
} from '../../lifecycle/module/statements.ts';
import { namedFunctions } from '../../lifecycle/module/named-functions.ts';

const MAX_DEPTH = 6;

/**
 * Whether evaluating an expression has no effect; a function of the file counts when all it does is
 * look.
 */
export function isPure(file: FileIr, expr: Expr, depth = 0): boolean {
  return (
    impureCall(file, expr, depth) === null &&
    expressionsIn(expr).every(
      (inner) =>
        inner.kind !== 'assign' &&
        inner.kind !== 'update' &&
        inner.kind !== 'unknown' &&
        inner.kind !== 'statement-expression',
    )
  );
}

/** The first call in an expression that may do more than look. */
export function impureCall(file: FileIr, expr: Expr, depth = 0): Expr | null {
  for (const inner of expressionsIn(expr)) {
    if (inner.kind !== 'call') continue;
    const own = namedFunctions(file, inner.name)[0];
    if (
      own
        ? depth < MAX_DEPTH && onlyLooks(file, own, depth + 1)
        : inner.name !== null && isQuery(inner.name)
    )
      continue;
    return inner;
  }
  return null;
}

/** A function without loops that writes to nothing but its own variables. */
function onlyLooks(file: FileIr, fn: FunctionIr, depth: number): boolean {
  if (fn.opaque) return false;
  const places = statementsOf(fn);
  const locals = new Set(
    places.flatMap(({ stmt }) =>
      stmt.kind === 'decl' && !stmt.isStatic && stmt.type.arrays === 0 ? [stmt.name] : [],
    ),
  );
  const isAllowed = (stmt: Stmt): boolean =>
    ['expr', 'decl', 'if', 'return', 'block'].includes(stmt.kind);
  return places.every(
    ({ stmt }) =>
      isAllowed(stmt) &&
      !(stmt.kind === 'decl' && mayCleanUp(stmt)) &&
      allExpressions(stmt).every(
        (expr) =>
          expr.kind !== 'update' &&
          expr.kind !== 'unknown' &&
          expr.kind !== 'statement-expression' &&
          (expr.kind !== 'assign' ||
            (uncast(expr.target).kind === 'name' &&
              locals.has((uncast(expr.target) as Expr & { kind: 'name' }).name))) &&
          (expr.kind !== 'call' || impureCall(file, expr, depth) === null),
      ),
  );
}
