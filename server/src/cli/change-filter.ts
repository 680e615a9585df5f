/**
 * Which findings a change has to answer for: those on lines that it added, those whose path runs
 * through such a line, and those that were not there before.
 */
import type { Finding } from '../rules/types.ts';
import { changedLines, splitLines, type LineChange } from '../text/diff.ts';
import { lineIndex, type LineIndex } from '../text/position.ts';
import type { ChangedFile } from './changed-files.ts';

/** The change as findings are held against it. */
export interface ChangeFilter {
  /** Whether a place of the finding is on a line that the change added. */
  isOnAddedLine(finding: Finding): boolean;
  /** Whether no changed file names the function any more: it went, or it has another name now. */
  isGone(functionName: string): boolean;
}

interface LinesOfFile {
  readonly lines: LineIndex;
  readonly changes: readonly LineChange[];
}

export function createChangeFilter(files: readonly ChangedFile[]): ChangeFilter {
  const known = new Map(
    files.map(({ path, before, after }): [string, LinesOfFile] => [
      path,
      {
        lines: lineIndex(after.text),
        changes: changedLines(splitLines(before), splitLines(after.text)),
      },
    ]),
  );
  const touches = ({ path, start, end }: Finding['site']): boolean => {
    const file = known.get(path);
    if (file === undefined) return false;
    const first = file.lines.position(start).line;
    const last = file.lines.position(end).line;
    return file.changes.some((one) => one.newStart <= last && first < one.newEnd);
  };
  return {
    isOnAddedLine: ({ site, related, jump, owed = [] }) =>
      [site, ...related.map((one) => one.site), ...(jump ? [jump] : []), ...owed].some(touches),
    isGone: (functionName) =>
      files.every((one) => !new RegExp(`\\b${functionName}\\b`).test(one.after.text)),
  };
}

/**
 * The findings that were not there before, by rule, function and message: what a change causes may
 * lie on lines that it did not touch, such as the return behind a put that it replaced. A function
 * that got another name keeps what was found in it.
 */
export function notBefore(
  before: readonly Finding[],
  after: readonly Finding[],
  isGone: ChangeFilter['isGone'],
): ReadonlySet<Finding> {
  const renamed = before.filter((one) => one.functionName != null && isGone(one.functionName));
  const kept = before.filter((one) => !renamed.includes(one));
  return new Set(withoutEqual(withoutEqual(after, kept, keyInFunction), renamed, keyOf));
}

/** The findings without one for each of the others that has the same key. */
function withoutEqual(
  findings: readonly Finding[],
  others: readonly Finding[],
  key: (finding: Finding) => string,
): Finding[] {
  const left = new Map<string, number>();
  for (const one of others) left.set(key(one), (left.get(key(one)) ?? 0) + 1);
  return findings.filter((one) => {
    const count = left.get(key(one)) ?? 0;
    left.set(key(one), count - 1);
    return count <= 0;
  });
}

const keyInFunction = (finding: Finding): string =>
  `${finding.functionName ?? ''}\n${keyOf(finding)}`;

function keyOf({ rule, message }: Finding): string {
  return `${rule}\n${message.replace(/\d+/g, '#')}`;
}
