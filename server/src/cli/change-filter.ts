/**
 * Which findings a change has to answer for: those on lines that it added, those whose path runs
 * through such a line, and those that came where it took lines away.
 */
import type { Finding } from '../rules/types.ts';
import { changedLines, splitLines, type LineChange } from '../text/diff.ts';
import { lineIndex, type LineIndex } from '../text/position.ts';
import type { ChangedFile } from './changed-files.ts';

/** The change as findings are held against it. */
export interface ChangeFilter {
  /** Whether a place of the finding is on a line that the change added. */
  isOnAddedLine(finding: Finding): boolean;
  /** Whether the change took lines away and added none in their place, in this file. */
  takesAway(path: string): boolean;
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
    takesAway: (path) =>
      known.get(path)?.changes.some((one) => one.newStart === one.newEnd) === true,
  };
}

/**
 * The findings that were not there before, by rule, function and message: for what a change caused
 * by taking lines away.
 */
export function notBefore(
  before: readonly Finding[],
  after: readonly Finding[],
): ReadonlySet<Finding> {
  const left = new Map<string, number>();
  for (const one of before) left.set(keyOf(one), (left.get(keyOf(one)) ?? 0) + 1);
  return new Set(
    after.filter((one) => {
      const count = left.get(keyOf(one)) ?? 0;
      left.set(keyOf(one), count - 1);
      return count <= 0;
    }),
  );
}

function keyOf({ rule, functionName, message }: Finding): string {
  return `${rule}\n${functionName ?? ''}\n${message.replace(/\d+/g, '#')}`;
}
