/** The word at a place of a document, and what a text ends with. */
import type { Span } from '../text/span.ts';

/** The identifier that contains `offset` (UTF-16) or ends there; undefined where there is none. */
export function wordAt(text: string, offset: number): Span | undefined {
  const isWord = (at: number): boolean => /\w/.test(text.charAt(at));
  let start = Math.min(Math.max(offset, 0), text.length);
  let end = start;
  while (start > 0 && isWord(start - 1)) start--;
  while (end < text.length && isWord(end)) end++;
  return start === end || /\d/.test(text.charAt(start)) ? undefined : { start, end };
}

/** What a text ends with of letters that `isPart` matches, one by one. */
export function tailOf(text: string, isPart: RegExp): string {
  let start = text.length;
  while (start > 0 && isPart.test(text.charAt(start - 1))) start--;
  return text.slice(start);
}
