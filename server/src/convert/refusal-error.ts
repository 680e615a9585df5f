/** How a plan is given up with a reason and a place. */
import type { Span } from '../text/span.ts';
import type { FileIr } from '../ir/types.ts';
import { lineNumber } from '../text/position.ts';
import { partsOf, placeOf, siteOf } from './modules/merge.ts';
import type { Refusal, RefusalCode } from './types.ts';

/**
 * Thrown inside the room to leave a plan from any depth; planConversion turns it into its result,
 * so it never reaches a caller.
 */
export class RefusedError extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.reason);
    this.refusal = refusal;
  }
}

/**
 * Gives up the plan: `reason` says what stands in the way at `span` of `file` and what to do about
 * it.
 */
export function refuse(code: RefusalCode, reason: string, file: FileIr, span: Span | null): never {
  const words = partsOf(file).length > 1 ? reason.replace(/\bthis file\b/g, 'this module') : reason;
  throw new RefusedError({ code, reason: words, site: span && siteOf(file, span) });
}

/** The one-based line of an offset, as compilers count; in a merged document `12 of foo.c`. */
export function lineOf(file: FileIr, offset: number): string {
  const place = placeOf(file, offset);
  const { text, path } = place.file;
  const line = lineNumber(text, place.offset);
  return partsOf(file).length > 1
    ? `${line} of ${path.slice(path.lastIndexOf('/') + 1)}`
    : `${line}`;
}

/** The same with the name of the document in any case. */
export function lineIn(file: FileIr, offset: number): string {
  const line = lineOf(file, offset);
  return partsOf(file).length > 1
    ? line
    : `${line} of ${file.path.slice(file.path.lastIndexOf('/') + 1)}`;
}

/** The source text of a span. */
export function textOf(file: FileIr, span: Span): string {
  return file.text.slice(span.start, span.end);
}
