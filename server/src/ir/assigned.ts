/** What expressions and statements give a value to, and which. */
import type { Expr, Stmt } from './types.ts';

/** What an expression gives another value: the target of `a = b`, the operand of `a++`. */
export function changedBy(node: Expr | Stmt): Expr | null {
  if (node.kind === 'assign') return node.target;
  return node.kind === 'update' ? node.operand : null;
}

/** The operand of `&a`. */
export function addressedBy(node: Expr | Stmt): Expr | null {
  return node.kind === 'unary' && node.op === '&' ? node.operand : null;
}

/** The value that a declaration or an assignment stores, whatever its operator. */
export function storedValue(stmt: Stmt): Expr | null {
  if (stmt.kind === 'decl') return stmt.init;
  return stmt.kind === 'expr' && stmt.expr.kind === 'assign' ? stmt.expr.value : null;
}

/** The variable that a declaration makes or an assignment changes. */
export function storedName(stmt: Stmt): string | null {
  if (stmt.kind === 'decl') return stmt.name;
  if (stmt.kind !== 'expr' || stmt.expr.kind !== 'assign') return null;
  return stmt.expr.target.kind === 'name' ? stmt.expr.target.name : null;
}
