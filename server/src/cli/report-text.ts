/**
 * The compilers' form, which editors and CI systems parse: `file:line:column: severity: message
 * [rule]`. The long form shows the source below it and
 * the steps of the path, indented, and ends with the sum; the short form has a line for each. What
 * was not analysed is a note too: without it
 * a clean report would say more than is known.
 */
import type { NotAnalysed } from '../engine/types.ts';
import type { Finding, Severity } from '../rules/types.ts';
import { append } from '../text/lists.ts';
import { onOneLine } from '../text/lexical.ts';
import type { Span } from '../text/span.ts';
import type { CheckResult } from './check-result.ts';
import { printable } from './printable.ts';
import { snippetOf } from './snippet.ts';
import { PLAIN, type Style } from './style.ts';

/** Where there is no terminal, a longer line is cut. */
const WIDEST = 160;
/** What stands before the source: the number of its line and a bar. */
const GUTTER = 5;
const INDENT = '    ';

/** What the long form needs beside the findings. */
export interface TextOptions {
  readonly style: Style;
  /** The web address of the folder of the rules' pages. */
  readonly rulePages: string | undefined;
}

/** One line for each finding, each step and each function that was not analysed. */
export function shortReport(result: CheckResult): string {
  const lines: string[] = [];
  for (const { analysis } of result.files) {
    for (const finding of analysis.findings) {
      lines.push(findingLine(result, finding, PLAIN, undefined));
      append(lines, stepLines(result, finding, PLAIN));
    }
    for (const one of analysis.notAnalysed) lines.push(notAnalysedLine(result, one, PLAIN));
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** The form for people. Nothing where nothing was found. */
export function textReport(result: CheckResult, { style, rulePages }: TextOptions): string {
  const lines: string[] = [];
  for (const { analysis } of result.files) {
    for (const finding of analysis.findings) {
      const page = rulePages && `${rulePages}${finding.rule}.md`;
      lines.push(findingLine(result, finding, style, page));
      append(lines, sourceLines(result, finding, style));
      append(
        lines,
        stepLines(result, finding, style).map((line) => `${INDENT}${line}`),
      );
    }
    for (const one of analysis.notAnalysed) lines.push(notAnalysedLine(result, one, style));
  }
  if (result.files.some(({ analysis }) => analysis.findings.length > 0))
    lines.push(sumLine(result, style));
  return lines.map((line) => `${line}\n`).join('');
}

/** `6 errors, 2 warnings in 3 of 71 files (4 fixable with ...)`. */
export function sumText(result: CheckResult): string {
  const found = result.files.flatMap(({ analysis }) => analysis.findings);
  const counts = SEVERITIES.map(([severity, one, many]) => {
    const count = found.filter((finding) => finding.severity === severity).length;
    return count === 0 ? [] : [`${count} ${count === 1 ? one : many}`];
  });
  const withFindings = result.files.filter(({ analysis }) => analysis.findings.length > 0).length;
  const all = result.files.length;
  const fixable = found.filter((finding) => finding.fix?.safety === 'safe').length;
  const remedies = [
    ...(fixable > 0 ? [`${fixable} fixable with \`vfio-lifecycle fix\``] : []),
    ...(found.some(({ rule }) => rule === 'removed-api')
      ? ['`vfio-lifecycle convert` replaces what was removed']
      : []),
  ];
  const hint = remedies.length > 0 ? ` (${remedies.join('; ')})` : '';
  const counted = found.length === 0 ? 'nothing found' : counts.flat().join(', ');
  return `${counted} in ${found.length === 0 ? '' : `${withFindings} of `}${all} file${all === 1 ? '' : 's'}${hint}`;
}

const SEVERITIES: readonly (readonly [Severity, one: string, many: string])[] = [
  ['error', 'error', 'errors'],
  ['warning', 'warning', 'warnings'],
  ['information', 'information', 'information'],
  ['hint', 'hint', 'hints'],
];

function sumLine(result: CheckResult, style: Style): string {
  return style.paint('strong', sumText(result));
}

function findingLine(
  result: CheckResult,
  finding: Finding,
  style: Style,
  page: string | undefined,
): string {
  const { severity, message, rule, site } = finding;
  const name = style.link(rule, page);
  return `${placeText(result, site.path, site, style)} ${style.paint(severity, `${severity}:`)} ${oneLine(message)} [${name}]`;
}

function stepLines(result: CheckResult, finding: Finding, style: Style): string[] {
  return finding.related.map(({ site, message }) =>
    noteLine(result, site.path, site, message, style),
  );
}

function notAnalysedLine(result: CheckResult, one: NotAnalysed, style: Style): string {
  const { path, start = 0, reason } = one;
  return noteLine(
    result,
    path,
    { start, end: start },
    `${notAnalysedName(one)} was not analysed: ${reason} [not-analysed]`,
    style,
  );
}

/** What it is that was not analysed: a function, or the file or a part of it. */
export function notAnalysedName({ function: name, start = 0 }: NotAnalysed): string {
  if (name !== '') return `${name}()`;
  return start === 0 ? 'the file' : 'a part of the file';
}

function noteLine(
  result: CheckResult,
  path: string,
  span: Span,
  message: string,
  style: Style,
): string {
  return `${placeText(result, path, span, style)} ${style.paint('note', 'note:')} ${oneLine(message)}`;
}

/** `file:line:column:`, counted from one, the column in UTF-16 code units. */
function placeText(
  { workspace, shown }: CheckResult,
  path: string,
  span: Span,
  style: Style,
): string {
  const { line, character } = workspace.lines(path).position(span.start);
  return style.paint('place', `${printable(shown(path))}:${line + 1}:${character + 1}:`);
}

/** The line of a finding with a caret below where it begins and a tilde below the rest of it. */
function sourceLines({ workspace }: CheckResult, { site }: Finding, style: Style): string[] {
  const lines = workspace.lines(site.path);
  const { line, character } = lines.position(site.start);
  const end = lines.position(site.end);
  const source = lineText(workspace.original(site.path).text, lines.lineStart(line));
  const until = end.line === line ? end.character : source.trimEnd().length;
  const number = String(line + 1).padStart(GUTTER);
  const room = Math.max(20, (style.columns ?? WIDEST) - number.length - 3);
  const shown = snippetOf(source, character, until, room);
  const mark = `^${'~'.repeat(shown.width - 1)}`;
  return [
    `${style.paint('faint', `${number} |`)} ${shown.before}${style.paint('range', shown.range)}${shown.after.trimEnd()}`.trimEnd(),
    `${style.paint('faint', `${' '.repeat(number.length)} |`)} ${' '.repeat(shown.column)}${style.paint('range', mark)}`,
  ];
}

/** The line that begins at an offset, without its end. */
function lineText(text: string, start: number): string {
  const end = /[\r\n]/g;
  end.lastIndex = start;
  return text.slice(start, end.exec(text)?.index ?? text.length);
}

/** A message never breaks the form, whatever names it quotes. */
function oneLine(message: string): string {
  return printable(onOneLine(message));
}
