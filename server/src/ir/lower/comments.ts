/** Finds all comments of a text. */
import type { CommentIr } from '../types.ts';

/**
 * All comments of a text in source order, inside functions too. A scan by hand: linear on any text,
 * no recursion.
 */
export function findComments(text: string): CommentIr[] {
  const comments: CommentIr[] = [];
  const token = /["'/]/g;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const start = match.index;
    const end = match[0] === '/' ? commentEnd(text, start) : literalEnd(text, start);
    if (match[0] === '/' && end > start)
      comments.push({ start, end, text: text.slice(start, end) });
    token.lastIndex = Math.max(end, start + 1);
  }
  return comments;
}

function commentEnd(text: string, start: number): number {
  if (text[start + 1] === '*') {
    const close = text.indexOf('*/', start + 2);
    return close < 0 ? text.length : close + 2;
  }
  return text[start + 1] === '/' ? lineEnd(text, start) : start;
}

/** The end of the line without its line break; a backslash continues it. */
function lineEnd(text: string, start: number): number {
  for (let from = start; ;) {
    const end = text.indexOf('\n', from);
    if (end < 0) return text.length;
    const last = text[end - 1] === '\r' ? end - 1 : end;
    if (text[last - 1] !== '\\') return last;
    from = end + 1;
  }
}

/**
 * The end of a string or character constant, which no unescaped line break can be part of (`#error
 * don't`).
 */
function literalEnd(text: string, start: number): number {
  const quote = text[start];
  for (let i = start + 1; i < text.length; i++) {
    const char = text[i];
    if (char === '\\') i++;
    else if (char === quote) return i + 1;
    else if (char === '\n') return i;
  }
  return text.length;
}
