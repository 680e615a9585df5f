/** What makes a finding the same one in a later version of its file. */
import { createHash } from 'node:crypto';
import type { Finding, Severity } from '../rules/types.ts';
import type { Span } from '../text/span.ts';
import { withoutComments } from '../text/lexical.ts';
import type { Workspace } from './workspace.ts';

/** The names of fingerprints: another way of making them has another version. */
export const FINGERPRINT = 'vfioLifecycle/v2';
export const FIRST_FINGERPRINT = 'vfioLifecycle/v1';

/** How grave a finding is, as reports and job statuses tell them apart. */
export type SeverityClass = 'error' | 'warning' | 'note';

const CLASSES: Readonly<Record<Severity, SeverityClass>> = {
  error: 'error',
  warning: 'warning',
  information: 'note',
  hint: 'note',
};

/** A finding without the place where it stands today: neither file, function nor lines. */
export interface Identity {
  readonly severity: SeverityClass;
  /**
   * 16 hexadecimal digits over the rule, the text of the flagged lines, and the texts of what
   * decides that a path comes there: the condition in front of it, the call whose result is tested.
   * Blanks and comments do not count, nor does the name of the function itself.
   */
  readonly text: string;
  /** 8 hexadecimal digits for each thing that the place owes, sorted: the text of its taking. */
  readonly owed: readonly string[];
}

export function identityOf(finding: Finding, workspace: Workspace): Identity {
  const { site, decidedBy = [], owed = [], functionName } = finding;
  const texts = [
    linesOf(site.path, site, workspace),
    ...decidedBy.map(({ start, end }) => textOf(site.path, workspace).slice(start, end)),
  ];
  const taken = owed.map((one) => digest([codeOf(linesOf(one.path, one, workspace))], 8));
  return {
    severity: CLASSES[finding.severity],
    text: digest([finding.rule, ...texts.map((text) => codeOf(text, functionName))], 16),
    owed: [...new Set(taken)].sort(),
  };
}

/**
 * The identity together with the place, for reports whose readers compare nothing else. Lines that
 * move, and code that changes around it, leave it as it is.
 * @param path the file as every checkout names it: relative, with `/`.
 * @returns 16 hexadecimal digits.
 */
export function fingerprintOf(finding: Finding, path: string, workspace: Workspace): string {
  return fingerprintAt(path, finding.functionName, identityOf(finding, workspace));
}

/** The same for an identity that is known without its finding. */
export function fingerprintAt(
  path: string,
  functionName: string | null,
  { severity, text, owed }: Identity,
): string {
  return digest([path, functionName ?? '', severity, text, ...owed], 16);
}

/**
 * The fingerprint that baselines of version 1 have: rule, file, function and the text of the
 * flagged lines.
 */
export function firstFingerprint(
  finding: Finding,
  path: string,
  functionName: string | null,
  workspace: Workspace,
): string {
  const code = codeOf(linesOf(finding.site.path, finding.site, workspace));
  return digest([finding.rule, path, functionName ?? '', code], 16);
}

/** A short name for texts; two lists have the same only where they are the same. */
export function digest(texts: readonly string[], length: number): string {
  return createHash('sha256').update(texts.join('\0')).digest('hex').slice(0, length);
}

/** The whole lines that a span is in. */
function linesOf(path: string, { start, end }: Span, workspace: Workspace): string {
  const lines = workspace.lines(path);
  return textOf(path, workspace).slice(
    lines.lineStart(lines.position(start).line),
    lines.offset({ line: lines.position(end).line, character: Infinity }),
  );
}

function textOf(path: string, workspace: Workspace): string {
  return workspace.original(path).text;
}

/**
 * Code without its blanks and comments.
 * @param name a function whose name does not count: what stands there stays when it is renamed.
 */
function codeOf(text: string, name: string | null = null): string {
  return withoutComments(text)
    .replace(/\w+/g, (word) => (word === name ? '()' : word))
    .replace(/\s+/g, '');
}
