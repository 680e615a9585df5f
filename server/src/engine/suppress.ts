/** Writes the comment that allows a finding. */
import type { Finding } from '../rules/types.ts';
import { indentationAt, lineStart, newlineOf } from '../rules/fixes/text.ts';
import { INVALID, UNUSED, WITHOUT_REASON } from '../rules/suppressions.ts';

/**
 * A comment that allows a finding, to be put in at an offset of its document. The reason goes
 * between the two parts.
 */
export interface SuppressionComment {
  readonly at: number;
  readonly before: string;
  readonly after: string;
}

/**
 * The comment for a finding of the document `text`, on the line before it; undefined where no
 * comment can stand.
 */
export function suppressionFor(
  text: string,
  { rule, site }: Finding,
): SuppressionComment | undefined {
  if (rule === INVALID || rule === UNUSED || rule === WITHOUT_REASON) return undefined;
  const at = lineStart(text, site.start);
  // A line between those of a macro would end it.
  if (/\\\r?\n$/.test(text.slice(Math.max(0, at - 3), at))) return undefined;
  return {
    at,
    before: `${indentationAt(text, site.start)}/* vfio-lifecycle: allow(${rule}): `,
    after: ` */${newlineOf(text)}`,
  };
}
