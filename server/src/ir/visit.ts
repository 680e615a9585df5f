/** Walks over expressions and statements. */
import { originalOf } from './lower/cache.ts';
import type { CallExpr, Expr, FunctionIr, Stmt, TypeName } from './types.ts';

/**
 * The direct sub-expressions in the order in which the analysis takes them to be evaluated: the
 * value of an assignment before its
 * target, arguments before the call (the callee last). Statements inside a statement expression are
 * not among them.
 */
export function subExprs(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'member':
      return [expr.base];
    case 'index':
      return [expr.base, expr.index];
    case 'unary':
    case 'update':
    case 'cast':
      return [expr.operand];
    case 'binary':
      return [expr.left, expr.right];
    case 'assign':
      return [expr.value, expr.target];
    case 'conditional':
      return expr.then === null
        ? [expr.condition, expr.otherwise]
        : [expr.condition, expr.then, expr.otherwise];
    case 'call':
      return [...expr.args, expr.callee];
    case 'sizeof':
      return expr.operand === null ? [] : [expr.operand];
    case 'initializer':
      return expr.entries.map((entry) => entry.value);
    case 'comma':
      return expr.items;
    case 'name':
    case 'number':
    case 'string':
    case 'type':
    case 'statement-expression':
    case 'unknown':
      return [];
  }
}

/**
 * Visits an expression and everything inside it, also inside statement expressions, parents first.
 * @param visit returns false to leave out what is inside the expression.
 */
export function walkExpr(expr: Expr, visit: (expr: Expr) => boolean | void): void {
  if (visit(expr) === false) return;
  // The parts of subExprs in the same order, without a list for each node: every scan of a file
  // comes through here.
  switch (expr.kind) {
    case 'name':
    case 'number':
    case 'string':
    case 'type':
    case 'unknown':
      return;
    case 'member':
      walkExpr(expr.base, visit);
      return;
    case 'unary':
    case 'update':
    case 'cast':
      walkExpr(expr.operand, visit);
      return;
    case 'binary':
      walkExpr(expr.left, visit);
      walkExpr(expr.right, visit);
      return;
    case 'assign':
      walkExpr(expr.value, visit);
      walkExpr(expr.target, visit);
      return;
    case 'call':
      walkEach(expr.args, visit);
      walkExpr(expr.callee, visit);
      return;
    case 'statement-expression':
      for (const stmt of expr.body) walkExprs(stmt, visit);
      return;
    default:
      walkEach(subExprs(expr), visit);
  }
}

/** Without an iterator, for which an object is made at each step in code that is not optimised. */
function walkEach(exprs: readonly Expr[], visit: (expr: Expr) => boolean | void): void {
  for (let i = 0; i < exprs.length; i++) walkExpr(exprs[i]!, visit);
}

/** The expressions of a statement itself, without those of the statements inside it. */
export function stmtExprs(stmt: Stmt): readonly Expr[] {
  switch (stmt.kind) {
    case 'expr':
      return [stmt.expr];
    case 'decl':
      return stmt.init === null ? [] : [stmt.init];
    case 'if':
      return [stmt.condition];
    case 'loop':
      return [
        ...stmt.args,
        ...(stmt.condition === null ? [] : [stmt.condition]),
        ...(stmt.step === null ? [] : [stmt.step]),
      ];
    case 'switch':
      return [stmt.value];
    case 'case':
      return [
        ...(stmt.value === null ? [] : [stmt.value]),
        ...(stmt.valueEnd === null ? [] : [stmt.valueEnd]),
      ];
    case 'return':
      return stmt.value === null ? [] : [stmt.value];
    case 'guard':
      return stmt.args;
    default:
      return [];
  }
}

/** The statements directly inside a statement, in source order. */
export function subStmts(stmt: Stmt): readonly Stmt[] {
  switch (stmt.kind) {
    case 'if':
      return stmt.otherwise === null ? [stmt.then] : [stmt.then, stmt.otherwise];
    case 'loop':
      return [...stmt.init, stmt.body];
    case 'switch':
      return [stmt.body];
    case 'block':
      return stmt.body;
    case 'guard':
      return stmt.body === null ? [] : [stmt.body];
    case 'preproc':
      return stmt.arms.flatMap((arm) => arm.body);
    default:
      return [];
  }
}

/**
 * Visits a statement and the statements inside it, parents first; those of statement expressions
 * are reached by walkExprs.
 * @param visit returns false to leave out what is inside the statement.
 */
export function walkStmt(stmt: Stmt, visit: (stmt: Stmt) => boolean | void): void {
  if (visit(stmt) === false) return;
  switch (stmt.kind) {
    case 'expr':
    case 'decl':
    case 'return':
    case 'goto':
    case 'label':
    case 'case':
      return;
    case 'block':
      for (let i = 0; i < stmt.body.length; i++) walkStmt(stmt.body[i]!, visit);
      return;
    case 'if':
      walkStmt(stmt.then, visit);
      if (stmt.otherwise !== null) walkStmt(stmt.otherwise, visit);
      return;
    default:
      for (const part of subStmts(stmt)) walkStmt(part, visit);
  }
}

