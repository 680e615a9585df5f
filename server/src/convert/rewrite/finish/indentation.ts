/**
 * The body of an `if` or a loop without braces stands one level below it, also when it has lost its
 * braces to the conversion.
 */
import type { Edit } from '../../../text/span.ts';
import type { Stmt } from '../../../ir/types.ts';
import { columnsOf } from '../../../text/style.ts';
import { indentAt, lineStart } from '../layout.ts';
import { statementsOf } from '../../../lifecycle/module/statements.ts';
import { changedFunctions, isTouched, type Change, type Pass } from './change.ts';

export const danglingBodies: Pass = (change) => {
  const { text } = change.after;
  return changedFunctions(change).flatMap((fn) =>
    statementsOf(fn).flatMap(({ stmt, sole, parent }): Edit[] => {
      if (!sole || !parent || (parent.stmt.kind === 'if' && parent.stmt.otherwise === stmt))
        return [];
      const line = lineStart(text, stmt.start);
      const gap = { start: headEnd(parent.stmt), end: stmt.start };
      if (
        text.slice(line, stmt.start).trim() !== '' ||
        line <= parent.stmt.start ||
        !isTouched(change, gap)
      )
        return [];
      const wanted =
        indentAt(text, parent.stmt.start) + levelOf(change, indentAt(text, parent.stmt.start));
      return shifted(text, { start: line, end: stmt.end }, text.slice(line, stmt.start), wanted);
    }),
  );
};

function headEnd(stmt: Stmt): number {
  return stmt.kind === 'if' ? stmt.conditionSpan.end : stmt.start;
}

/** One level: a tab under code that is indented with tabs. */
function levelOf({ unit }: Change, indent: string): string {
  if (indent.startsWith('\t')) return unit.startsWith(' ') && indent.includes(' ') ? unit : '\t';
  return unit.startsWith('\t') && indent.startsWith(' ') ? indent : unit;
}

/**
 * The edits that move the lines of a span from one indentation to another; those that are indented
 * less stay.
 */
export function shifted(
  text: string,
  span: { readonly start: number; readonly end: number },
  from: string,
  to: string,
): Edit[] {
  if (columnsOf(from) === columnsOf(to)) return [];
  const edits: Edit[] = [];
  for (
    let line = span.start;
    line >= 0 && line < span.end;
    line = text.indexOf('\n', line) + 1 || -1
  ) {
    const blanks = /^[ \t]*/.exec(text.slice(line, span.end))![0];
    if (!blanks.startsWith(from) || text.slice(line, line + blanks.length + 2).trim() === '')
      continue;
    edits.push({ span: { start: line, end: line + from.length }, newText: to });
  }
  return edits;
}
