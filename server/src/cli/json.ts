/** Findings as JSON: what the reports for programs share. */
import type { Finding, Severity } from '../rules/types.ts';
import type { Span } from '../text/span.ts';
import { HIDDEN_BUT_LINE_ENDS } from './printable.ts';
import type { Workspace } from './workspace.ts';

export interface JsonPosition {
  readonly line: number;
  readonly character: number;
}
/** Zero-based, UTF-16, end exclusive: as in the language server protocol. */
export interface JsonRange {
  readonly start: JsonPosition;
  readonly end: JsonPosition;
}

export interface JsonDiagnostic {
  readonly rule: string;
  readonly severity: Severity;
  readonly message: string;
  readonly function: string | null;
  readonly range: JsonRange;
  readonly related: readonly {
    readonly path: string;
    readonly range: JsonRange;
    readonly message: string;
  }[];
  readonly fix: 'safe' | 'unsafe' | 'none';
}

export function exactFinding(
  finding: Finding,
  workspace: Workspace,
  shown: (path: string) => string,
): JsonDiagnostic {
  return {
    rule: finding.rule,
    severity: finding.severity,
    message: finding.message,
    function: finding.functionName,
    range: rangeIn(workspace, finding.site.path, finding.site),
    related: finding.related.map(({ site, message }) => ({
      path: shown(site.path),
      range: rangeIn(workspace, site.path, site),
      message,
    })),
    fix: finding.fix?.safety ?? 'none',
  };
}

/**
 * A value as JSON for a file or a terminal: nothing in it that a terminal obeys, and a line end
 * behind it.
 */
export function jsonText(value: unknown): string {
  const escape = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return `${JSON.stringify(value, null, 2).replace(HIDDEN_BUT_LINE_ENDS, escape)}\n`;
}

/** The range of a span of the file as it is on the disk. */
export function rangeIn(workspace: Workspace, path: string, span: Span): JsonRange {
  const lines = workspace.lines(path);
  return { start: lines.position(span.start), end: lines.position(span.end) };
}
