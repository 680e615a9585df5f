/** The line ending that most lines of a text have; LF when there is none or a tie. */
export function lineEnding(text: string): '\n' | '\r\n' {
  let crlf = 0;
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
    lines++;
    if (at > 0 && text.charCodeAt(at - 1) === 13) crlf++;
  }
  return crlf * 2 > lines ? '\r\n' : '\n';
}

/**
 * One level of indentation of a text: a tab, or the number of blanks by which indented lines most
 * often go further in than the line before.
 * A tab when nothing is indented, because that is the kernel's style.
 */
export function indentUnit(text: string): string {
  const counts = new Map<string, number>();
  let before = '';
  for (const [, indent = ''] of text.matchAll(/^([ \t]*)[^ \t\r\n*/]/gm)) {
    // Lines aligned to a parenthesis go in by many blanks; a level is at most eight.
    const step = indent.startsWith(before) ? indent.slice(before.length) : '';
    if (step === '\t' || /^ {2,8}$/.test(step)) counts.set(step, (counts.get(step) ?? 0) + 1);
    before = indent;
  }
  let best = '\t';
  for (const [step, count] of counts) if (count > (counts.get(best) ?? 0)) best = step;
  return best;
}

/**
 * Kernel code is written in eighty columns, and in a hundred where a driver has come to that. A tab
 * counts as eight.
 */
const WIDTHS = [80, 100] as const;
const TAB = 8;

/**
 * The columns that a line of a text may have, by its longest usual lines of code: 100 when three
 * lines of code in a hundred, and at least two, go
 * beyond 80 columns without going beyond 100; else 80. Lines of comments, preprocessor lines and
 * lines with a string do not count: they may be
 * longer anywhere.
 */
export function lineWidth(text: string): 80 | 100 {
  const [narrow, wide] = WIDTHS;
  let lines = 0;
  let long = 0;
  for (const line of text.split(/\r?\n/)) {
    if (!/\S/.test(line) || /^\s*(?:\/[*/]|\*|#)|"/.test(line)) continue;
    lines++;
    const width = columnsOf(withoutTail(line));
    if (width > narrow && width <= wide) long++;
  }
  return long >= 2 && long * 100 >= lines * 3 ? wide : narrow;
}

/** The columns that a line takes, or that `text` takes from column `from` on. */
export function columnsOf(text: string, from = 0): number {
  let column = from;
  for (const char of text)
    column = char === '\t' ? (Math.floor(column / TAB) + 1) * TAB : column + 1;
  return column;
}

/** A line without the comment that ends it. */
function withoutTail(line: string): string {
  const comment = line.search(/\/[*/]/);
  return comment < 0 ? line : line.slice(0, comment).trimEnd();
}
