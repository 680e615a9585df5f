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
  for (const match of text.matchAll(
    /^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]{1,512})"|<([^>\n]{1,512})>)/gm,
  )) {
    if (match[1] !== undefined) quoted.add(match[1]);
    else angled.add(match[2]!);
  }
  return { quoted: [...quoted], angled: [...angled] };
}
