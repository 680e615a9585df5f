/**
 * Lines that were aligned to a parenthesis stay so where an edit has moved it: a name has become
 * longer or shorter, or has gone.
 */
import type { Edit, Span } from '../../../text/span.ts';
import { columnsOf } from '../../../text/style.ts';
import { columnOf, lineStart } from '../layout.ts';
import { changedFunctions, isTouched, type Change, type Pass } from './change.ts';
import { parametersOf, parenthesesOf } from './parentheses.ts';

export const continuations: Pass = (change) => {
  const { after } = change;
  const lists = [
    ...changedFunctions(change).map((fn) => parenthesesOf(after, fn)),
    ...after.prototypes
      .filter((item) => isTouched(change, item))
      .map((item) => [parametersOf(after, item)].filter((span) => span !== null)),
  ];
  return lists.flatMap((spans) => realigned(change, spans));
};

/** The edits for one function; lines further down follow those that have moved. */
function realigned(change: Change, spans: readonly Span[]): Edit[] {
  const { text } = change.after;
  const moved = new Map<number, number>();
  const edits: Edit[] = [];
  for (const line of linesWithin(text, spans)) {
    const first = line + /^[ \t]*/.exec(text.slice(line, line + 400))![0].length;
    const open = spans.filter((span) => span.start < line && first < span.end).at(-1);
    if (!open || first === line || text[first] === '\n' || text[first] === '\r') continue;
    const wanted = wantedColumn(change, open, first);
    const shift = moved.get(lineStart(text, open.start)) ?? 0;
    if (wanted === null || columnOf(text, first) === wanted + shift) continue;
    const blanks = text.slice(line, first);
    moved.set(line, wanted + shift - columnOf(text, first));
    edits.push({ span: { start: line, end: first }, newText: blanksTo(wanted + shift, blanks) });
  }
  return edits;
}

/** The lines that begin inside of parentheses, in order. */
function linesWithin(text: string, spans: readonly Span[]): number[] {
  const lines = new Set<number>();
  for (const { start, end } of spans) {
    for (let at = text.indexOf('\n', start); at >= 0 && at < end; at = text.indexOf('\n', at + 1))
      lines.add(at + 1);
  }
  return [...lines].sort((left, right) => left - right);
}

/**
 * The column that a line keeps to: as far from the parenthesis as it was. Null where it was not
 * aligned to it.
 */
function wantedColumn(
  { before, after, toBefore }: Change,
  open: Span,
  first: number,
): number | null {
  const oldOpen = toBefore(open.start);
  const oldFirst = toBefore(first);
  if (
    oldOpen === null ||
    oldFirst === null ||
    lineStart(before.text, oldOpen) === lineStart(before.text, oldFirst)
  )
    return null;
  if (before.text.slice(lineStart(before.text, oldFirst), oldFirst).trim() !== '') return null;
  const aligned = columnOf(before.text, oldFirst) === columnOf(before.text, oldOpen) + 1;
  return aligned ? columnOf(after.text, open.start) + 1 : null;
}

function blanksTo(column: number, like: string): string {
  if (!like.includes('\t')) return ' '.repeat(column);
  const tabs = Math.floor(column / 8);
  return '\t'.repeat(tabs) + ' '.repeat(column - columnsOf('\t'.repeat(tabs)));
}
