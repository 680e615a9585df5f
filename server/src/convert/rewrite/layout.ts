/** Lines, indentation and columns of a text. */
import type { Span } from '../../text/span.ts';
import type { CommentIr } from '../../ir/types.ts';
import { arrange, type Piece } from './arrange.ts';
import { largest } from '../../text/lists.ts';
import { COMMENT_OR_STRING } from '../../text/lexical.ts';

/**
 * Kernel code counts a tab as eight columns and wraps at eighty; a line that cannot be wrapped may
 * have a hundred.
 */
const TAB = 8;
const WIDTH = 80;
const WIDTH_AT_MOST = 100;

/** Offset of the first character of the line that holds `offset`. */
export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

/** Offset after the line ending of the line that holds `offset`, or the end of the text. */
export function nextLine(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end < 0 ? text.length : end + 1;
}

/** The blanks at the start of the line that holds `offset`. */
export function indentAt(text: string, offset: number): string {
  return /^[ \t]*/.exec(text.slice(lineStart(text, offset), offset))![0];
}

/** The column, zero-based, that an offset is shown at. */
export function columnOf(text: string, offset: number): number {
  return widthOf(text.slice(lineStart(text, offset), offset), 0);
}

/** The column after `text` has been written from column `from`. */
export function widthOf(text: string, from: number): number {
  let column = from;
  for (const char of text)
    column = char === '\t' ? (Math.floor(column / TAB) + 1) * TAB : column + 1;
  return column;
}

/** Blanks from the start of a line to `column`, with tabs where the document indents with tabs. */
function blanksTo(column: number, tabs: boolean): string {
  return tabs
    ? '\t'.repeat(Math.floor(column / TAB)) + ' '.repeat(column % TAB)
    : ' '.repeat(column);
}

/**
 * `head(args)tail` from `column` on, wrapped as the kernel does: continuation lines begin under the
 * first argument, or, where
 * that is too far right, two tabs in.
 */
export function wrapCall(
  head: string,
  args: readonly (string | Piece)[],
  tail: string,
  column: number,
  indent: string,
  eol: string,
  { width = WIDTH, inColumn = true }: { readonly width?: number; readonly inColumn?: boolean } = {},
): string {
  const tabs = !indent.startsWith(' ');
  const open = column + head.length + 1;
  const pieces = args.map((arg): Piece => (typeof arg === 'string' ? { text: arg } : arg));
  const longest = largest(
    pieces.map((arg, index) => arg.text.length + (index === args.length - 1 ? tail.length + 1 : 1)),
  );
  const deep = blanksTo(widthOf(indent, 0) + (tabs ? 2 * TAB : indent.length), tabs);
  return arrange(head, pieces, tail, {
    column,
    indent: deep,
    eol,
    width,
    broken: open + longest > WIDTH_AT_MOST,
    inColumn,
  });
}

/**
 * A statement that goes: the lines or the stretch to delete, and the comments that were its own.
 */
export interface Removal {
  readonly span: Span;
  readonly wholeLines: boolean;
  /** Comments inside the statement and behind it on its line, in order. */
  readonly inside: readonly CommentIr[];
  /** Comments on the lines directly above it. */
  readonly above: readonly CommentIr[];
}

/** What deleting a statement takes with it. Code that shares its lines stays. */
export function removalOf(text: string, comments: readonly CommentIr[], statement: Span): Removal {
  const start = lineStart(text, statement.start);
  let end = statement.end;
  const inside = comments.filter(
    (comment) => comment.start >= statement.start && comment.end <= statement.end,
  );
  for (;;) {
    const blank = /^[ \t]*/.exec(text.slice(end, end + 400))![0].length;
    const trailing = comments.find((comment) => comment.start === end + blank);
    if (!trailing || text.slice(end, trailing.start).includes('\n')) break;
    inside.push(trailing);
    end = trailing.end;
  }
  const alone =
    text.slice(start, statement.start).trim() === '' &&
    /^[ \t\r]*(\n|$)/.test(text.slice(end, end + 400));
  if (!alone) {
    const blank = /^[ \t]*/.exec(text.slice(statement.end, statement.end + 400))![0].length;
    return {
      span: { start: statement.start, end: statement.end + blank },
      wholeLines: false,
      inside: inside.filter((comment) => comment.end <= statement.end),
      above: [],
    };
  }
  return {
    span: { start, end: nextLine(text, end) },
    wholeLines: true,
    inside,
    above: commentsAbove(text, comments, start),
  };
}

/** Comments that fill the lines directly above the line that starts at `start`, in order. */
export function commentsAbove(
  text: string,
  comments: readonly CommentIr[],
  start: number,
): CommentIr[] {
  const above: CommentIr[] = [];
  let at = start;
  for (;;) {
    const comment = comments.find(
      (item) =>
        item.end <= at && nextLine(text, item.end) === at && text.slice(item.end, at).trim() === '',
    );
    if (!comment || text.slice(lineStart(text, comment.start), comment.start).trim() !== '')
      return above;
    above.unshift(comment);
    at = lineStart(text, comment.start);
  }
}

/**
 * Joins removals that touch and takes a blank line with them where two would meet, or where one
 * would open or close a block.
 */
export function joinRemovals(text: string, removals: readonly Removal[]): Span[] {
  const joined: { start: number; end: number; wholeLines: boolean }[] = [];
  for (const removal of [...removals].sort((left, right) => left.span.start - right.span.start)) {
    const last = joined[joined.length - 1];
    if (last && last.wholeLines && removal.wholeLines && removal.span.start <= last.end)
      last.end = Math.max(last.end, removal.span.end);
    else
      joined.push({
        start: removal.span.start,
        end: removal.span.end,
        wholeLines: removal.wholeLines,
      });
  }
  return joined.map(({ start, end, wholeLines }) => {
    if (!wholeLines) return { start, end };
    const above = start > 0 ? text.slice(lineStart(text, start - 1), start).trim() : '{';
    const below = end < text.length ? text.slice(end, nextLine(text, end)).trim() : '}';
    if (below === '' && (above === '' || above.endsWith('{')) && end < text.length)
      return { start, end: nextLine(text, end) };
    if (above === '' && below.startsWith('}') && start > 0)
      return { start: lineStart(text, start - 1), end };
    return { start, end };
  });
}

/** A text without comments and strings. */
export function codeOf(text: string): string {
  return text.replace(COMMENT_OR_STRING, ' ');
}
