/** The report for the Code Quality widget of GitLab. */
import { createHash } from 'node:crypto';
import type { Severity } from '../rules/types.ts';
import type { CheckResult } from './check-result.ts';
import { fingerprintOf } from './fingerprint.ts';
import { createPlaces } from './places.ts';
import { jsonText } from './json.ts';

const SEVERITIES: Readonly<Record<Severity, 'critical' | 'major' | 'minor' | 'info'>> = {
  error: 'critical',
  warning: 'major',
  information: 'minor',
  hint: 'info',
};

/**
 * GitLab's Code Quality report, a part of Code Climate's: what the widget of a merge request
 * compares with the target branch.
 */
export function gitlabReport({ files, workspace }: CheckResult): string {
  const { placeOf } = createPlaces();
  const seen = new Map<string, number>();
  const issues = files.flatMap(({ analysis }) =>
    analysis.findings.map((finding) => {
      const { path } = placeOf(finding.site.path);
      const lines = workspace.lines(finding.site.path);
      const print = fingerprintOf(finding, path, workspace);
      const count = seen.get(print) ?? 0;
      seen.set(print, count + 1);
      return {
        type: 'issue',
        check_name: finding.rule,
        description: finding.message,
        categories: ['Bug Risk'],
        severity: SEVERITIES[finding.severity],
        // GitLab shows one issue for each fingerprint.
        fingerprint:
          count === 0
            ? print
            : createHash('sha256').update(`${print}\0${count}`).digest('hex').slice(0, 16),
        location: {
          path,
          lines: {
            begin: lines.position(finding.site.start).line + 1,
            end: lines.position(finding.site.end).line + 1,
          },
        },
      };
    }),
  );
  return jsonText(issues);
}
