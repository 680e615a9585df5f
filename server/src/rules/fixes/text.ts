/**
 * Edits of C text that leave everything else as it is: line endings, tabs or blanks, comments. All
 * offsets are
 * zero-based UTF-16 code units into the original text; nothing here throws.
 */
import type { Edit, Span } from '../../text/span.ts';

/** The offset of the first character of the line. */
export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

/** The offset of the line's terminator (CR LF or LF), or the end of the text. */
export function lineEnd(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset);
  if (newline < 0) return text.length;
  return newline > offset && text[newline - 1] === '\r' ? newline - 1 : newline;
}

/** The offset after the line's terminator. */
export function nextLine(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset);
  return newline < 0 ? text.length : newline + 1;
}

/** The blanks and tabs that open the line. */
export function indentationAt(text: string, offset: number): string {
  const start = lineStart(text, offset);
  return /^[ \t]*/.exec(text.slice(start, Math.max(start, lineEnd(text, start))))?.[0] ?? '';
}

/** The line ending of the document: that of its first line. */
export function newlineOf(text: string): string {
  const newline = text.indexOf('\n');
  return newline > 0 && text[newline - 1] === '\r' ? '\r\n' : '\n';
}

/**
 * One more level of indentation: a tab, or in a document that indents with blanks as many as its
 * first level has.
 */
function unitFor(text: string, indentation: string): string {
  const usesTabs = indentation === '' ? /^\t/m.test(text) : indentation.includes('\t');
  if (usesTabs) return '\t';
  const width = [2, 4, 8].find((blanks) => new RegExp(`^ {${blanks}}[^\\s*]`, 'm').test(text));
  return width === undefined && indentation === '' ? '\t' : ' '.repeat(width ?? 8);
}

/**
 * Lines with tabs for their relative depth, indented like the neighbour, without a terminator at
 * the end.
 */
export function layOut(text: string, indentation: string, lines: readonly string[]): string {
  const unit = unitFor(text, indentation);
  return lines
    .map((line) => {
      const depth = /^\t*/.exec(line)![0].length;
      return line === '' ? '' : indentation + unit.repeat(depth) + line.slice(depth);
    })
    .join(newlineOf(text));
}

/** Whether only blanks and comments are before the offset in its line. */
export function startsLine(text: string, offset: number): boolean {
  return BLANK_OR_COMMENT.test(text.slice(lineStart(text, offset), offset));
}

const BLANK_OR_COMMENT = /^[ \t]*(?:\/\*(?:(?!\*\/)[^])*\*\/[ \t]*)*$/;

/**
 * Puts statements on lines of their own before a statement and the comment that belongs to it; a
 * line may open with tabs for its
 * relative depth.
 */
export function insertBefore(text: string, statement: Span, lines: readonly string[]): Edit {
  const indentation = indentationAt(text, statement.start);
  const newText = layOut(text, indentation, lines) + newlineOf(text);
  if (startsLine(text, statement.start)) {
    const at = startWithComment(text, statement.start);
    return { span: { start: at, end: at }, newText };
  }
  // Something else stands before it in the line: `if (x) { foo(); bar(); }`.
  return {
    span: { start: statement.start, end: statement.start },
    newText: newText.slice(indentation.length) + indentation,
  };
}

/**
 * Puts statements on lines of their own after a statement and a comment that follows it in its last
 * line.
 */
export function insertAfter(text: string, statement: Span, lines: readonly string[]): Edit {
  const indentation = indentationAt(text, statement.start);
  const end = endWithComment(text, statement.end);
  return { span: { start: end, end }, newText: newlineOf(text) + layOut(text, indentation, lines) };
}

const COMMENTS_ABOVE = /(?:^[ \t]*(?:\/\/.*|\/\*(?:(?!\*\/)[^])*\*\/[ \t]*)\r?\n)+(?![^])/m;

/** No comment above a statement is longer than this. */
const LONGEST_COMMENT = 4000;

/**
 * The start of the line of an item that begins its line, or of the first line of the comments that
 * stand directly above it: such a
 * comment speaks of the item. One with an empty line below it speaks of more.
 */
export function startWithComment(text: string, offset: number): number {
  const start = lineStart(text, offset);
  const from = lineStart(text, Math.max(0, start - LONGEST_COMMENT));
  const comment = COMMENTS_ABOVE.exec(text.slice(from, start));
  return comment === null ? start : start - comment[0].length;
}

/**
 * The end of a span, or of the comments that end its line behind it: the last of them may go on over
 * lines.
 */
export function endWithComment(text: string, end: number): number {
  let last = end;
  for (;;) {
    const at = skipBlanks(text, last);
    if (text.startsWith('//', at))
      return (
        lineStart(text, at) + text.slice(lineStart(text, at), lineEnd(text, at)).trimEnd().length
      );
    const close = text.startsWith('/*', at) ? text.indexOf('*/', at + '/*'.length) : -1;
    if (close < 0) return at === lineEnd(text, at) ? last : end;
    last = close + '*/'.length;
  }
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t') at++;
  return at;
}

