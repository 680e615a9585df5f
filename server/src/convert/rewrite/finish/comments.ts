/**
 * Comments that come to stand one below the other, because what stood between them has gone, become
 * one.
 */
import type { Edit } from '../../../text/span.ts';
import type { CommentIr } from '../../../ir/types.ts';
import { indentAt, lineStart, nextLine } from '../layout.ts';
import { columnsOf } from '../../../text/style.ts';
import { isTouched, type Change, type Pass } from './change.ts';

export const stackedComments: Pass = (change) => {
  const { text, comments } = change.after;
  const edits: Edit[] = [];
  const own = comments.filter((comment) => isAlone(text, comment));
  for (let at = 0; at < own.length;) {
    const run = [own[at]!];
    while (own[at + run.length] && isBelow(text, run.at(-1)!, own[at + run.length]!))
      run.push(own[at + run.length]!);
    at += run.length;
    const met = run.some(
      (comment, index) => index > 0 && !stoodTogether(change, run[index - 1]!, comment),
    );
    if (run.length < 2 || !met) continue;
    const span = { start: run[0]!.start, end: run.at(-1)!.end };
    if (isTouched(change, span) && run.every(isPlain))
      edits.push({
        span,
        newText: commentBlock(
          run.map((one) => one.text),
          indentAt(text, span.start),
          change,
        ),
      });
  }
  return edits;
};

/**
 * Block comments; those of documentation, and of lines that are switched off, are no part of a
 * text.
 */
function isPlain({ text }: CommentIr): boolean {
  return text.startsWith('/*') && !text.startsWith('/**');
}

function isAlone(text: string, comment: CommentIr): boolean {
  return (
    text.slice(lineStart(text, comment.start), comment.start).trim() === '' &&
    text.slice(comment.end, nextLine(text, comment.end)).trim() === ''
  );
}

function isBelow(text: string, first: CommentIr, second: CommentIr): boolean {
  return (
    lineStart(text, second.start) === nextLine(text, first.end) &&
    indentAt(text, first.start) === indentAt(text, second.start)
  );
}

function stoodTogether({ before, toBefore }: Change, first: CommentIr, second: CommentIr): boolean {
  const start = toBefore(first.start);
  const next = toBefore(second.start);
  const above = before.comments.find((comment) => comment.start === start);
  const below = before.comments.find((comment) => comment.start === next);
  return above !== undefined && below !== undefined && isBelow(before.text, above, below);
}

/**
 * Several comments as one, in the kernel's form, none of its lines too long. Each begins a line of
 * its own.
 */
export function commentBlock(
  texts: readonly string[],
  indent: string,
  { width, eol }: Pick<Change, 'width' | 'eol'>,
): string {
  const room = width - columnsOf(indent) - ' * '.length;
  const lines = texts.flatMap((text) => linesOf(text)).flatMap((line) => filled(line, room));
  return [
    '/*',
    ...lines.map((line) => `${indent} *${line === '' ? '' : ` ${line}`}`),
    `${indent} */`,
  ].join(eol);
}

/** The lines of a comment without its marks, and without empty ones at its ends. */
export function linesOf(text: string): string[] {
  const inner = text.startsWith('//') ? text.slice(2) : text.slice(2, -2);
  const lines = inner
    .split(/\r?\n/)
    .map((line, index) => (index === 0 ? line : line.replace(/^\s*\*? ?/, '')).trimEnd());
  lines[0] = lines[0]!.trimStart();
  while (lines.length > 1 && lines[0] === '') lines.shift();
  while (lines.length > 1 && lines.at(-1) === '') lines.pop();
  return lines;
}

/** A line as several that fit, cut between words. */
function filled(line: string, room: number): string[] {
  const result: string[] = [];
  let rest = line;
  while (rest.length > room) {
    const cut = rest.lastIndexOf(' ', room);
    if (cut <= 0) break;
    result.push(rest.slice(0, cut).trimEnd());
    rest = rest.slice(cut + 1);
  }
  return [...result, rest];
}