/** Visits every expression in a statement and in the statements inside it. */
export function walkExprs(stmt: Stmt, visit: (expr: Expr) => boolean | void): void {
  walkStmt(stmt, (inner) => walkOwnExprs(inner, visit));
}

/** Visits every expression in a statement, but not those in the statements inside it. */
export function walkOwnExprs(stmt: Stmt, visit: (expr: Expr) => boolean | void): void {
  switch (stmt.kind) {
    case 'expr':
      walkExpr(stmt.expr, visit);
      return;
    case 'if':
      walkExpr(stmt.condition, visit);
      return;
    case 'decl':
      if (stmt.init !== null) walkExpr(stmt.init, visit);
      return;
    case 'return':
      if (stmt.value !== null) walkExpr(stmt.value, visit);
      return;
    case 'block':
    case 'goto':
    case 'label':
      return;
    default:
      walkEach(stmtExprs(stmt), visit);
  }
}

/** By the function as it was lowered: wherever an edit moves it, it says the same. */
const unfinished = new WeakMap<FunctionIr, boolean>();

/** Whether a function has a condition or a block that is not finished: no edit is made in it. */
export function isBeingTyped(fn: FunctionIr): boolean {
  const root = originalOf(fn);
  let found = unfinished.get(root);
  if (found === undefined) unfinished.set(root, (found = isUnfinished(root.body)));
  return found;
}

function isUnfinished(body: Stmt): boolean {
  let found = false;
  walkStmt(body, (stmt) => {
    if (stmt.kind === 'unknown' && (stmt.hides === 'test' || stmt.hides === 'end')) found = true;
  });
  return found;
}

const STATEMENTS: ReadonlySet<string> = new Set<Stmt['kind']>([
  'expr',
  'decl',
  'if',
  'loop',
  'switch',
  'case',
  'label',
  'goto',
  'break',
  'continue',
  'return',
  'block',
  'guard',
  'preproc',
  'asm',
]);

/** Whether a part of a function is a statement: it has a kind of one. */
export function isStatement(part: unknown): part is Stmt {
  if (typeof part !== 'object' || part === null || !('kind' in part)) return false;
  const { kind } = part as { readonly kind: string };
  return STATEMENTS.has(kind) || (kind === 'unknown' && 'opaque' in part);
}

const callLists = new WeakMap<FunctionIr, readonly CallExpr[]>();

/**
 * All calls in the body of a function, in source order of their start. Who only asks for names has
 * them from scanOf(), which needs no body at today's place.
 */
export function calls(fn: FunctionIr): readonly CallExpr[] {
  let list = callLists.get(fn);
  if (list === undefined) {
    const found: CallExpr[] = [];
    walkExprs(fn.body, (expr) => {
      if (expr.kind === 'call') found.push(expr);
    });
    callLists.set(fn, (list = found.sort((left, right) => left.start - right.start)));
  }
  return list;
}

/** The source text of an expression without the parentheses around it. */
export function exprText(text: string, expr: Expr): string {
  return text.slice(expr.start, expr.end);
}

/**
 * Whether two expressions are written the same but for blanks, comments and parentheses. Unknown
 * expressions never are.
 */
export function sameExpr(expr: Expr, operand: Expr): boolean {
  if (expr.kind !== operand.kind) return false;
  const head = headOf(expr);
  if (head === null || head !== headOf(operand)) return false;
  const left = subExprs(expr);
  const right = subExprs(operand);
  return left.length === right.length && left.every((part, i) => sameExpr(part, right[i]!));
}

/**
 * What an expression is beside its kind and its parts, as a text to compare; null for what is never
 * the same as anything.
 */
function headOf(expr: Expr): string | null {
  switch (expr.kind) {
    case 'unknown':
    case 'statement-expression':
      return null;
    case 'name':
      return expr.name;
    case 'number':
      return expr.value === null ? expr.text : String(expr.value);
    case 'string':
      return expr.text;
    case 'member':
      return `${expr.arrow ? '->' : '.'}${expr.field}`;
    case 'update':
      return `${expr.op} ${expr.prefix}`;
    case 'unary':
    case 'binary':
    case 'assign':
      return expr.op;
    case 'conditional':
      return expr.then === null ? '?:' : '?';
    case 'cast':
    case 'type':
      return typeText(expr.type);
    case 'sizeof':
      return expr.type === null ? '' : typeText(expr.type);
    case 'initializer':
      return expr.complete
        ? expr.entries.map((entry) => entry.designators.join('.')).join(',')
        : null;
    case 'index':
    case 'call':
    case 'comma':
      return '';
  }
}

/** A type as a text to compare; null for one without a name. */
function typeText({ name, keyword, pointers, arrays }: TypeName): string | null {
  return name === '' ? null : `${keyword ?? ''} ${name} ${pointers} ${arrays}`;
}
