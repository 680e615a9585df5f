/**
 * Unified diffs. What differs is found by the library `diff`; hunks are written here, because git's
 * headings, the quotes of its names and the bytes of lines without an end are its own.
 */
import { diffArrays, type ChangeObject } from 'diff';

/** Lines around a change that a hunk shows, as in git. */
const CONTEXT = 3;
/** With more changed lines than this the middle is shown as replaced: a bound on memory and time. */
const MAX_DISTANCE = 1500;

/**
 * A stretch of lines that is replaced: [oldStart, oldEnd) by [newStart, newEnd), zero-based lines.
 */
export interface LineChange {
  readonly oldStart: number;
  readonly oldEnd: number;
  readonly newStart: number;
  readonly newEnd: number;
}

/**
 * The difference of two texts as a unified diff that `git apply` and `patch -p1` take; empty when
 * they are equal. Lines end with
 * LF; a CR before it is part of the line and is kept.
 * @param path relative, with `/`, without the prefix a/ or b/.
 */
export function unifiedDiff(path: string, before: string | undefined, after: string): string {
  if (before === after) return '';
  const oldLines = splitLines(before ?? '');
  const newLines = splitLines(after);
  const changes = changedLines(oldLines, newLines);
  const old = before === undefined ? '/dev/null' : fileName('a', path);
  const out = [`--- ${old}\n+++ ${fileName('b', path)}\n`];
  for (let from = 0; from < changes.length;) {
    let to = from + 1;
    while (to < changes.length && changes[to]!.oldStart - changes[to - 1]!.oldEnd <= 2 * CONTEXT)
      to++;
    out.push(hunk(changes.slice(from, to), oldLines, newLines));
    from = to;
  }
  return out.join('');
}

function hunk(
  changes: readonly LineChange[],
  oldLines: readonly string[],
  newLines: readonly string[],
): string {
  const first = changes[0]!;
  const last = changes[changes.length - 1]!;
  const lead = Math.min(CONTEXT, first.oldStart);
  const trail = Math.min(CONTEXT, oldLines.length - last.oldEnd);
  const oldStart = first.oldStart - lead;
  const newStart = first.newStart - lead;
  const out: string[] = [];
  let at = oldStart;
  const copy = (sign: string, lines: readonly string[], from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      const line = lines[i]!;
      out.push(sign, line, line.endsWith('\n') ? '' : '\n\\ No newline at end of file\n');
    }
  };
  for (const change of changes) {
    copy(' ', oldLines, at, change.oldStart);
    copy('-', oldLines, change.oldStart, change.oldEnd);
    copy('+', newLines, change.newStart, change.newEnd);
    at = change.oldEnd;
  }
  copy(' ', oldLines, at, last.oldEnd + trail);
  const ranges = `-${range(oldStart, last.oldEnd + trail)} +${range(newStart, last.newEnd + trail)}`;
  return `@@ ${ranges} @@${heading(oldLines, oldStart)}\n${out.join('')}`;
}

/** One-based first line and count; of an empty range the line before it. */
function range(start: number, end: number): string {
  const count = end - start;
  return count === 1 ? `${start + 1}` : `${count === 0 ? start : start + 1},${count}`;
}

/**
 * The last line before a hunk that starts with a name, which in C is the function that the hunk is
 * in.
 */
function heading(lines: readonly string[], before: number): string {
  for (let i = before - 1; i >= 0; i--) {
    if (/^[A-Za-z_$]/.test(lines[i]!)) return ` ${lines[i]!.slice(0, 80).trimEnd()}`;
  }
  return '';
}

/**
 * A name as git writes it: quoted when it has control characters, quotes or non-ASCII letters,
 * ended by a tab when it has blanks.
 */
function fileName(prefix: string, path: string): string {
  const name = `${prefix}/${path}`;
  if (!/[^ -~]|["\\]/.test(name)) return name.includes(' ') ? `${name}\t` : name;
  let quoted = '';
  for (const byte of new TextEncoder().encode(name)) {
    if (byte === 0x22 || byte === 0x5c) quoted += `\\${String.fromCharCode(byte)}`;
    else if (byte < 0x20 || byte > 0x7e) quoted += `\\${byte.toString(8).padStart(3, '0')}`;
    else quoted += String.fromCharCode(byte);
  }
  return `"${quoted}"`;
}

/** The lines of a text with their LF; no empty last line. */
export function splitLines(text: string): string[] {
  const lines: string[] = [];
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline + 1;
    lines.push(text.slice(start, end));
    start = end;
  }
  return lines;
}

/**
 * What has to be replaced to turn one list of lines into the other: sorted, never touching each
 * other, as few lines as possible.
 */
export function changedLines(before: readonly string[], after: readonly string[]): LineChange[] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head++;
  let tail = 0;
  while (
    tail < shorter - head &&
    before[before.length - 1 - tail] === after[after.length - 1 - tail]
  )
    tail++;
  const middle = diffArrays(
    before.slice(head, before.length - tail),
    after.slice(head, after.length - tail),
    { maxEditLength: MAX_DISTANCE },
  );
  if (middle === undefined) {
    const ends = { oldEnd: before.length - tail, newEnd: after.length - tail };
    return [{ oldStart: head, newStart: head, ...ends }];
  }
  return changesOf(middle, head);
}

/** The stretches that were replaced: what is removed and added side by side is one. */
function changesOf(parts: readonly ChangeObject<unknown>[], from: number): LineChange[] {
  const changes: LineChange[] = [];
  let oldAt = from;
  let newAt = from;
  for (const { count, added, removed } of parts) {
    const oldEnd = added ? oldAt : oldAt + count;
    const newEnd = removed ? newAt : newAt + count;
    const last = changes.at(-1);
    if (added || removed) {
      const follows = last?.oldEnd === oldAt && last.newEnd === newAt;
      if (follows) changes[changes.length - 1] = { ...last, oldEnd, newEnd };
      else changes.push({ oldStart: oldAt, oldEnd, newStart: newAt, newEnd });
    }
    oldAt = oldEnd;
    newAt = newEnd;
  }
  return changes;
}
