/**
 * A line of source with a range in it, as a terminal shows both: tabs as wide as they are, nothing
 * that a terminal obeys.
 */
import { printable } from './printable.ts';

/**
 * A line to print, and where its range stands in it. Columns are those of the terminal, counted
 * from zero.
 */
export interface Snippet {
  readonly before: string;
  readonly range: string;
  readonly after: string;
  readonly column: number;
  /** At least 1. */
  readonly width: number;
}

const TAB = 8;
const CUT = '…';

/**
 * Characters that take two columns: East Asian scripts and pictures (Unicode's East Asian Width W
 * and F).
 */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
/** Characters that stand on the one before them. */
const COMBINING = /[\p{Mn}\p{Me}\u200b-\u200d\ufe00-\ufe0f]/u;

/**
 * @param line without its end.
 * @param start where the range begins, in UTF-16 code units.
 * @param end where it ends in this line; a range without width still shows where it is.
 * @param room how many columns there are, more than a few: what is longer is cut around the range.
 */
export function snippetOf(line: string, start: number, end: number, room: number): Snippet {
  // A line may have millions of characters: only what can be shown is looked at.
  const from = Math.max(0, start - room);
  const head = cellsOf(line.slice(from, start), 0);
  const range = cellsOf(line.slice(start, Math.min(end, start + room)), widthOf(head));
  const tail = cellsOf(
    line.slice(Math.max(start, Math.min(end, start + room)), Math.max(start, end) + room),
    widthOf(head) + widthOf(range),
  );
  const isWhole = from === 0 && widthOf(head) + widthOf(range) + widthOf(tail) <= room;
  if (isWhole) return textOf(head, range, tail);
  return cut(head, range, tail, room);
}

/**
 * Leaves out what does not fit: at first before the range, down to a third of the room, then behind
 * it.
 */
function cut(head: Cell[], range: Cell[], tail: Cell[], room: number): Snippet {
  const wanted = Math.max(Math.floor(room / 3), room - widthOf(range) - widthOf(tail) - 1);
  const shortHead = [...head];
  while (widthOf(shortHead) > wanted) shortHead.shift();
  if (shortHead.length < head.length) shortHead.unshift({ text: CUT, width: 1 });
  const left = room - widthOf(shortHead);
  if (widthOf(range) + widthOf(tail) <= left) return textOf(shortHead, range, tail);
  const shortRange = firstCells(range, left - 1);
  const shortTail = firstCells(tail, left - 1 - widthOf(shortRange));
  return textOf(shortHead, shortRange, [
    ...(shortRange.length < range.length ? [] : shortTail),
    { text: CUT, width: 1 },
  ]);
}

/** The first cells that fit. */
function firstCells(cells: readonly Cell[], room: number): Cell[] {
  const kept: Cell[] = [];
  let left = room;
  for (const cell of cells) {
    if (cell.width > left) break;
    kept.push(cell);
    left -= cell.width;
  }
  return kept;
}

interface Cell {
  readonly text: string;
  readonly width: number;
}

/** @param column where the text begins: a tab reaches to the next multiple of eight. */
function cellsOf(text: string, column: number): Cell[] {
  const cells: Cell[] = [];
  let at = column;
  for (const char of text) {
    const cell = char === '\t' ? blank(TAB - (at % TAB)) : cellOf(char);
    cells.push(cell);
    at += cell.width;
  }
  return cells;
}

function blank(width: number): Cell {
  return { text: ' '.repeat(width), width };
}

function cellOf(char: string): Cell {
  const text = printable(char);
  if (text !== char) return { text, width: text.length };
  if (COMBINING.test(char)) return { text, width: 0 };
  return { text, width: WIDE.test(char) ? 2 : 1 };
}

function widthOf(cells: readonly Cell[]): number {
  return cells.reduce((sum, cell) => sum + cell.width, 0);
}

function textOf(head: readonly Cell[], range: readonly Cell[], tail: readonly Cell[]): Snippet {
  const joined = (cells: readonly Cell[]): string => cells.map((cell) => cell.text).join('');
  return {
    before: joined(head),
    range: joined(range),
    after: joined(tail),
    column: widthOf(head),
    width: Math.max(1, widthOf(range)),
  };
}
