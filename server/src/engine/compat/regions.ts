/** Which lines of a text differ in some of its variants, as ranges that cut no statement. */
import { isSameList } from '../../text/lists.ts';
import { changedLines, type LineChange } from '../../text/diff.ts';
import type { Lines, Units } from './units.ts';

/** A text with what may be cut in it. */
export interface Side {
  readonly lines: readonly string[];
  readonly units: Units;
}

/** A range of lines of the first text, and what it is in each of the others. */
export interface Region extends Lines {
  readonly variants: readonly Lines[];
}

interface Compared extends Side {
  readonly changes: readonly LineChange[];
}

/** Common lines between two differences that are rather repeated than left between two arms. */
const NEAR = 2;
const MAX_ROUNDS = 100;

/**
 * The regions in which the variants differ from the first text, sorted and apart. Null where they
 * do not settle.
 * @param sizeOf the lines that a region has with its arms: two are one where that is shorter.
 */
export function regionsOf(
  first: Side,
  others: readonly Side[],
  sizeOf: (region: Region) => number,
): readonly Region[] | null {
  const compared = others.map((side): Compared => ({
    ...side,
    changes: changedLines(first.lines, side.lines),
  }));
  let ranges = joinTouching(
    compared.flatMap(({ changes }) =>
      changes.map((one) => ({ start: one.oldStart, end: one.oldEnd })),
    ),
  );
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const wider = joinNear(
      joinTouching(ranges.map((range) => widened(range, first, compared))),
      first,
      compared,
      sizeOf,
    );
    if (sameRanges(ranges, wider)) return ranges.map((range) => regionOf(range, compared));
    ranges = wider;
  }
  return null;
}

function regionOf(range: Lines, compared: readonly Compared[]): Region {
  return { ...range, variants: compared.map((side) => inVariant(range, side)) };
}

/** A range, grown until it cuts nothing in any of the texts. */
function widened(range: Lines, first: Side, compared: readonly Compared[]): Lines {
  let { start, end } = first.units.whole(range);
  for (const side of compared) {
    const there = side.units.whole(inVariant({ start, end }, side));
    start = Math.min(start, inFirst(there.start, side, 'start'));
    end = Math.max(end, inFirst(there.end, side, 'end'));
  }
  return { start, end };
}

/** The lines of a variant that a range has become, with every difference that touches it. */
function inVariant({ start, end }: Lines, { changes }: Compared): Lines {
  const shift = (isBefore: (one: LineChange) => boolean): number =>
    changes
      .filter(isBefore)
      .reduce((sum, one) => sum + one.newEnd - one.newStart - (one.oldEnd - one.oldStart), 0);
  return {
    start: start + shift((one) => one.oldEnd < start),
    end: end + shift((one) => one.oldEnd <= end),
  };
}

/** The line of the first text that a line of a variant comes from. */
function inFirst(line: number, { changes }: Compared, side: 'start' | 'end'): number {
  let shift = 0;
  for (const one of changes) {
    if (one.newStart > line) break;
    if (line < one.newEnd || (line === one.newEnd && side === 'start' && one.newStart === line))
      return side === 'start' ? one.oldStart : one.oldEnd;
    if (line === one.newStart && line === one.newEnd) return one.oldStart;
    shift += one.newEnd - one.newStart - (one.oldEnd - one.oldStart);
  }
  return line - shift;
}

function joinTouching(ranges: readonly Lines[]): Lines[] {
  const result: Lines[] = [];
  for (const range of [...ranges].sort((left, right) => left.start - right.start)) {
    const before = result.at(-1);
    if (before !== undefined && range.start <= before.end)
      result[result.length - 1] = { start: before.start, end: Math.max(before.end, range.end) };
    else result.push(range);
  }
  return result;
}

/** Joins two ranges with a few lines between them, where that cuts nothing and is not longer. */
function joinNear(
  ranges: readonly Lines[],
  first: Side,
  compared: readonly Compared[],
  sizeOf: (region: Region) => number,
): Lines[] {
  const size = (range: Lines): number => sizeOf(regionOf(range, compared));
  const result: Lines[] = [];
  for (const range of ranges) {
    const before = result.at(-1);
    const both = before && { start: before.start, end: range.end };
    const gap = before ? range.start - before.end : Infinity;
    const isShorter = both && gap <= NEAR && size(both) <= size(before) + gap + size(range);
    if (isShorter && isWhole(both, first, compared)) result[result.length - 1] = both;
    else result.push(range);
  }
  return result;
}

function isWhole(range: Lines, first: Side, compared: readonly Compared[]): boolean {
  const { start, end } = widened(range, first, compared);
  return start === range.start && end === range.end;
}

function sameRanges(left: readonly Lines[], right: readonly Lines[]): boolean {
  return isSameList(
    left,
    right,
    (one, other) => one.start === other.start && one.end === other.end,
  );
}
