import type { Edit } from '../text/span.ts';
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let out = ''; let at = 0;
  for (const e of [...edits].sort((a, b) => a.span.start - b.span.start)) { out += text.slice(at, e.span.start) + e.newText; at = e.span.end; }
  return out + text.slice(at);
}
export function overlaps(edits: readonly Edit[]): boolean {
  const s = [...edits].sort((a, b) => a.span.start - b.span.start);
  return s.some((e, i) => i > 0 && s[i - 1]!.span.end > e.span.start);
}
export function composeEdits(first: readonly Edit[], second: readonly Edit[]): readonly Edit[] {
  return first.length === 0 ? second : first;
}
export function unifiedDiff(name: string, before: string, after: string): string {
  return before === after ? '' : `--- a/${name}\n+++ b/${name}\n`;
}
export function lineIndex(text: string) {
  const starts = [0];
  for (let i = 0; i < text.length; i++) if (text[i] === '\n') starts.push(i + 1);
  return { position(offset: number) { let l = 0; while (l + 1 < starts.length && starts[l + 1]! <= offset) l++; return { line: l, character: offset - starts[l]! }; } };
}
