/**
 * Suppression comments: `vfio-lifecycle: allow(rule, …): reason` in a comment on the line of the finding, on the line before
 * it, or directly before the function it is in. The reason is part of the form: without one nothing is suppressed, so that a
 * later reader always learns why.
 */
import type { FileIr } from '../ir/types.ts';
import type { Finding } from '../rules/types.ts';
import type { Span } from '../text/span.ts';

const FORM = /vfio-lifecycle:\s*allow\(\s*([\w-]+(?:\s*,\s*[\w-]+)*)\s*\)\s*:\s*(?!\*\/)\S/;

/** What one comment allows, and where: offsets into its document. */
export interface Suppression {
  readonly rules: ReadonlySet<string>;
  readonly comment: Span;
  readonly covers: readonly Span[];
}

/** The suppressions of a document, in its order. */
export function suppressionsOf(file: FileIr): readonly Suppression[] {
  const found: Suppression[] = [];
  for (const comment of file.comments) {
    const form = FORM.exec(comment.text);
    if (!form) continue;
    const lineStart = file.text.lastIndexOf('\n', comment.start - 1) + 1;
    const lineEnd = endOfLine(file.text, comment.end);
    // A comment after code speaks of that code; one that stands alone speaks of the line that follows.
    const alone = /^\s*$/.test(file.text.slice(lineStart, comment.start)) && /^\s*$/.test(file.text.slice(comment.end, lineEnd));
    const covers: Span[] = [{ start: lineStart, end: alone ? endOfLine(file.text, lineEnd + 1) : lineEnd }];
    const next = afterBlanks(file, lineEnd);
    const fn = file.functions.find((one) => one.start === next);
    if (fn) covers.push({ start: fn.start, end: fn.end });
    found.push({ rules: new Set(form[1]!.split(/\s*,\s*/)), comment: { start: comment.start, end: comment.end }, covers });
  }
  return found;
}

/** Does one of `suppressions` allow `finding`? The finding must be in the document of the suppressions. */
export function isSuppressed(finding: Finding, suppressions: readonly Suppression[]): boolean {
  return suppressions.some((one) => one.rules.has(finding.rule)
    && one.covers.some((span) => finding.site.start >= span.start && finding.site.start <= span.end));
}

function endOfLine(text: string, from: number): number {
  if (from >= text.length) return text.length;
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

/** The offset of the first thing after `from` that is neither blank nor a comment: kernel-doc may stand between. */
function afterBlanks(file: FileIr, from: number): number {
  let at = from;
  for (;;) {
    while (at < file.text.length && /\s/.test(file.text[at]!)) at++;
    const comment = file.comments.find((one) => one.start === at);
    if (!comment || comment.end <= at) return at;
    at = comment.end;
  }
}
