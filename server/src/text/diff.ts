/** Lines around a change that a hunk shows, as in git. */
const CONTEXT = 3;
/**
 * With more changed lines than this the middle is shown as replaced; a bound on memory (D² / 2
 * numbers) and time.
 */
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
export function unifiedDiff(path: string, before: string, after: string): string {
  if (before === after) return '';
  const oldLines = splitLines(before);
  const newLines = splitLines(after);
  const changes = changedLines(oldLines, newLines);
  const out = [`--- ${fileName('a', path)}\n+++ ${fileName('b', path)}\n`];
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
  const ids = new Map<string, number>();
  const numbers = (lines: readonly string[]): Int32Array =>
    Int32Array.from(lines.slice(head, lines.length - tail), (line) => {
      const known = ids.get(line);
      if (known === undefined) ids.set(line, ids.size);
      return known ?? ids.size - 1;
    });
  return myers(numbers(before), numbers(after)).map((change) => ({
    oldStart: change.oldStart + head,
    oldEnd: change.oldEnd + head,
    newStart: change.newStart + head,
    newEnd: change.newEnd + head,
  }));
}

/** The furthest old line on a diagonal, one change after `previous`. */
function furthest(previous: Int32Array, diagonal: number, depth: number): number {
  return isInsertion(previous, diagonal, depth)
    ? previous[diagonal + 1 + depth - 1]!
    : previous[diagonal - 1 + depth - 1]! + 1;
}

/** Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), the greedy form. */
function myers(left: Int32Array, right: Int32Array): LineChange[] {
  if (left.length === 0 && right.length === 0) return [];
  const whole: LineChange = { oldStart: 0, oldEnd: left.length, newStart: 0, newEnd: right.length };
  if (left.length === 0 || right.length === 0) return [whole];
  const most = Math.min(MAX_DISTANCE, left.length + right.length);
  /** For each number of changes d the furthest x on the diagonals -d … d; diagonal k + d. */
  const trace: Int32Array[] = [];
  for (let depth = 0; depth <= most; depth++) {
    const previous = trace[depth - 1];
    const current = new Int32Array(2 * depth + 1);
    trace.push(current);
    for (let diagonal = -depth; diagonal <= depth; diagonal += 2) {
      let oldAt = previous === undefined ? 0 : furthest(previous, diagonal, depth);
      let newAt = oldAt - diagonal;
      while (oldAt < left.length && newAt < right.length && left[oldAt] === right[newAt]) {
        oldAt++;
        newAt++;
      }
      current[diagonal + depth] = oldAt;
      if (oldAt >= left.length && newAt >= right.length)
        return backtrack(trace, left.length, right.length);
    }
  }
  return [whole];
}

/**
 * Whether the best way to diagonal k with d changes comes from the diagonal above, by inserting a
 * line.
 */
function isInsertion(previous: Int32Array, diagonal: number, depth: number): boolean {
  return (
    diagonal === -depth ||
    (diagonal !== depth &&
      previous[diagonal - 1 + depth - 1]! < previous[diagonal + 1 + depth - 1]!)
  );
}

function backtrack(
  trace: readonly Int32Array[],
  oldLength: number,
  newLength: number,
): LineChange[] {
  const changes: LineChange[] = [];
  let oldAt = oldLength;
  let newAt = newLength;
  for (let depth = trace.length - 1; depth > 0; depth--) {
    const previous = trace[depth - 1]!;
    const diagonal = oldAt - newAt;
    const insertion = isInsertion(previous, diagonal, depth);
    const from = insertion ? diagonal + 1 : diagonal - 1;
    const fromOld = previous[from + depth - 1]!;
    const fromNew = fromOld - from;
    // The change, then lines that are equal; changes without equal lines between them are one.
    const change = {
      oldStart: fromOld,
      oldEnd: insertion ? fromOld : fromOld + 1,
      newStart: fromNew,
      newEnd: insertion ? fromNew + 1 : fromNew,
    };
    const next = changes[changes.length - 1];
    if (next !== undefined && next.oldStart === change.oldEnd && next.newStart === change.newEnd) {
      changes[changes.length - 1] = {
        oldStart: change.oldStart,
        oldEnd: next.oldEnd,
        newStart: change.newStart,
        newEnd: next.newEnd,
      };
    } else {
      changes.push(change);
    }
    oldAt = fromOld;
    newAt = fromNew;
  }
  return changes.reverse();
}
