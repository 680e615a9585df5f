/**
 * Ways out that may answer a positive number. A probe may return one; what `.init` returns becomes
 * an error pointer, which a positive number is none of (vfio_alloc_device, <linux/vfio.h> of 6.1).
 */
import { answersPositive } from '../../kernel/name-forms.ts';
import type { Expr, FunctionIr, Stmt } from '../../ir/types.ts';
import {
  allExpressions,
  expressionsIn,
  statementsOf,
  uncast,
} from '../../lifecycle/module/statements.ts';
import type { Names } from './bindings.ts';
import type { Exit } from './exits.ts';
import { under } from './probe-shape.ts';
import { namedFunctions } from '../../lifecycle/module/named-functions.ts';

/** Whether `value`, which a way out of a statement returns, may be more than zero. */
export function mayBePositive(names: Names, stmt: Stmt, exit: Exit, value: Expr): boolean {
  if (isPositive(value)) return true;
  if (value.kind !== 'name') return false;
  const set = [...exit.body, ...exit.ladder].flatMap((one) => valuesGiven(one, value.name));
  if (set.length > 0) return set.some(isPositive);
  const condition = conditionOf(stmt, exit);
  if (condition && isBelowZero(condition, value.name)) return false;
  if (condition && isCompared(condition, value.name)) return true;
  return statementsOf(names.fn)
    .flatMap((one) => valuesGiven(one.stmt, value.name))
    .some((given) => mayGivePositive(names, given, new Set()));
}

/** A positive number, or an errno without its sign. */
function isPositive(value: Expr): boolean {
  const inner = uncast(value);
  if (inner.kind === 'number') return inner.value === null || inner.value > 0;
  return inner.kind === 'name' && /^E[A-Z0-9]{2,}$/.test(inner.name);
}

function valuesGiven(stmt: Stmt, name: string): Expr[] {
  const initial = stmt.kind === 'decl' && stmt.name === name && stmt.init ? [stmt.init] : [];
  const assigned = allExpressions(stmt).flatMap((expr) =>
    expr.kind === 'assign' && expr.target.kind === 'name' && expr.target.name === name
      ? [expr.value]
      : [],
  );
  return [...initial, ...assigned];
}

/** The innermost condition that a way out stands under. */
function conditionOf(stmt: Stmt, { leave }: Exit): Expr | null {
  const around = under(stmt).filter(
    (one) => one.kind === 'if' && one.start <= leave.start && leave.end <= one.end,
  );
  const inner = around.at(-1);
  return inner?.kind === 'if' ? inner.condition : null;
}

function isBelowZero(condition: Expr, name: string): boolean {
  const inner = uncast(condition);
  return (
    inner.kind === 'binary' &&
    inner.op === '<' &&
    expressionsIn(inner.left).some((one) => one.kind === 'name' && one.name === name) &&
    isZero(inner.right)
  );
}

/** It is asked for more than zero or not. */
function isCompared(condition: Expr, name: string): boolean {
  return expressionsIn(condition).some(
    (expr) =>
      expr.kind === 'binary' &&
      /^(?:<=|>|>=|==|!=)$/.test(expr.op) &&
      !(expr.op === '!=' && isZero(expr.right)) &&
      [expr.left, expr.right].some((side) => {
        const inner = uncast(side);
        return inner.kind === 'name' && inner.name === name;
      }),
  );
}

function isZero(value: Expr): boolean {
  const inner = uncast(value);
  return inner.kind === 'number' && inner.value === 0;
}

/** A value is a truth, or the result of a function that returns a positive number somewhere. */
function mayGivePositive(names: Names, value: Expr, seen: Set<FunctionIr>): boolean {
  const inner = uncast(value);
  switch (inner.kind) {
    case 'conditional':
      return [inner.then ?? inner.condition, inner.otherwise].some((arm) =>
        mayGivePositive(names, arm, seen),
      );
    case 'binary':
      return /^(?:[<>]=?|[=!]=|&&|\|\|)$/.test(inner.op);
    case 'unary':
      return inner.op === '!';
    case 'call':
      return inner.name !== null && mayReturnPositive(names, inner.name, seen);
    default:
      return isPositive(inner);
  }
}

function mayReturnPositive(names: Names, name: string, seen: Set<FunctionIr>): boolean {
  if (answersPositive(name)) return true;
  const files = [names.file, ...names.scope.module.headers, ...names.scope.module.sources];
  return files
    .flatMap((file) => namedFunctions(file, name))
    .some((fn) => {
      if (seen.has(fn)) return false;
      seen.add(fn);
      return statementsOf(fn).some(
        ({ stmt }) =>
          stmt.kind === 'return' && stmt.value !== null && mayGivePositive(names, stmt.value, seen),
      );
    });
}
