/** Finds what a text includes. */
import { blanksBefore } from '../../text/lexical.ts';

const INCLUDE = /#[ \t]*include[ \t]*(?:"([^"\n]{1,512})"|<([^>\n]{1,512})>)/y;

/**
 * The paths of `#include "…"` (`quoted`) and `#include <…>` in `text`, in order, each once. A text
 * scan: it runs on every keystroke, before any parse.
 */
export function includesIn(text: string): {
  readonly quoted: readonly string[];
  readonly angled: readonly string[];
} {
  const quoted = new Set<string>();
  const angled = new Set<string>();
  for (let at = text.indexOf('#'); at >= 0; at = text.indexOf('#', at + 1)) {
    INCLUDE.lastIndex = at;
    const match = isFirst(text, at) ? INCLUDE.exec(text) : null;
    if (match?.[1] !== undefined) quoted.add(match[1]);
    else if (match !== null) angled.add(match[2]!);
  }
  return { quoted: [...quoted], angled: [...angled] };
}

/** Whether nothing but blanks is in front of an offset in its line. */
function isFirst(text: string, offset: number): boolean {
  const before = text[blanksBefore(text, offset) - 1];
  return before === undefined || before === '\n' || before === '\r';
}
