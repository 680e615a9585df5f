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
 * One level of indentation of a text: a tab, or the number of blanks by which indented lines most often go further in than the line before.
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
