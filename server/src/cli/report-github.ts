import type { Severity } from '../rules/types.ts';
import type { CheckResult } from './check.ts';
import { createPlaces } from './places.ts';
import { printableLines } from './printable.ts';

const COMMANDS: Readonly<Record<Severity, 'error' | 'warning' | 'notice'>> = {
  error: 'error',
  warning: 'warning',
  information: 'notice',
  hint: 'notice',
};

/**
 * Workflow commands, which GitHub shows as annotations of the changed lines. Paths are relative to
 * the repository, as GitHub wants
 * them, wherever in it the command ran. The path to a finding follows its message, one line for
 * each step.
 */
export function githubReport({ files, workspace }: CheckResult): string {
  const { placeOf } = createPlaces();
  const lines: string[] = [];
  for (const { analysis } of files) {
    for (const finding of analysis.findings) {
      const { site } = finding;
      const table = workspace.lines(site.path);
      const start = table.position(site.start);
      const end = table.position(site.end);
      const properties = {
        file: placeOf(site.path).path,
        line: start.line + 1,
        endLine: end.line + 1,
        // GitHub takes columns only for a place within one line.
        ...(start.line === end.line && { col: start.character + 1, endColumn: end.character + 1 }),
        title: finding.rule,
      };
      const message = [
        finding.message,
        ...finding.related.map(
          (one) =>
            `${placeOf(one.site.path).path}:${workspace.lines(one.site.path).position(one.site.start).line + 1}: ${one.message}`,
        ),
      ].join('\n');
      lines.push(
        `::${COMMANDS[finding.severity]} ${Object.entries(properties)
          .map(([name, value]) => `${name}=${property(String(value))}`)
          .join(',')}::${data(message)}\n`,
      );
    }
  }
  return lines.join('');
}

/** A line break would end the command, and what follows it could be another one. */
function data(text: string): string {
  return printableLines(text)
    .replaceAll('%', '%25')
    .replaceAll('\r', '%0D')
    .replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
