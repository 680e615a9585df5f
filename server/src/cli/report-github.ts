/** The report that GitHub shows as annotations. */
import type { Finding, Severity } from '../rules/types.ts';
import type { CheckResult } from './check-result.ts';
import { createPlaces, type Places } from './places.ts';
import { printableLines } from './printable.ts';

type Kind = 'error' | 'warning' | 'notice';

/** A hint at a line that nobody has to change is noise in a review. */
const KINDS: Readonly<Record<Severity, Kind | null>> = {
  error: 'error',
  warning: 'warning',
  information: 'notice',
  hint: null,
};
const ORDER: readonly Kind[] = ['error', 'warning', 'notice'];

/** GitHub shows no more annotations of a kind for one step. */
const MOST = 10;

/**
 * Workflow commands, which GitHub shows as annotations of the changed lines; the gravest first. How
 * many GitHub leaves out is a notice in front of the others; they stand in the log of the step. Paths
 * are relative to the repository, as GitHub wants them, wherever in it the command ran. The path to
 * a finding follows its message, one line for each step.
 */
export function githubReport({ files, workspace }: CheckResult): string {
  const places = createPlaces();
  const findings = files.flatMap(({ analysis }) => analysis.findings);
  const groups = ORDER.map((kind) => findings.filter((one) => KINDS[one.severity] === kind));
  const hints = findings.filter((one) => KINDS[one.severity] === null).length;
  const leftOut = leftOutText(groups.map((group) => group.length));
  return [
    ...groups.flatMap((group, index) => [
      ...(ORDER[index] === 'notice' && leftOut !== '' ? [leftOut] : []),
      ...group.map((finding) => annotation(finding, ORDER[index]!, workspace, places)),
    ]),
    ...(hints === 0
      ? []
      : [
          `${hints} hint${hints === 1 ? ' has' : 's have'} no annotation; --format text shows them`,
        ]),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

/** The notice that tells it is one itself. */
function leftOutText(counts: readonly number[]): string {
  const more = counts.map((count) => Math.max(0, count - MOST));
  if (more.every((count) => count === 0)) return '';
  const notices = counts[ORDER.indexOf('notice')]!;
  const left = more.map((count, index) =>
    ORDER[index] === 'notice' ? Math.max(0, notices + 1 - MOST) : count,
  );
  const named = left.flatMap((count, index) =>
    count === 0 ? [] : [`${count} more ${ORDER[index]}${count === 1 ? '' : 's'}`],
  );
  return `::notice title=vfio-lifecycle::${data(`${named.join(', ')} in the log of this step: GitHub shows ${MOST} of each kind.`)}`;
}

function annotation(
  finding: Finding,
  kind: Kind,
  workspace: CheckResult['workspace'],
  { placeOf }: Places,
): string {
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
  const named = Object.entries(properties).map(
    ([name, value]) => `${name}=${property(String(value))}`,
  );
  return `::${kind} ${named.join(',')}::${data(message)}`;
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
