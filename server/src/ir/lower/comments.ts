/** Finds all comments of a text. */
import { copyString } from '../../text/copy.ts';
import type { CommentIr } from '../types.ts';

/** The comments of another version of a text, and what both have in common. */
interface Before {
  readonly list: readonly CommentIr[];
  /** How many code units both begin with alike. */
  readonly head: number;
  /** Where the text begins that both end with: `delta` before it in the other one. */
  readonly tail: number;
  readonly delta: number;
}

/**
 * All comments of a text in source order, inside functions too: those of another version, and what
 * is read anew around the difference. A scan by hand: linear on any text, no recursion.
 */
export function commentsAfter(text: string, { list, head, tail, delta }: Before): CommentIr[] {
  const comments: CommentIr[] = [];
  // The end of a comment is told by the characters of a line break behind it.
  while (comments.length < list.length && list[comments.length]!.end + 2 <= head)
    comments.push(list[comments.length]!);
  let next = comments.length;
  const token = /["'/]/g;
  token.lastIndex = comments.at(-1)?.end ?? 0;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const start = match.index;
    const end = match[0] === '/' ? commentEnd(text, start) : literalEnd(text, start);
    if (match[0] === '/' && end > start) {
      while (next < list.length && list[next]!.start < start - delta) next++;
      // From here on both read the same.
      if (start >= tail && list[next]?.start === start - delta) {
        for (; next < list.length; next++) comments.push(moved(list[next]!, delta));
        break;
      }
      // A slice would keep the whole text alive.
      comments.push({ start, end, text: copyString(text.slice(start, end)) });
    }
    token.lastIndex = Math.max(end, start + 1);
  }
  return comments;
}

function moved(comment: CommentIr, delta: number): CommentIr {
  const { start, end, text } = comment;
  return delta === 0 ? comment : { start: start + delta, end: end + delta, text };
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
