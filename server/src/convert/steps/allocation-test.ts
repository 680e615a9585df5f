/** The test of an allocation: where it stands, which branch is which, and how it is written. */
import { indentUnit, lineEnding } from '../../text/style.ts';
import type { AssignExpr, Expr, FileIr, FunctionIr, Stmt } from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { namesIn, ownExpressions, type Placed } from '../../lifecycle/module/statements.ts';
import { leaves, testAfter } from '../plan/null-test.ts';
import { comparedToNull, nullTested, plainTest } from '../query/expressions.ts';
import { ownsLines } from './drop.ts';

/** An allocation of a struct that is to be converted, by assignment to a local variable. */
export interface Allocated {
  readonly module: Module;
  readonly file: FileIr;
  readonly fn: FunctionIr;
  readonly variable: string;
  /** The statement that it stands in, which may be its own test. */
  readonly at: Placed;
  /** The assignment; null where the variable is declared with it. */
  readonly assign: AssignExpr | null;
}

/** The test behind an allocation on a line of its own; null where there is none. */
export function testOf({
  at,
  variable,
  assign,
  file: { text },
}: Allocated): { readonly test: Stmt; readonly index: number } | null {
  const isAlone = at.stmt.kind === 'decl' || (at.stmt.kind === 'expr' && at.stmt.expr === assign);
  const test = isAlone && !at.sole ? testAfter(at, variable) : undefined;
  return test && ownsLines(text, test) ? { test, index: at.siblings.indexOf(test) } : null;
}

/**
 * Which branch of a NULL test is taken where there is no object; null where the condition is
 * something else.
 */
export function branchOfNone(condition: Expr, variable: string): 'then' | 'otherwise' | null {
  const isIt = (expr: Expr): boolean => {
    const value = plainTest(expr);
    return value.kind === 'name' && value.name === variable;
  };
  const test = plainTest(condition);
  const asked = nullTested(test);
  if (asked) return isIt(asked) ? 'then' : null;
  if (test.kind === 'unary' && test.op === '!') return isIt(test.operand) ? 'then' : null;
  if (test.kind === 'binary' && (test.op === '==' || test.op === '!=')) {
    const other = comparedToNull(test.left, test.right);
    if (!other || !isIt(other)) return null;
    return test.op === '==' ? 'then' : 'otherwise';
  }
  return isIt(test) ? 'otherwise' : null;
}

/** A test as text: `if (!p)` with statements of one line each under it. */
export function testText(
  text: string,
  indent: string,
  variable: string,
  lines: readonly string[],
): string {
  const eol = lineEnding(text);
  const inner = `${indent}${indentUnit(text)}`;
  const body = lines.map((line) => `${inner}${line}`).join(eol);
  return lines.length === 1
    ? `if (!${variable})${eol}${body}`
    : `if (!${variable}) {${eol}${body}${eol}${indent}}`;
}

/**
 * The statements of a branch, and whether all of them are of one line and go straight on:
 * expressions, then perhaps a return or goto.
 */
export function plainBranch(file: FileIr, branch: Stmt): readonly Stmt[] | null {
  const list = branch.kind === 'block' ? branch.body : [branch];
  const isPlain = (stmt: Stmt, index: number): boolean =>
    !file.text.slice(stmt.start, stmt.end).includes('\n') &&
    (stmt.kind === 'expr' || (index === list.length - 1 && leaves(stmt)));
  const hasComment = file.comments.some(
    (comment) => comment.start >= branch.start && comment.end <= branch.end,
  );
  return list.every(isPlain) && !hasComment ? list : null;
}

/** Whether a statement names a variable. */
export function mentions(stmt: Stmt, name: string): boolean {
  return ownExpressions(stmt).some((expr) => namesIn(expr).includes(name));
}
