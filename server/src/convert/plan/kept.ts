/**
 * Where a driver keeps a pointer to an object beside its drvdata: what must be gone before the last
 * put.
 */
import { retainsArgument } from '../../kernel/lookup.ts';
import { publishes } from '../../kernel/memory-uses.ts';
import type { Expr, FileIr } from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { allExpressions, statementsOf, uncast } from '../../lifecycle/module/statements.ts';
import { levelOf } from '../query/call-sites.ts';
import type { Container } from '../types.ts';
import { memberPath, scopeOf, typeOf, type Scope } from '../../lifecycle/module/types-of.ts';

/**
 * The first place in the module that stores the address of such an object, or of a part of it,
 * elsewhere than in a local variable or in
 * drvdata. Null where there is none.
 */
export function keptAt(
  module: Module,
  file: FileIr,
  container: Container,
): { readonly file: FileIr; readonly expr: Expr } | null {
  for (const document of new Set([file, ...module.sources, ...module.headers])) {
    for (const fn of document.functions) {
      const scope = scopeOf(module, document, fn);
      for (const { stmt } of statementsOf(fn)) {
        const kept = allExpressions(stmt).find((expr) => keeps(scope, container, expr));
        if (kept) return { file: document, expr: kept };
      }
    }
  }
  return null;
}

function keeps(scope: Scope, container: Container, expr: Expr): boolean {
  if (expr.kind === 'assign')
    return !isLocal(scope, expr.target) && isOf(scope, container, expr.value);
  if (expr.kind !== 'call' || expr.name === null) return false;
  if (publishes(expr.name))
    return (
      expr.args[0] !== undefined &&
      !isLocal(scope, expr.args[0]) &&
      expr.args[1] !== undefined &&
      isOf(scope, container, expr.args[1])
    );
  return retainsArgument(expr.name) && expr.args.some((arg) => isOf(scope, container, arg));
}

/** The object, its vfio_device, or the address of a member. */
function isOf(scope: Scope, container: Container, expr: Expr): boolean {
  const inner = uncast(expr);
  if (inner.kind !== 'name' && inner.kind !== 'unary' && inner.kind !== 'call') return false;
  if (levelOf(scope, container, inner) >= 0) return true;
  const { root } = memberPath(inner);
  return inner.kind === 'unary' && inner.op === '&' && typeOf(scope, root)?.tag === container.tag;
}

function isLocal(scope: Scope, target: Expr): boolean {
  const inner = uncast(target);
  return inner.kind === 'name' && scope.locals.has(inner.name);
}
