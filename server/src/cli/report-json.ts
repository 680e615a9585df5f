/** The JSON report of `check`. */
import { exactFinding, jsonText, type JsonDiagnostic } from './json.ts';
import type { CheckResult } from './check-result.ts';
import { shownPath } from './workspace.ts';

/** The JSON contract of `check`, version 1: one object, its keys in this order. */
export function jsonReport(result: CheckResult): string {
  const { kernel, files, notAnalysed, problems, workspace, shown } = result;
  const summary = {
    files: files.length,
    functions: 0,
    error: 0,
    warning: 0,
    information: 0,
    hint: 0,
  };
  const listed: { path: string; kernel: string; diagnostics: JsonDiagnostic[] }[] = [];
  for (const { file, kernel: own, analysis } of files) {
    summary.functions += analysis.functions;
    for (const finding of analysis.findings) summary[finding.severity]++;
    listed.push({
      path: file.shown,
      kernel: own,
      diagnostics: analysis.findings.map((finding) => exactFinding(finding, workspace, shown)),
    });
  }
  const report = {
    version: 1,
    kernel,
    files: listed,
    notAnalysed: notAnalysed.map((one) => ({
      path: shown(one.path),
      function: one.function,
      reason: one.reason,
    })),
    problems: problems.map(({ path, message }) => ({ path: shownPath(path), message })),
    summary,
  };
  return jsonText(report);
}
