/** What a change of a module added to what is reported of it. */
import type { Finding, Severity } from '../rules/types.ts';
import { countFindings } from './prove.ts';

type KeyOf = (finding: Finding) => string;

/** The loudest is 0. */
export const RANK: Readonly<Record<Severity, number>> = {
  error: 0,
  warning: 1,
  information: 2,
  hint: 3,
};

/**
 * The first finding of `now` that none of `earlier` had: for its key there are more findings at its
 * level or above than there were in any of
 * them. So a finding of any level counts, and one that has become louder is new. `keyNow` and
 * `keyThen` say what is the same thing in the two.
 */
export function firstNew(
  now: readonly Finding[],
  keyNow: KeyOf,
  earlier: readonly (readonly Finding[])[],
  keyThen: KeyOf,
): Finding | undefined {
  return now.find((finding) => {
    const key = keyNow(finding);
    const count = (findings: readonly Finding[], keyOf: KeyOf): number =>
      countFindings(asLoudAs(finding, findings), keyOf).get(key) ?? 0;
    return earlier.every((then) => count(now, keyNow) > count(then, keyThen));
  });
}

function asLoudAs({ severity }: Finding, findings: readonly Finding[]): Finding[] {
  return findings.filter((other) => RANK[other.severity] <= RANK[severity]);
}
