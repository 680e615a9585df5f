/** The hover on a name of the kernel's interface. */
import type { FileIr } from '../ir/types.ts';
import { renderApiHover } from '../kernel/hover.ts';
import { apiEntry, apiMember, apiStruct } from '../kernel/lifecycle-api.ts';
import type { ApiEntry, KernelVersion } from '../kernel/types.ts';
import type { Span } from '../text/span.ts';
import { wordAt } from './word-at.ts';

export interface HoverText {
  readonly markdown: string;
  /** The word. */
  readonly span: Span;
}

/**
 * What the knowledge base says of the word at `offset` (a UTF-16 offset, also right behind the
 * word) in a lowered document, for
 * a target kernel: functions and macros anywhere in code, structs after their keyword, members
 * where a designated initialiser of
 * their struct names them. Undefined in comments and strings, and for every other word.
 */
export function hoverAt(
  file: FileIr | undefined,
  offset: number,
  kernel: KernelVersion,
): HoverText | undefined {
  const span = file && wordAt(file.text, offset);
  if (!span || isQuoted(file, span)) return undefined;
  const entry = entryAt(file, span, kernel);
  return entry && { markdown: renderApiHover(entry, kernel), span };
}

function entryAt(file: FileIr, span: Span, kernel: KernelVersion): ApiEntry | undefined {
  const word = file.text.slice(span.start, span.end);
  const before = file.text.slice(Math.max(0, span.start - 80), span.start).trimEnd();
  if (before.endsWith('->')) return undefined;
  if (before.endsWith('.')) {
    const owner = tableAround(file, word, span);
    return owner === undefined ? undefined : apiMember(owner, word, kernel);
  }
  // The first argument of the macro is a tag without its keyword.
  if (/(?:\bstruct|\bvfio_alloc_device\s*\()$/.test(before)) return apiStruct(word);
  const entry = apiEntry(word);
  // The tag of an enum stands behind its keyword; another word of that name is the driver's.
  return entry?.kind === 'enum' && !/\benum$/.test(before) ? undefined : entry;
}

/**
 * The struct tag of the table at file scope in whose initialiser the designator `.word` at `span`
 * stands.
 */
function tableAround(file: FileIr, word: string, span: Span): string | undefined {
  for (const { type, init } of file.variables) {
    if (init?.kind !== 'initializer' || span.start < init.start || span.end > init.end) continue;
    const entry = init.entries.find((one) => one.start <= span.start && span.end <= one.end);
    // An #if in the braces may have left the entries unread: the text is then enough.
    const designator = entry
      ? entry.designators[0] === word && span.start <= entry.value.start
      : /^\s*=[^=]/.test(file.text.slice(span.end, span.end + 40));
    return designator && type.keyword === 'struct' ? type.name : undefined;
  }
  return undefined;
}

function isQuoted(file: FileIr, span: Span): boolean {
  if (file.comments.some((one) => one.start <= span.start && span.end <= one.end)) return true;
  const lineStart = file.text.lastIndexOf('\n', span.start - 1) + 1;
  let quote = '';
  for (let at = lineStart; at < span.start; at++) {
    const character = file.text[at]!;
    if (quote !== '' && character === '\\') at++;
    else if (quote === '') quote = character === '"' || character === "'" ? character : '';
    else if (character === quote) quote = '';
  }
  return quote !== '';
}
