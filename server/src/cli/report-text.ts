import type { Span } from '../text/span.ts';
import type { CheckResult } from './check.ts';
import { printable } from './printable.ts';
import { onOneLine } from '../text/lexical.ts';

/**
 * The compilers' form, which editors and CI systems parse: `file:line:column: severity: message [rule]`, notes after it. What was not analysed
 * is a note too: without it a clean report would say more than is known.
 */
export function textReport({ files, workspace, shown }: CheckResult): string {
  const lines: string[] = [];
  const place = (path: string, span: Span): string => {
    const { line, character } = workspace.lines(path).position(span.start);
    return `${printable(shown(path))}:${line + 1}:${character + 1}`;
  };
  for (const { analysis } of files) {
    for (const finding of analysis.findings) {
      lines.push(`${place(finding.site.path, finding.site)}: ${finding.severity}: ${oneLine(finding.message)} [${finding.rule}]`);
      for (const { site, message } of finding.related) lines.push(`${place(site.path, site)}: note: ${oneLine(message)}`);
    }
    for (const { path, function: name, start = 0, reason } of analysis.notAnalysed) {
      const what = name === '' ? 'the file' : `${name}()`;
      lines.push(`${place(path, { start, end: start })}: note: ${what} was not analysed: ${oneLine(reason)} [not-analysed]`);
    }
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/** A message never breaks the form, whatever names it quotes. */
function oneLine(message: string): string {
  return printable(onOneLine(message));
}
