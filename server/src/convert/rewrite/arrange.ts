/** Arguments in parentheses, as many on a line as fit, with the comments that belong to them. */
import { columnsOf } from '../../text/style.ts';
import { largest } from '../../text/lists.ts';

/** An argument, and the comment that stands behind it. */
export interface Piece {
  readonly text: string;
  readonly comment?: string | undefined;
}

export interface Arrangement {
  /** Where the head begins. */
  readonly column: number;
  /**
   * What continuation lines begin with where they are not aligned to the parenthesis; it says
   * whether the document uses tabs.
   */
  readonly indent: string;
  readonly eol: string;
  readonly width: number;
  /** The first argument begins a line of its own, because it is too long behind the parenthesis. */
  readonly broken: boolean;
  /** The comments stand at one column, and not one blank behind their arguments. */
  readonly inColumn?: boolean | undefined;
}

/** `head(args)tail`, without what stands in front of it. */
export function arrange(
  head: string,
  pieces: readonly Piece[],
  tail: string,
  { column, indent, eol, width, broken, inColumn = true }: Arrangement,
): string {
  const open = columnsOf(`${head}(`, column);
  const blanks = broken ? indent : blanksTo(open, indent);
  const begin = columnsOf(blanks);
  const lines: { text: string; comment: string | undefined }[] = [];
  let line = '';
  pieces.forEach((piece, index) => {
    const last = index === pieces.length - 1;
    const text = last ? `${piece.text})${tail}` : `${piece.text},`;
    const room = piece.comment === undefined ? 0 : piece.comment.length + 1;
    const fits = line === '' || begin + line.length + 1 + text.length + room <= width;
    if (!fits) {
      lines.push({ text: line, comment: undefined });
      line = '';
    }
    line += line === '' ? text : ` ${text}`;
    if (piece.comment === undefined && !last) return;
    lines.push({ text: line, comment: piece.comment });
    line = '';
  });
  const first = broken ? `${head}(${eol}${blanks}` : `${head}(`;
  const behind = largest([
    ...lines.filter((one) => one.comment !== undefined).map((one) => begin + one.text.length),
    0,
  ]);
  const stop = (Math.floor(behind / 8) + 1) * 8;
  const commentOf = (text: string, comment: string | undefined): string => {
    if (comment === undefined) return '';
    return inColumn ? commentAt(comment, begin + text.length, stop, indent) : ` ${comment}`;
  };
  return first + lines.map((one) => one.text + commentOf(one.text, one.comment)).join(eol + blanks);
}

/** A comment at a column that all of them have, with the blanks in front of it. */
function commentAt(comment: string, from: number, to: number, indent: string): string {
  let blanks = '';
  while (columnsOf(blanks, from) < to) blanks += indent.startsWith(' ') ? ' ' : '\t';
  return blanks + comment;
}

function blanksTo(column: number, like: string): string {
  return like.startsWith(' ')
    ? ' '.repeat(column)
    : '\t'.repeat(Math.floor(column / 8)) + ' '.repeat(column % 8);
}

/** The columns of the widest line of a text that begins at a column. */
export function widest(text: string, from: number): number {
  return largest(text.split(/\r?\n/).map((line, index) => columnsOf(line, index === 0 ? from : 0)));
}
