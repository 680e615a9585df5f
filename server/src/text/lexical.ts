/**
 * The lexical parts of C that a text scan has to know: comments, strings and blanks. Everything
 * takes a number of steps that grows with the
 * text and not with its square, whatever the text is: what is not closed ends where the compiler
 * ends it.
 */

/* eslint-disable regexp/no-super-linear-move -- once a comment has begun nothing rejects it, so that nothing is looked at twice */

/** A comment. One that is not closed goes to the end of the text. */
export const COMMENT = /\/\*[^]*?(?:\*\/|$)|\/\/[^\n]*/g;

/** A comment or a string. A string that is not closed goes to the end of its line. */
export const COMMENT_OR_STRING = /\/\*[^]*?(?:\*\/|$)|\/\/[^\n]*|"(?:\\[^]|[^"\\\n])*"?/g;

/** A comment, a string or a character. */
export const COMMENT_OR_LITERAL =
  /\/\*[^]*?(?:\*\/|$)|\/\/[^\n]*|"(?:\\[^]|[^"\\\n])*"?|'(?:\\[^]|[^'\\\n])*'?/g;

/**
 * A name: for gcc, and for the grammar, `$`, letters beyond ASCII and their numbers, as in
 * `\u00e9`, are parts of it too.
 */
export const NAME =
  /(?:[A-Za-z_$\u0080-\uffff]|\\[uU][\da-fA-F]{4})(?:[\w$\u0080-\uffff]|\\[uU][\da-fA-F]{4})*/g;

/** The text with every comment replaced by `by`. */
export function withoutComments(text: string, by = ' '): string {
  return text.replace(COMMENT, by);
}

/** The text with blanks in the place of its comments: of the same length, with the same line ends. */
export function blankComments(text: string): string {
  if (!text.includes('/')) return text;
  return text.replace(COMMENT_OR_LITERAL, (part) =>
    part.startsWith('/') ? part.replace(/[^\r\n]/g, ' ') : part,
  );
}

/** The text with every run of blanks that has a line end in it replaced by one blank. */
export function onOneLine(text: string): string {
  return text.replace(/\s+/g, (blanks) => (/[\r\n]/.test(blanks) ? ' ' : blanks));
}

/**
 * The offset of the first of the blanks and tabs that stand directly before `offset`; not before
 * `from`.
 */
export function blanksBefore(text: string, offset: number, from = 0): number {
  let at = offset;
  while (at > from && (text[at - 1] === ' ' || text[at - 1] === '\t')) at--;
  return at;
}

const BLANK_OR_COMMENT = /\s+|\/\*[^]*?(?:\*\/|$)/y;

/** The offset in [from, end] of the first thing that is neither a blank nor a block comment. */
export function afterBlanks(text: string, from: number, end = text.length): number {
  let at = from;
  for (;;) {
    BLANK_OR_COMMENT.lastIndex = at;
    const length = at < end ? (BLANK_OR_COMMENT.exec(text)?.[0].length ?? 0) : 0;
    if (length === 0) return Math.min(at, end);
    at += length;
  }
}
