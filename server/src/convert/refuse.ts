import type { Span } from '../text/span.ts';
import type { FileIr } from '../ir/types.ts';
import type { Refusal, RefusalCode } from './types.ts';

/** Thrown inside the room to leave a plan from any depth; planConversion turns it into its result, so it never reaches a caller. */
export class RefusedError extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.reason);
    this.refusal = refusal;
  }
}

/** Gives up the plan: `reason` says what stands in the way at `span` of `file` and what to do about it. */
export function refuse(code: RefusalCode, reason: string, file: FileIr, span: Span | null): never {
  throw new RefusedError({ code, reason, site: span && { path: file.path, start: span.start, end: span.end } });
}

/** The one-based line of an offset, as compilers count. */
export function lineOf(file: FileIr, offset: number): number {
  let line = 1;
  for (let at = file.text.indexOf('\n'); at >= 0 && at < offset; at = file.text.indexOf('\n', at + 1)) line++;
  return line;
}

/** The source text of a span. */
export function textOf(file: FileIr, span: Span): string {
  return file.text.slice(span.start, span.end);
}
