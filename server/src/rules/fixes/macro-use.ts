/**
 * Writes the use of a macro that returns as the code that it stands for, where a path owes
 * something before it leaves.
 */
import type { Edit } from '../../text/span.ts';
import type { CallExpr, Expr, FunctionIr, IfStmt, ReturnStmt, Stmt } from '../../ir/types.ts';
import type { ExitObservation, ModuleFacts } from '../../lifecycle/types.ts';
import { documentOf, statementAt, walk } from '../locate.ts';
import { indexOf } from '../members.ts';
import type { Fix } from '../types.ts';
import { indentationAt, layOut, replace, wholeLines } from './text.ts';

/**
 * `CHECK_RET(ret);` as `if (ret) {`, what is owed, `return ret; }`. A person must look at it: the
 * macro may be there to be used.
 * @param undo statements, without indentation.
 * @returns null when the macro does more than test and return, or when an argument would be
 * evaluated more often than it may be.
 */
export function undoAtMacroUse(
  facts: ModuleFacts,
  fn: FunctionIr,
  use: CallExpr,
  undo: readonly string[],
): Edit[] | null {
  const file = documentOf(facts.module, fn);
  const macro =
    file === null || use.name === null
      ? null
      : indexOf(facts.module, facts.kernel).macro(file, use.name);
  const test = macro === null ? null : onlyTest(macro.item.statements ?? []);
  const placed = statementAt(fn.body, use);
  if (
    file === null ||
    macro === null ||
    test === null ||
    macro.item.params?.length !== use.args.length
  )
    return null;
  if (
    placed?.statement.kind !== 'expr' ||
    placed.siblings === null ||
    wholeLines(file.text, placed.statement) === null
  )
    return null;
  if (!use.args.every((arg) => arg.kind === 'name')) return null;
  const values = new Map(
    macro.item.params.map((name, i) => [
      name,
      file.text.slice(use.args[i]!.start, use.args[i]!.end),
    ]),
  );
  const condition = written(macro.file.text, test.condition, values);
  const value =
    test.leave.value === null ? '' : ` ${written(macro.file.text, test.leave.value, values)}`;
  const lines = [
    `if (${condition}) {`,
    ...undo.map((line) => `\t${line}`),
    `\treturn${value};`,
    '}',
  ];
  return [
    replace(
      placed.statement,
      layOut(file.text, indentationAt(file.text, placed.statement.start), lines).trimStart(),
    ),
  ];
}

/**
 * The fix for a path that leaves by a macro: none where other paths leave by the same use that owe
 * nothing.
 */
export function macroFix(
  facts: ModuleFacts,
  exit: ExitObservation,
  use: CallExpr,
  undo: readonly string[],
): Fix | null {
  const file = documentOf(facts.module, exit.function);
  const isAlways = facts.observations.every(
    (one) =>
      one.kind !== 'exit' ||
      one.function !== exit.function ||
      one.returns.start !== exit.returns.start ||
      one.device.id !== exit.device.id ||
      (one.before.registered !== 'yes' &&
        one.before.memory === exit.before.memory &&
        one.before.reference === exit.before.reference),
  );
  const edits = isAlways ? undoAtMacroUse(facts, exit.function, use, undo) : null;
  if (file === null || edits === null) return null;
  return {
    title: `Write ${use.name ?? 'the macro'}() out and add ${undo.map((line) => line.slice(0, -1)).join(' and ')}`,
    safety: 'unsafe',
    edits: [{ path: file.path, edits }],
  };
}

/** The test and the return that are all a macro does. */
function onlyTest(
  statements: readonly Stmt[],
): { readonly condition: Expr; readonly leave: ReturnStmt } | null {
  const test = only(statements);
  const leave = test?.kind === 'if' && test.otherwise === null ? only([test.then]) : null;
  return leave?.kind === 'return' ? { condition: (test as IfStmt).condition, leave } : null;
}

/**
 * The one statement of a list, without the blocks and the `do … while (0)` around it; null when
 * there are more.
 */
function only(statements: readonly Stmt[]): Stmt | null {
  const [statement] = statements;
  if (statement === undefined || statements.length !== 1) return null;
  if (statement.kind === 'block') return only(statement.body);
  const isWrapper =
    statement.kind === 'loop' &&
    statement.form === 'do' &&
    statement.condition?.kind === 'number' &&
    statement.condition.value === 0;
  return isWrapper ? only([statement.body]) : statement;
}

/**
 * An expression of the macro with the arguments in the place of the parameters, without the
 * parentheses that a lone name does not need.
 */
function written(text: string, expr: Expr, values: ReadonlyMap<string, string>): string {
  let result = '';
  let at = expr.start;
  const names = [...walk(expr)]
    .filter((node) => node.kind === 'name')
    .sort((left, right) => left.start - right.start);
  for (const { start, end, name } of names) {
    result += `${text.slice(at, start)}${values.get(name) ?? name}`;
    at = end;
  }
  result += text.slice(at, expr.end);
  return result
    .replace(/\\\r?\n/g, ' ')
    .replace(/\s+/g, ' ')
    .replace(/(^|[^\w\s])\s*\((\w+)\)/g, '$1$2')
    .replace(/^\((\w+)\)/, '$1')
    .trim();
}
