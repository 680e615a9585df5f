/** Statements between an allocation and its init that can run earlier as well. */
import type { Expr, FileIr, FunctionIr, Stmt } from '../../ir/types.ts';
import {
  allExpressions,
  namesIn,
  statementsOf,
  uncast,
  type Placed,
} from '../../lifecycle/module/statements.ts';
import { ownsLines } from './drop.ts';
import { isPure } from './pure.ts';

/** `name = value;` of a local variable, which can be computed earlier as well. */
export interface Earlier {
  readonly stmt: Stmt;
  readonly name: string;
  readonly value: Expr;
}

/**
 * The statements between an allocation and `before`, of the same block, that give a local variable
 * its only value, by looking only, and that
 * one of `names` comes from. In the order of the text. Whether something between the allocation and
 * them changes what they look at is for
 * the caller to see.
 */
export function earlierFor(
  file: FileIr,
  fn: FunctionIr,
  allocation: Placed,
  before: Stmt,
  names: readonly string[],
): Earlier[] {
  const wanted = new Set(names);
  const found: Earlier[] = [];
  for (let index = allocation.siblings.indexOf(before) - 1; index > allocation.index; index--) {
    const stmt = allocation.siblings[index]!;
    // Who jumps here comes from somewhere else than the allocation.
    if (stmt.kind === 'label') return [];
    if (
      stmt.kind !== 'expr' ||
      stmt.expr.kind !== 'assign' ||
      stmt.expr.op !== '=' ||
      stmt.expr.target.kind !== 'name'
    )
      continue;
    const {
      target: { name },
      value,
    } = stmt.expr;
    if (
      !wanted.has(name) ||
      !isPlainLocal(fn, name) ||
      !isPure(file, value) ||
      !ownsLines(file.text, stmt)
    )
      continue;
    for (const read of namesIn(value)) wanted.add(read);
    found.unshift({ stmt, name, value });
  }
  return found;
}

/** A local variable without an initialiser that is written once, by name. */
export function isPlainLocal(fn: FunctionIr, name: string): boolean {
  const isIt = (expr: Expr): boolean => uncast(expr).kind === 'name' && namesIn(expr)[0] === name;
  let declared = 0;
  let written = 0;
  for (const { stmt } of statementsOf(fn)) {
    if (stmt.kind === 'decl' && stmt.name === name) {
      if (stmt.init || stmt.isStatic || stmt.type.arrays > 0) return false;
      declared++;
    }
    for (const expr of allExpressions(stmt)) {
      if (expr.kind === 'unary' && expr.op === '&' && isIt(expr.operand)) return false;
      if (expr.kind === 'unknown' && expr.names.includes(name)) return false;
      if (
        (expr.kind === 'assign' && isIt(expr.target)) ||
        (expr.kind === 'update' && isIt(expr.operand))
      )
        written++;
    }
  }
  return declared === 1 && written === 1;
}