/**
 * Takes a statement away with its line, its indentation and its comments: the one behind it in the
 * same line, and the one above it when
 * that speaks of nothing else. No hole of empty lines is left. A statement that shares its line
 * with other code goes alone.
 */
export function deleteStatement(text: string, statement: Span): Edit {
  const lines = wholeLines(text, statement);
  if (lines !== null) {
    const isLastOfGroup =
      isBlankLine(text, lines.end) ||
      /^[ \t]*\}/.test(text.slice(lines.end, lineEnd(text, lines.end)));
    const start = isLastOfGroup ? startWithComment(text, statement.start) : lines.start;
    return closeHoles(text, [{ span: { start, end: lines.end }, newText: '' }])[0]!;
  }
  const end = skipBlanks(text, statement.end);
  if (end < lineEnd(text, end)) return { span: { start: statement.start, end }, newText: '' };
  // Nothing in the line is behind it: no blank is left at its end.
  const before = text.slice(lineStart(text, statement.start), statement.start).trimEnd().length;
  return { span: { start: lineStart(text, statement.start) + before, end }, newText: '' };
}

/**
 * The lines of a statement with the comment behind it, terminators included; null when it shares
 * one of them with other code.
 */
export function wholeLines(text: string, statement: Span): Span | null {
  const end = endWithComment(text, statement.end);
  const isWhole =
    startsLine(text, statement.start) && /^[ \t]*$/.test(text.slice(end, lineEnd(text, end)));
  return isWhole ? { start: lineStart(text, statement.start), end: nextLine(text, end) } : null;
}

/**
 * Edits that leave no hole where they take whole lines away: of two empty lines that would come
 * together one goes too, and so does one
 * that would stand behind an opening or before a closing brace.
 * @param edits of one document, in any order, without overlaps. What is returned is in the order of
 * the text.
 */
export function closeHoles(text: string, edits: readonly Edit[]): Edit[] {
  const sorted = [...edits].sort(
    (left, right) => left.span.start - right.span.start || left.span.end - right.span.end,
  );
  for (let first = 0, last = 0; first < sorted.length; first = last + 1) {
    last = first;
    if (!takesLines(text, sorted[first]!)) continue;
    while (
      last + 1 < sorted.length &&
      takesLines(text, sorted[last + 1]!) &&
      sorted[last + 1]!.span.start === sorted[last]!.span.end
    )
      last++;
    const { start } = sorted[first]!.span,
      { end } = sorted[last]!.span;
    const before =
      start === 0 ? '{' : text.slice(lineStart(text, start - 1), lineEnd(text, start - 1)).trim();
    const isFree = (from: number, to: number): boolean =>
      sorted.every(
        ({ span }, i) => (i >= first && i <= last) || span.end <= from || span.start >= to,
      );
    if (
      isBlankLine(text, end) &&
      (before === '' || before.endsWith('{')) &&
      isFree(end, nextLine(text, end))
    ) {
      sorted[last] = {
        span: { start: sorted[last]!.span.start, end: nextLine(text, end) },
        newText: '',
      };
    } else if (
      before === '' &&
      text.slice(end, lineEnd(text, end)).trim().startsWith('}') &&
      isFree(lineStart(text, start - 1), start)
    ) {
      sorted[first] = {
        span: { start: lineStart(text, start - 1), end: sorted[first]!.span.end },
        newText: '',
      };
    }
  }
  return sorted;
}

function takesLines(text: string, { span, newText }: Edit): boolean {
  const isStart = span.start === 0 || text[span.start - 1] === '\n';
  return newText === '' && span.end > span.start && isStart && text[span.end - 1] === '\n';
}

function isBlankLine(text: string, start: number): boolean {
  return start < text.length && /^[ \t]*$/.test(text.slice(start, lineEnd(text, start)));
}

/** Replaces a span. */
export function replace(span: Span, newText: string): Edit {
  return { span: { start: span.start, end: span.end }, newText };
}

/** The width of a piece of text from a column on, with tab stops every eight columns. */
export function columnAfter(column: number, piece: string): number {
  for (const character of piece)
    column = character === '\t' ? column + 8 - (column % 8) : column + 1;
  return column;
}

/**
 * Adds a function before an item at file scope, above the comment that belongs to the item.
 * @param source the function's text with `\n` and tabs, without a final newline.
 */
export function addFunctionBefore(text: string, item: Span, source: string): Edit {
  const at = startWithComment(text, item.start);
  const newline = newlineOf(text);
  return {
    span: { start: at, end: at },
    newText: layOut(text, '', source.split('\n')) + newline + newline,
  };
}
