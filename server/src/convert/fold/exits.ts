/** The exits of a statement: its gotos and returns, and what runs from there. */
import { subStmts } from '../../ir/visit.ts';
import type { Expr, FunctionIr, GotoStmt, ReturnStmt, Stmt } from '../../ir/types.ts';
import { allExpressions, namesIn, uncast } from '../../lifecycle/module/statements.ts';
import { effectsOf } from '../query/call-sites.ts';
import { isConstant, type Names } from './bindings.ts';
import { objectVariable } from './device-alias.ts';
import { under } from './probe-shape.ts';
import { isMessage } from './movability.ts';
import type { Frame } from './types.ts';

/**
 * One way out of a function: a goto or a return in a statement, and all that runs from there to the
 * end.
 */
export interface Exit {
  readonly leave: GotoStmt | ReturnStmt;
  /** Statements before it in its own block and the blocks around that, inside of the statement. */
  readonly body: readonly Stmt[];
  /** What its label leads to, up to the return; empty for a return. */
  readonly ladder: readonly Stmt[];
  /** The return that ends it; null when it does not end in one that can be followed. */
  readonly end: ReturnStmt | null;
}

/** The ways out of a statement, in source order. */
export function exitsOf(fn: FunctionIr, root: Stmt): Exit[] {
  const exits: Exit[] = [];
  const visit = (stmt: Stmt, before: readonly Stmt[], depth: number): void => {
    if (depth > 60) return;
    if (stmt.kind === 'return') exits.push({ leave: stmt, body: before, ladder: [], end: stmt });
    else if (stmt.kind === 'goto')
      exits.push({ leave: stmt, body: before, ...ladderFrom(fn, stmt.label) });
    else if (stmt.kind === 'block')
      stmt.body.forEach((inner, index) =>
        visit(inner, [...before, ...stmt.body.slice(0, index)], depth + 1),
      );
    else if (stmt.kind === 'preproc')
      for (const arm of stmt.arms)
        arm.body.forEach((inner, index) =>
          visit(inner, [...before, ...arm.body.slice(0, index)], depth + 1),
        );
    else for (const inner of subStmts(stmt)) visit(inner, before, depth + 1);
  };
  visit(root, [], 0);
  return exits;
}

/**
 * The statements from a label of the outermost block to the return behind it; labels are not among
 * them.
 */
export function ladderFrom(
  fn: FunctionIr,
  label: string,
): { readonly ladder: readonly Stmt[]; readonly end: ReturnStmt | null } {
  const list = fn.body.body;
  const ladder: Stmt[] = [];
  let at = list.findIndex((stmt) => stmt.kind === 'label' && stmt.name === label);
  if (at < 0) return { ladder, end: null };
  for (let steps = 0; steps < 400; steps++, at++) {
    const stmt = list[at];
    if (!stmt) return { ladder, end: null };
    if (stmt.kind === 'label') continue;
    if (stmt.kind === 'return') return { ladder, end: stmt };
    if (stmt.kind === 'goto') {
      const next = list.findIndex((other) => other.kind === 'label' && other.name === stmt.label);
      // Only forward: what jumps back is a loop.
      if (next <= at) return { ladder, end: null };
      at = next;
      continue;
    }
    if (under(stmt).some((inner) => inner.kind === 'goto' || inner.kind === 'return'))
      return { ladder, end: null };
    ladder.push(stmt);
  }
  return { ladder, end: null };
}

/**
 * What a return behind a failure answers: the errno, also that in ERR_PTR() where the function
 * returns the object. Null when it answers nothing of the kind.
 */
export function errnoOf(frame: Frame, end: ReturnStmt | null): Expr | null {
  const value = end?.value ? uncast(end.value) : null;
  if (!frame.returnsObject || !value) return value;
  return value.kind === 'call' && value.name === 'ERR_PTR' && value.args[0]
    ? uncast(value.args[0])
    : null;
}

/** Whether a statement is a put of the object and nothing else. */
export function isPut(names: Names, stmt: Stmt): boolean {
  return isEffectOn(names, stmt, 'put');
}

/** Whether a statement is a call with this effect on the object, and nothing else. */
export function isEffectOn(names: Names, stmt: Stmt, op: string): boolean {
  if (stmt.kind !== 'expr') return false;
  const call = uncast(stmt.expr);
  if (call.kind !== 'call' || call.name === null) return false;
  return effectsOf(call.name).some((effect) => {
    const target =
      effect.op === op && 'target' in effect && typeof effect.target === 'number'
        ? call.args[effect.target]
        : undefined;
    return target !== undefined && isObject(names, target);
  });
}

/**
 * `p`, `&p->vdev`, `&p->core_device.vdev`, and a pointer to the device that the function keeps
 * beside `p`.
 */
function isObject(names: Names, expr: Expr): boolean {
  const variable = objectVariable(names.scope, names, expr);
  return variable !== null && names.of.get(variable)?.kind === 'object';
}

/**
 * A statement that says nothing of the object: a message, or the result that the function is to
 * return.
 */
export function isNeutral(names: Names, stmt: Stmt): boolean {
  if (isMessage(names, stmt)) return true;
  if (stmt.kind !== 'expr' || stmt.expr.kind !== 'assign' || stmt.expr.target.kind !== 'name')
    return false;
  const value = uncast(stmt.expr.value);
  const ofPointer =
    value.kind === 'call' && (value.name === 'PTR_ERR' || value.name === 'PTR_ERR_OR_ZERO');
  return (
    names.of.has(stmt.expr.target.name) &&
    (isConstant(value) || ofPointer || (value.kind === 'name' && names.of.has(value.name)))
  );
}

/** Whether the test of an allocation hands on what the allocation returned. */
export function handsOnError(exit: Exit, test: Stmt): boolean {
  const tested = test.kind === 'if' ? namesIn(test.condition) : [];
  const own = under(test)
    .flatMap(allExpressions)
    .some(
      (expr) =>
        expr.kind === 'call' &&
        (expr.name === 'PTR_ERR' || expr.name === 'ERR_CAST' || expr.name === 'dev_err_probe'),
    );
  const value = exit.end?.value ? uncast(exit.end.value) : null;
  // The error pointer itself, where the function returns its type.
  const itself = value?.kind === 'name' && tested.includes(value.name);
  return (own || itself) && exit.end !== null;
}
