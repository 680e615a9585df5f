/** Where edits stand in a text before and after they are made. */
import type { Edit, Span } from '../text/span.ts';

/** One edit: what it takes the place of, and where its text is then. */
export interface EditPlace {
  readonly before: Span;
  readonly after: Span;
  readonly edit: Edit;
}

/**
 * The places of edits that do not overlap, in the order of the text. Offsets are zero-based, ends
 * exclusive.
 */
export function editPlaces(edits: readonly Edit[]): EditPlace[] {
  let growth = 0;
  return [...edits]
    .sort((left, right) => left.span.start - right.span.start || left.span.end - right.span.end)
    .map((edit) => {
      const start = edit.span.start + growth;
      const place = { before: edit.span, after: { start, end: start + edit.newText.length }, edit };
      growth += edit.newText.length - (edit.span.end - edit.span.start);
      return place;
    });
}

/**
 * The offset in the text after the edits of an offset before them; inside of a replaced stretch its
 * start.
 */
export function movedOffset(places: readonly EditPlace[], offset: number): number {
  let moved = offset;
  for (const { before, after } of places) {
    if (before.end <= offset) moved = offset - before.end + after.end;
    else if (before.start <= offset) return after.start;
  }
  return moved;
}

/**
 * The index of the edit that a span lies in or overlaps, on one side; -1 for none. An empty stretch
 * holds nothing.
 */
export function editAt(places: readonly EditPlace[], span: Span, side: 'before' | 'after'): number {
  return places.findIndex((place) => place[side].start < span.end && span.start < place[side].end);
}
