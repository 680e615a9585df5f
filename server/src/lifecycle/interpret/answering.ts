/**
 * Small functions of a driver that are explored for what they answer: predicates, and helpers that
 * test, log or map a result. What they answer about their arguments is what a test at the call
 * would.
 */
import { originalOf } from '../../ir/lower.ts';
import { walkExpr, walkExprs, walkStmt } from '../../ir/visit.ts';
import type { Expr, FunctionIr } from '../../ir/types.ts';
import { scanOf } from '../module/function-scan.ts';

/** A function with more statements than this is no mere answer. */
const MAX_STATEMENTS = 24;

/** It is short, has no loop, is given something and gives something back. */
export function isShortAnswer(fn: FunctionIr): boolean {
  const { returnType, params, body } = fn;
  if (params.length === 0 || (returnType.name === 'void' && returnType.pointers === 0))
    return false;
  let statements = 0;
  let isPlain = true;
  walkStmt(body, (stmt) => {
    statements++;
    if (stmt.kind === 'loop' || stmt.kind === 'unknown' || stmt.kind === 'asm') isPlain = false;
  });
  return isPlain && statements <= MAX_STATEMENTS;
}

const asked = new WeakMap<FunctionIr, readonly string[]>();

/**
 * The names that a function calls for an answer: in a condition, or with a result among the
 * arguments.
 */
export function askedBy(fn: FunctionIr): readonly string[] {
  const root = originalOf(fn);
  let names = asked.get(root);
  if (!names) asked.set(root, (names = [...namesAsked(root)]));
  return names;
}

const TESTS: ReadonlySet<string> = new Set(['&&', '||', '==', '!=', '<', '>', '<=', '>=']);

function namesAsked(fn: FunctionIr): Set<string> {
  const names = new Set<string>();
  const note = (expr: Expr | null) => {
    if (expr === null) return;
    walkExpr(expr, (part) => {
      if (part.kind === 'call' && part.name !== null) names.add(part.name);
    });
  };
  const given = resultsOf(fn);
  walkStmt(fn.body, (stmt) => {
    if (stmt.kind === 'if') note(stmt.condition);
    else if (stmt.kind === 'loop') note(stmt.condition);
    else if (stmt.kind === 'switch') note(stmt.value);
  });
  walkExprs(fn.body, (expr) => {
    if (expr.kind === 'conditional') note(expr.condition);
    else if (expr.kind === 'unary' && expr.op === '!') note(expr.operand);
    else if (expr.kind === 'binary' && TESTS.has(expr.op)) note(expr);
    else if (
      expr.kind === 'call' &&
      expr.name !== null &&
      expr.args.some((arg) => isResult(arg, given))
    )
      names.add(expr.name);
  });
  return names;
}

const results = new WeakMap<FunctionIr, ReadonlySet<string>>();

/** The variables that are given the result of a call. */
export function resultsOf(fn: FunctionIr): ReadonlySet<string> {
  const root = originalOf(fn);
  let names = results.get(root);
  if (!names) results.set(root, (names = namesOfResults(root)));
  return names;
}

function namesOfResults(fn: FunctionIr): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { target, value } of scanOf(fn).assigns)
    if (value.kind === 'call' && target.kind === 'name') names.add(target.name);
  for (const { name, init } of scanOf(fn).decls) if (init?.kind === 'call') names.add(name);
  return names;
}

function isResult(arg: Expr, given: ReadonlySet<string>): boolean {
  return arg.kind === 'call' || (arg.kind === 'name' && given.has(arg.name));
}
