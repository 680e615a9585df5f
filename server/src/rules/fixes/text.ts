import type { Edit, Span } from '../../text/span.ts';

/**
 * Edits of C text that leave everything else as it is: line endings, tabs or blanks, comments. All offsets are
 * zero-based UTF-16 code units into the original text; nothing here throws.
 */

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

/** One more level of indentation: a tab, or in a document that indents with blanks as many as its first level has. */
function unitFor(text: string, indentation: string): string {
  if (indentation === '' || indentation.includes('\t')) return '\t';
  const width = [2, 4, 8].find((blanks) => new RegExp(`^ {${blanks}}[^\\s*]`, 'm').test(text));
  return ' '.repeat(width ?? 8);
}

/** Lines with tabs for their relative depth, indented like the neighbour, without a terminator at the end. */
export function layOut(text: string, indentation: string, lines: readonly string[]): string {
  const unit = unitFor(text, indentation);
  return lines.map((line) => {
    const depth = /^\t*/.exec(line)![0].length;
    return line === '' ? '' : indentation + unit.repeat(depth) + line.slice(depth);
  }).join(newlineOf(text));
}

/** Whether only blanks stand before the offset in its line. */
export function startsLine(text: string, offset: number): boolean {
  return /^[ \t]*$/.test(text.slice(lineStart(text, offset), offset));
}

/** Puts statements on lines of their own before a statement; a line may open with tabs for its relative depth. */
export function insertBefore(text: string, statement: Span, lines: readonly string[]): Edit {
  const indentation = indentationAt(text, statement.start);
  const newText = layOut(text, indentation, lines) + newlineOf(text);
  if (startsLine(text, statement.start)) {
    const at = lineStart(text, statement.start);
    return { span: { start: at, end: at }, newText };
  }
  // Something else stands before it in the line: `if (x) { foo(); bar(); }`.
  return { span: { start: statement.start, end: statement.start }, newText: newText.slice(indentation.length) + indentation };
}

/** Puts statements on lines of their own after a statement and a comment that follows it in its last line. */
export function insertAfter(text: string, statement: Span, lines: readonly string[]): Edit {
  const indentation = indentationAt(text, statement.start);
  const end = endWithComment(text, statement.end);
  return { span: { start: end, end }, newText: newlineOf(text) + layOut(text, indentation, lines) };
}

/** The end of a span, or of the comment that ends its line behind it. */
function endWithComment(text: string, end: number): number {
  const rest = text.slice(end, lineEnd(text, end));
  const comment = /^[ \t]*(\/\*(?:(?!\*\/)[^])*\*\/|\/\/.*)[ \t]*$/.exec(rest);
  return comment ? end + rest.trimEnd().length : end;
}

/**
 * Takes a statement away with its line, its indentation and the comment behind it in the same line. A statement that shares its
 * line with other code goes alone.
 */
export function deleteStatement(text: string, statement: Span): Edit {
  const end = endWithComment(text, statement.end);
  if (startsLine(text, statement.start) && /^[ \t]*$/.test(text.slice(end, lineEnd(text, end)))) {
    return { span: { start: lineStart(text, statement.start), end: nextLine(text, end) }, newText: '' };
  }
  const blank = /^[ \t]*/.exec(text.slice(statement.end, lineEnd(text, statement.end)))![0].length;
  return { span: { start: statement.start, end: statement.end + blank }, newText: '' };
}

/** Replaces a span. */
export function replace(span: Span, newText: string): Edit {
  return { span: { start: span.start, end: span.end }, newText };
}

/** The width of a piece of text from a column on, with tab stops every eight columns. */
export function columnAfter(column: number, piece: string): number {
  for (const character of piece) column = character === '\t' ? column + 8 - (column % 8) : column + 1;
  return column;
}

/**
 * Adds a function before an item at file scope, above the comment that belongs to the item.
 * @param source the function's text with `\n` and tabs, without a final newline.
 */
export function addFunctionBefore(text: string, item: Span, source: string): Edit {
  let at = lineStart(text, item.start);
  const comment = /\/\*(?:(?!\*\/)[^])*\*\/[ \t]*\r?\n$/.exec(text.slice(Math.max(0, at - 4000), at));
  if (comment && startsLine(text, at - comment[0].length)) at = lineStart(text, at - comment[0].length);
  const newline = newlineOf(text);
  return { span: { start: at, end: at }, newText: source.replaceAll('\n', newline) + newline + newline };
}
