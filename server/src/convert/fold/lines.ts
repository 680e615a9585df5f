/** Takes statements out of a text with their comments and blank lines. */
import type { Edit, Span } from '../../text/span.ts';
import { applyEdits } from '../../text/edits.ts';
import type { FileIr, FunctionIr, IfStmt, Stmt } from '../../ir/types.ts';
import { isLeftWithOneLine } from '../rewrite/edits.ts';
import { joinRemovals, lineStart, nextLine, removalOf, type Removal } from '../rewrite/layout.ts';
import { under } from './probe-shape.ts';

/** A statement with the comments above it and behind it: whole lines. */
export function linesOf(file: FileIr, stmt: Span): Span {
  const removal = removalOf(file.text, file.comments, stmt);
  const first = removal.above[0];
  return {
    start: first ? lineStart(file.text, first.start) : removal.span.start,
    end: removal.span.end,
  };
}

/** What deleting a statement takes with it, its comments included. */
export function removalsOf(file: FileIr, stmt: Span): Removal[] {
  const removal = removalOf(file.text, file.comments, stmt);
  return [removal, ...removal.above.map((comment) => removalOf(file.text, [], comment))];
}

/** A function with the blank line behind it. */
export function functionRemoval(file: FileIr, fn: FunctionIr): Removal {
  const removal = removalOf(file.text, file.comments, fn);
  const after = nextLine(file.text, removal.span.end);
  const blank = file.text.slice(removal.span.end, after).trim() === '' && after > removal.span.end;
  return { ...removal, span: { start: removal.span.start, end: blank ? after : removal.span.end } };
}

/** Edits that take removals out, with the blank lines that would be left over. */
export function removalEdits(file: FileIr, removals: readonly Removal[]): Edit[] {
  return joinRemovals(file.text, removals).map((span) => ({ span, newText: '' }));
}

/** The text of a span after edits that lie inside of it. */
export function textWith(file: FileIr, span: Span, edits: readonly Edit[]): string {
  const shifted = edits.map((edit) => ({
    span: { start: edit.span.start - span.start, end: edit.span.end - span.start },
    newText: edit.newText,
  }));
  return applyEdits(file.text.slice(span.start, span.end), shifted);
}

/**
 * The edits that take the braces from an `if` under `root` that is left with one line, which kernel
 * style writes without. `taken` is what goes as text.
 */
export function bracesOf(
  file: FileIr,
  root: Stmt,
  gone: ReadonlySet<Stmt>,
  taken: readonly Removal[],
): { readonly edits: Edit[]; readonly removals: Removal[] } {
  const edits: Edit[] = [];
  const removals: Removal[] = [];
  for (const stmt of under(root)) {
    if (
      stmt.kind !== 'if' ||
      stmt.otherwise ||
      stmt.then.kind !== 'block' ||
      !stmt.then.body.some((inner) => gone.has(inner))
    )
      continue;
    if (!losesBraces(file, stmt, gone, taken)) continue;
    edits.push({ span: { start: stmt.conditionSpan.end, end: stmt.then.start + 1 }, newText: '' });
    removals.push(removalOf(file.text, [], { start: stmt.then.end - 1, end: stmt.then.end }));
  }
  return { edits, removals };
}

function losesBraces(
  file: FileIr,
  { conditionSpan, then }: IfStmt,
  gone: ReadonlySet<Stmt>,
  taken: readonly Removal[],
): boolean {
  return (
    isLeftWithOneLine(file, then, gone, taken) &&
    file.text.slice(conditionSpan.end, then.start + 1).trim() === '{' &&
    removalOf(file.text, [], { start: then.end - 1, end: then.end }).wholeLines
  );
}
