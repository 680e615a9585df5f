/** A label whose statement has gone from its line does not end with blanks. */
import type { Edit } from '../../../text/span.ts';
import { nextLine } from '../layout.ts';
import { statementsOf } from '../../../lifecycle/module/statements.ts';
import { changedFunctions, isTouched, type Pass } from './change.ts';
import { blanksBefore } from '../../../text/lexical.ts';

/**
 * The statement on the next line takes the place of the one that went; else the blanks go, and so
 * do those of other lines that lost their end.
 */
export const bareLabels: Pass = (change) => {
  const { text } = change.after;
  const edits: Edit[] = [];
  const joined = new Set<number>();
  for (const fn of changedFunctions(change)) {
    for (const { stmt, siblings, index } of statementsOf(fn)) {
      const next = siblings[index + 1];
      if (
        stmt.kind !== 'label' ||
        !next ||
        next.kind === 'label' ||
        next.kind === 'decl' ||
        next.kind === 'preproc'
      )
        continue;
      const blanks = /^[ \t]+(\r?\n[ \t]*)(?=\S)/.exec(text.slice(stmt.end, next.start + 1));
      const gap = { start: stmt.end, end: next.start };
      if (blanks?.[0].length !== next.start - stmt.end || !isTouched(change, gap)) continue;
      edits.push({ span: { start: next.start - blanks[1]!.length, end: next.start }, newText: '' });
      joined.add(next.start - blanks[1]!.length);
    }
  }
  for (const { start, end } of change.spans) {
    for (let at = start; at <= end; at = nextLine(text, at)) {
      const newline = text.indexOf('\n', at);
      const last = newline > 0 && text[newline - 1] === '\r' ? newline - 1 : newline;
      const blank = last < 0 ? 0 : last - blanksBefore(text, last);
      const span = { start: last - blank, end: last };
      if (
        blank > 0 &&
        !joined.has(last) &&
        isTouched(change, span) &&
        !edits.some((edit) => edit.span.start === span.start)
      )
        edits.push({ span, newText: '' });
      if (newline < 0) break;
    }
  }
  return edits;
};
