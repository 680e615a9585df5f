/** Rewrites the test of an allocation and its branch. */
import { subStmts } from '../../ir/visit.ts';
import type { Edit, Span } from '../../text/span.ts';
import type { Expr, FileIr, FunctionIr, IfStmt, Stmt } from '../../ir/types.ts';
import { isSilent, testedArgument } from '../../kernel/macros.ts';
import { indentAt, nextLine } from './layout.ts';
import { allExpressions, statementsOf, uncast } from '../../lifecycle/module/statements.ts';
import type { AllocationPlan } from '../types.ts';
import { append } from '../../text/lists.ts';

/**
 * The edits that turn the NULL test and its branch into IS_ERR and PTR_ERR, in the error style that
 * the function has.
 */
export function errorBranchEdits(
  file: FileIr,
  allocation: Pick<AllocationPlan, 'check' | 'variable' | 'fn' | 'resets' | 'returns'>,
  eol: string,
): Edit[] {
  const { check, variable, fn } = allocation;
  const { text } = file;
  const edits: Edit[] = [];
  const { span: testSpan, text: test } = errorTest(check, variable);
  const value = `PTR_ERR(${variable})`;
  const statements = flatten(check.then);
  for (const stmt of statements) append(edits, errnoEdits(fn, stmt, variable));

  const assigned = new Set(
    statements
      .flatMap(allExpressions)
      .flatMap((expr) =>
        expr.kind === 'assign' && expr.target.kind === 'name' ? [expr.target.name] : [],
      ),
  );
  for (const stmt of statements) {
    if (stmt.kind === 'return' && stmt.value) {
      const returned = uncast(stmt.value);
      // `return ret;` with ret set to -ENOMEM beforehand.
      if (returned.kind === 'name' && isInteger(fn, returned.name) && !assigned.has(returned.name))
        edits.push({ span: stmt.value, newText: value });
    }
  }
  const last = statements[statements.length - 1];
  if (last?.kind === 'goto' && allocation.returns) {
    const known = resultAt(fn, last.label);
    edits.push(
      { span: testSpan, newText: test },
      { span: last, newText: `return ${known !== null && assigned.has(known) ? known : value};` },
    );
    return edits;
  }
  const result = last?.kind === 'goto' ? resultAt(fn, last.label) : null;
  // A bare goto that relied on the value the result had before; and a way out that asks whether
  // there is an object.
  const assignments = [
    ...(result === null || assigned.has(result) ? [] : [`${result} = ${value};`]),
    ...(allocation.resets === true ? [`${variable} = NULL;`] : []),
  ];
  if (last?.kind !== 'goto' || assignments.length === 0) {
    edits.push({ span: testSpan, newText: test });
    return edits;
  }
  const before = (blanks: string): string =>
    assignments.map((line) => `${line}${eol}${blanks}`).join('');
  if (check.then.kind === 'block') {
    edits.push({ span: testSpan, newText: test });
    edits.push({
      span: { start: last.start, end: last.start },
      newText: before(indentAt(text, last.start)),
    });
    return edits;
  }
  const indent = indentAt(text, check.start);
  if (!text.slice(check.conditionSpan.end, last.start).includes('\n')) {
    const inner = `${indent}${indent.startsWith(' ') ? indent : '\t'}`;
    const behind = { start: check.conditionSpan.end, end: check.end };
    edits.push(
      { span: testSpan, newText: test },
      {
        span: behind,
        newText: ` {${eol}${inner}${before(inner)}goto ${last.label};${eol}${indent}}`,
      },
    );
    return edits;
  }
  edits.push(
    { span: testSpan, newText: test },
    { span: { start: check.conditionSpan.end, end: check.conditionSpan.end }, newText: ' {' },
  );
  edits.push({
    span: { start: last.start, end: last.start },
    newText: before(indentAt(text, last.start)),
  });
  const end = nextLine(text, last.end);
  const closed = text[end - 1] === '\n';
  edits.push({
    span: { start: end, end },
    newText: closed ? `${indent}}${eol}` : `${eol}${indent}}`,
  });
  return edits;
}

/**
 * What IS_ERR takes the place of in a NULL test: all of it, or what is tested inside a macro that
 * warns. What only hints at the likely branch goes,
 * since IS_ERR does that itself.
 */
