/**
 * What a conversion has changed in one document: the text before and after, and which places of one
 * are which of the other.
 */
import type { Edit, Span } from '../../../text/span.ts';
import { sortEdits } from '../../../text/edits.ts';
import { indentUnit, lineEnding, lineWidth } from '../../../text/style.ts';
import type { FileIr, FunctionIr } from '../../../ir/types.ts';
import type { Module } from '../../../lifecycle/types.ts';

export interface Change {
  /** The module with the document as it is now. */
  readonly module: Module;
  readonly before: FileIr;
  readonly after: FileIr;
  /**
   * What was written, as places in the text after; empty where something was only taken out. In
   * order.
   */
  readonly spans: readonly Span[];
  /** Where a place of the text after was before; null for one that was written. */
  readonly toBefore: (offset: number) => number | null;
  /**
   * One level of indentation, the line ending, and the columns that a line may have, in the
   * document as it was.
   */
  readonly unit: string;
  readonly eol: string;
  readonly width: number;
}

/**
 * Something of the house style that generated text has to follow: the edits that make it do so, in
 * the text after.
 */
export type Pass = (change: Change) => Edit[];

/** @param edits lead from `before` to `after`, and do not overlap. */
export function changeOf(
  module: Module,
  before: FileIr,
  after: FileIr,
  edits: readonly Edit[],
): Change {
  const spans: Span[] = [];
  // How far the text after an edit is ahead of the text before it.
  const steps: { readonly start: number; readonly end: number; readonly ahead: number }[] = [];
  let ahead = 0;
  for (const { span, newText } of sortEdits(edits)) {
    const start = span.start + ahead;
    const end = start + newText.length;
    ahead += newText.length - (span.end - span.start);
    spans.push({ start, end });
    steps.push({ start, end, ahead });
  }
  const toBefore = (offset: number): number | null => {
    const last = steps.filter((step) => step.start <= offset).at(-1);
    if (!last) return offset;
    return offset < last.end ? null : offset - last.ahead;
  };
  return {
    module,
    before,
    after,
    spans,
    toBefore,
    unit: indentUnit(before.text),
    eol: lineEnding(before.text),
    width: lineWidth(before.text),
  };
}

/** Whether something was written in a span or taken out of it, its ends included. */
export function isTouched({ spans }: Change, { start, end }: Span): boolean {
  return spans.some((span) => span.start <= end && start <= span.end);
}

/** Whether a span is as it was, white space and all. */
export function isAsBefore({ before, after, toBefore }: Change, { start, end }: Span): boolean {
  const from = toBefore(start);
  if (from === null) return false;
  return (
    before.text.slice(from, from + end - start) === after.text.slice(start, end) &&
    (toBefore(end) === from + end - start || end === after.text.length)
  );
}

/** The functions in which something has changed. */
export function changedFunctions(change: Change): FunctionIr[] {
  return change.after.functions.filter((fn) => isTouched(change, fn));
}

/** The function of that name as it was; undefined when it is new. */
export function functionBefore(change: Change, fn: FunctionIr): FunctionIr | undefined {
  return change.before.functions.find((item) => item.name === fn.name);
}
