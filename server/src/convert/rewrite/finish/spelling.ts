/**
 * Generated text is spelled as its document is: blanks in front of parentheses, braces, the head of
 * a function. Kernel style where that cannot be told.
 */
import type { Edit, Span } from '../../../text/span.ts';
import type { CallExpr, FileIr, FunctionIr, IfStmt } from '../../../ir/types.ts';
import { columnsOf } from '../../../text/style.ts';
import { indentAt, lineStart, nextLine } from '../layout.ts';
import { allExpressions, statementsOf } from '../../../lifecycle/module/statements.ts';
import { changedFunctions, isTouched, type Change, type Pass } from './change.ts';
import { shifted } from './indentation.ts';
import { blanksBefore } from '../../../text/lexical.ts';

function isWritten({ spans }: Change, offset: number): boolean {
  return spans.some((span) => span.start <= offset && offset < span.end);
}

function callsIn(fn: FunctionIr): CallExpr[] {
  return statementsOf(fn)
    .flatMap(({ stmt }) => allExpressions(stmt))
    .flatMap((expr) => (expr.kind === 'call' ? [expr] : []));
}

/**
 * `foo (a, b)`, where most calls of the document are written so, and `foo(a, b)` where they are
 * not.
 */
export const callSpacing: Pass = (change) => {
  const { before, after } = change;
  const gapOf = (file: FileIr, call: CallExpr): string =>
    file.text.slice(call.callee.end, call.argsSpan.start);
  const known = before.functions
    .flatMap(callsIn)
    .filter((call) => call.callee.kind === 'name')
    .map((call) => gapOf(before, call));
  if (!isMost(known, (gap) => gap === ' ')) return [];
  const calls = changedFunctions(change)
    .flatMap(callsIn)
    .filter(
      (call) => isWritten(change, call.argsSpan.start) || isWritten(change, call.callee.start),
    );
  const heads = change.after.functions
    .filter((fn) => isWritten(change, fn.nameSpan.start))
    .map((fn) => fn.nameSpan.end);
  const places = new Set([
    ...calls.filter((call) => gapOf(after, call) === '').map((call) => call.argsSpan.start),
    ...heads.filter((end) => after.text[end] === '('),
  ]);
  return [...places].map((start) => ({ span: { start, end: start }, newText: ' ' }));
};

/**
 * How a document writes the brace of a branch: behind its head, or on a line of its own, at the
 * depth of the head or one level in.
 */
type Braces = 'kernel' | 'own-line' | 'gnu';

function bracesIn(file: FileIr): Braces {
  const counts = new Map<Braces, number>();
  for (const { stmt } of file.functions.flatMap(statementsOf)) {
    if (stmt.kind !== 'if' || stmt.then.kind !== 'block') continue;
    const style = bracesOf(file, stmt, stmt.then);
    counts.set(style, (counts.get(style) ?? 0) + 1);
  }
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return [...counts].find(([, count]) => count * 2 > all)?.[0] ?? 'kernel';
}

function bracesOf({ text }: FileIr, stmt: IfStmt, block: Span): Braces {
  if (!text.slice(stmt.conditionSpan.end, block.start).includes('\n')) return 'kernel';
  return columnsOf(indentAt(text, block.start)) > columnsOf(indentAt(text, stmt.start))
    ? 'gnu'
    : 'own-line';
}

/** The braces that were written for a branch of several statements. */
export const braceStyle: Pass = (change) => {
  const style = bracesIn(change.before);
  if (style === 'kernel') return [];
  const { text } = change.after;
  return changedFunctions(change).flatMap((fn) =>
    statementsOf(fn).flatMap(({ stmt }): Edit[] => {
      if (
        stmt.kind !== 'if' ||
        stmt.then.kind !== 'block' ||
        stmt.otherwise ||
        !isWritten(change, stmt.then.start)
      )
        return [];
      if (
        bracesOf(change.after, stmt, stmt.then) !== 'kernel' ||
        !text.slice(stmt.then.start, stmt.then.end).includes('\n')
      )
        return [];
      const indent = indentAt(text, stmt.start);
      const deeper = style === 'gnu' ? indent + change.unit : indent;
      const close = { start: lineStart(text, stmt.then.end - 1), end: stmt.then.end - 1 };
      const body = { start: nextLine(text, stmt.then.start), end: close.start };
      const from = indentAt(text, (stmt.then.body[0] ?? stmt.then).start);
      return [
        {
          span: { start: stmt.conditionSpan.end, end: stmt.then.start },
          newText: `${change.eol}${deeper}`,
        },
        ...shifted(text, body, from, deeper + change.unit),
        { span: close, newText: deeper },
      ];
    }),
  );
};

/**
 * The name of a function at the start of its line, below its type, where the functions of the
 * document are written so.
 */
export const headStyle: Pass = (change) => {
  const { before, after } = change;
  const gapOf = (file: FileIr, fn: FunctionIr): string =>
    file.text.slice(fn.start, fn.nameSpan.start);
  if (
    !isMost(
      before.functions.map((fn) => gapOf(before, fn)),
      (gap) => /\n\*?$/.test(gap),
    )
  )
    return [];
  return after.functions.flatMap((fn): Edit[] => {
    let end = fn.nameSpan.start;
    while (end > fn.start && after.text[end - 1] === '*') end--;
    const start = blanksBefore(after.text, end, fn.start);
    if (
      start === end ||
      !isWritten(change, fn.nameSpan.start) ||
      gapOf(after, fn).includes('\n') ||
      !isTouched(change, fn)
    )
      return [];
    return [{ span: { start, end }, newText: change.eol }];
  });
};

function isMost<T>(items: readonly T[], holds: (item: T) => boolean): boolean {
  return items.filter(holds).length * 2 > items.length;
}
