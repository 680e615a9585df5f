/** How deep lines are indented, by which kernel code shows its blocks. */

/** Nobody indents further; the bound keeps the mask linear. */
const MAX_INDENTATION = 256;

/** Whether nothing but blanks is in front of an offset in its line, which is not the first one. */
export function isFirstOnLine(text: string, offset: number): boolean {
  let at = offset - 1;
  while (at >= 0 && (text.charCodeAt(at) === 32 || text.charCodeAt(at) === 9)) at--;
  return at >= 0 && text.charCodeAt(at) === 10;
}

/** The width of the blanks at the start of an offset's line. A tab counts eight. */
export function lineIndentation(text: string, offset: number): number {
  let start = offset;
  while (start > 0 && start > offset - MAX_INDENTATION && text.charCodeAt(start - 1) !== 10)
    start--;
  let width = 0;
  for (let at = start; at < offset; at++) {
    const code = text.charCodeAt(at);
    if (code === 9) width += 8;
    else if (code === 32) width++;
    else break;
  }
  return width;
}