function errorTest(
  check: IfStmt,
  variable: string,
): { readonly span: Span; readonly text: string } {
  let span: Span | null = null;
  let inner = uncast(check.condition);
  for (;;) {
    const argument: Expr | undefined =
      inner.kind === 'call' && inner.name !== null
        ? inner.args[testedArgument(inner.name) ?? inner.args.length]
        : undefined;
    if (inner.kind !== 'call' || !argument) break;
    if (!isSilent(inner.name ?? '')) span = argument;
    inner = uncast(argument);
  }
  return span
    ? { span, text: `IS_ERR(${variable})` }
    : { span: check.conditionSpan, text: `(IS_ERR(${variable}))` };
}

/**
 * -ENOMEM in a return, an assignment or an argument of these becomes what the allocation returned.
 * Another error was chosen and stays.
 */
function errnoEdits(fn: FunctionIr, stmt: Stmt, variable: string): Edit[] {
  const roots: Expr[] = [];
  if (stmt.kind === 'return' && stmt.value) roots.push(stmt.value);
  if (stmt.kind === 'expr' && stmt.expr.kind === 'assign') roots.push(stmt.expr.value);
  const edits: Edit[] = [];
  for (const root of roots) {
    const inner = uncast(root);
    if (
      inner.kind === 'call' &&
      inner.name === 'ERR_PTR' &&
      inner.args[0] &&
      isNoMemory(inner.args[0])
    )
      edits.push({ span: inner, newText: errorPointer(fn, variable) });
    else if (isNoMemory(inner)) edits.push({ span: inner, newText: `PTR_ERR(${variable})` });
    else if (inner.kind === 'call') {
      for (const arg of inner.args)
        if (isNoMemory(arg)) edits.push({ span: arg, newText: `PTR_ERR(${variable})` });
    }
  }
  return edits;
}

/** The variable itself where the function returns its type, since it is the error pointer. */
function errorPointer(fn: FunctionIr, variable: string): string {
  const types = statementsOf(fn).flatMap(({ stmt }) =>
    stmt.kind === 'decl' && stmt.name === variable ? [stmt.type] : [],
  );
  const { returnType } = fn;
  const same =
    types.length === 1 &&
    types.every(
      (type) =>
        type.name === returnType.name &&
        type.keyword === returnType.keyword &&
        type.pointers === returnType.pointers &&
        type.arrays === 0,
    );
  return same ? variable : `ERR_CAST(${variable})`;
}

function isNoMemory(expr: Expr): boolean {
  const inner = uncast(expr);
  return (
    inner.kind === 'unary' &&
    inner.op === '-' &&
    inner.operand.kind === 'name' &&
    inner.operand.name === 'ENOMEM'
  );
}

/** A local variable that an errno fits in. */
function isInteger(fn: FunctionIr, name: string): boolean {
  return statementsOf(fn).some(
    ({ stmt }) =>
      stmt.kind === 'decl' &&
      stmt.name === name &&
      stmt.type.pointers === 0 &&
      stmt.type.keyword === null &&
      stmt.type.name !== 'bool',
  );
}

/**
 * The variable that the function returns when it leaves through `label`: that of the first return
 * behind it. Null when there is
 * none, or when the label gives it a value of its own (`nomem: ret = -ENOMEM;`).
 */
function resultAt(fn: FunctionIr, label: string): string | null {
  let seen = false;
  const given = new Set<string>();
  for (const { stmt } of statementsOf(fn)) {
    if (stmt.kind === 'label' && stmt.name === label) seen = true;
    if (seen)
      for (const expr of allExpressions(stmt))
        if (expr.kind === 'assign' && expr.target.kind === 'name') given.add(expr.target.name);
    if (!seen || stmt.kind !== 'return') continue;
    const value = stmt.value && uncast(stmt.value);
    const inner =
      value?.kind === 'call' && value.name === 'ERR_PTR' && value.args[0]
        ? uncast(value.args[0])
        : value;
    return inner?.kind === 'name' && isInteger(fn, inner.name) && !given.has(inner.name)
      ? inner.name
      : null;
  }
  return null;
}

/** The statements of a branch in order, without blocks. */
function flatten(stmt: Stmt): Stmt[] {
  const flat: Stmt[] = [];
  const pending: Stmt[] = [stmt];
  for (let next = pending.pop(); next; next = pending.pop()) {
    if (next.kind !== 'block') flat.push(next);
    append(pending, [...subStmts(next)].reverse());
  }
  return flat;
}
