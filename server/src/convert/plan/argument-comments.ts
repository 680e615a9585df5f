/**
 * The comments on the arguments of an init: they go along with the arguments into the call that
 * allocates.
 */
import type { CallExpr, CommentIr, Expr, FileIr } from '../../ir/types.ts';
import { expressionsIn } from '../../lifecycle/module/statements.ts';
import type { AllocationPlan } from '../types.ts';

export interface ArgumentComments {
  /**
   * By the position of the argument in the init: what stands in front of it, and behind it to the
   * end of its line.
   */
  readonly before: ReadonlyMap<number, string>;
  readonly behind: ReadonlyMap<number, string>;
  /** They stand at one column, by tabs or several blanks. */
  readonly inColumn: boolean;
  /** Those of the statement as a whole. */
  readonly others: readonly CommentIr[];
}

/** @param comments those inside of the init and behind it on its line, in order */
export function argumentComments(
  file: FileIr,
  { init: { stmt } }: AllocationPlan,
  comments: readonly CommentIr[],
): ArgumentComments {
  const call = stmt.kind === 'expr' ? callIn(stmt.expr) : undefined;
  const before = new Map<number, string>();
  const behind = new Map<number, string>();
  const others: CommentIr[] = [];
  for (const comment of comments) {
    const place = call && !comment.text.includes('\n') ? placeOf(file, call, comment) : null;
    const map = place?.after ? behind : before;
    if (place === null || place === undefined || map.has(place.index)) others.push(comment);
    else map.set(place.index, comment.text);
  }
  const inColumn = comments.some((comment) =>
    /(?:\t| {2})$/.test(file.text.slice(0, comment.start).slice(-2)),
  );
  return { before, behind, inColumn, others };
}

function callIn(expr: Expr): CallExpr | undefined {
  return expressionsIn(expr).find((inner) => inner.kind === 'call' && inner.args.length === 3) as
    CallExpr | undefined;
}

/**
 * The argument that a comment is about: the one that its line ends with, or the one that it stands
 * directly in front of.
 */
function placeOf(
  { text }: FileIr,
  call: CallExpr,
  comment: CommentIr,
): { readonly index: number; readonly after: boolean } | null {
  const isOneLine = !text.slice(call.start, call.end).includes('\n');
  const newline = text.indexOf('\n', comment.end);
  const endsLine = text.slice(comment.end, newline < 0 ? text.length : newline).trim() === '';
  const index = call.args.findIndex((arg) => arg.start >= comment.end);
  if (endsLine && !isOneLine) {
    const last = index < 0 ? call.args.length - 1 : index - 1;
    const arg = call.args[last];
    return arg &&
      /^[\s,);]*$/.test(text.slice(arg.end, comment.start)) &&
      !text.slice(arg.end, comment.start).includes('\n')
      ? { index: last, after: true }
      : null;
  }
  const next = call.args[index];
  return next && comment.text.startsWith('/*') && text.slice(comment.end, next.start).trim() === ''
    ? { index, after: false }
    : null;
}
