/** The paths of `#include "…"` in `text`, in order, each once. A text scan: it runs on every keystroke, before any parse. */
export function quotedIncludes(text: string): readonly string[] {
  const found: string[] = [];
  for (const match of text.matchAll(/^[ \t]*#[ \t]*include[ \t]*"([^"\n]{1,512})"/gm)) {
    const path = match[1]!;
    if (!found.includes(path)) found.push(path);
  }
  return found;
}
