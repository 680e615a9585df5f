/** Edits of a text: order, overlap, application, composition. */
import type { Edit } from './span.ts';

/**
 * By place; of edits at one place insertions come first, in the order in which they were given.
 * This is the order in which
 * `applyEdits` writes them, and LSP's.
 */
export function sortEdits(edits: readonly Edit[]): Edit[] {
  return [...edits].sort(
    (left, right) => left.span.start - right.span.start || left.span.end - right.span.end,
  );
}

/**
 * Whether two edits touch the same code unit, or one inserts inside what another replaces.
 * Insertions at one place do not overlap.
 */
export function overlaps(edits: readonly Edit[]): boolean {
  const sorted = sortEdits(edits);
  return sorted.some(({ span }, i) => i > 0 && sorted[i - 1]!.span.end > span.start);
}

/**
 * The text with all edits made; their offsets are those of `text`.
 * @throws RangeError when edits overlap or lie outside of the text: half a change would be worse
 * than none.
 */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const {
    span: { start, end },
    newText,
  } of sortEdits(edits)) {
    if (start < at || end < start || end > text.length)
      throw new RangeError(`edit [${start}, ${end}) overlaps another or is outside of the text`);
    parts.push(text.slice(at, start), newText);
    at = end;
  }
  parts.push(text.slice(at));
  return parts.join('');
}

/** A stretch of the original that is still there; `before` is the new text in front of it. */
interface Kept {
  readonly start: number;
  readonly end: number;
  readonly before: string;
}

/**
 * One set of edits for two: `first` is made on a text, `second` on the result of that. The result
 * is sorted, without overlaps and without
 * edits that touch each other, and applies to the text that `first` applies to.
 * @throws RangeError when the edits of one set overlap.
 */
export function composeEdits(first: readonly Edit[], second: readonly Edit[]): Edit[] {
  return toEdits(replaceIn(replaceIn([{ start: 0, end: Infinity, before: '' }], first), second));
}

/**
 * A text as stretches of the original, after one more set of edits.
 * Offsets of the edits are those of the text that `kept` describes; that text ends with an endless
 * stretch.
 */
function replaceIn(kept: readonly Kept[], edits: readonly Edit[]): Kept[] {
  const result: Kept[] = [];
  let index = 0;
  // What is left of the stretch at `index`, and the offset where that rest begins.
  let rest = kept[0]!;
  let offset = 0;
  let pending = '';

  /** Takes the text up to `to` over into the result, or out of it. */
  const advance = (to: number, keep: boolean): void => {
    while (offset < to) {
      const text = Math.min(rest.before.length, to - offset);
      if (keep) pending += rest.before.slice(0, text);
      offset += text;
      const length = Math.min(rest.end - rest.start, to - offset);
      if (text < rest.before.length || length < rest.end - rest.start) {
        if (keep && length > 0)
          result.push({ start: rest.start, end: rest.start + length, before: take() });
        rest = { start: rest.start + length, end: rest.end, before: rest.before.slice(text) };
      } else {
        if (keep && length > 0) result.push({ start: rest.start, end: rest.end, before: take() });
        rest = kept[++index]!;
      }
      offset += length;
    }
  };
  const take = (): string => {
    const text = pending;
    pending = '';
    return text;
  };

  for (const {
    span: { start, end },
    newText,
  } of sortEdits(edits)) {
    if (start < offset || end < start)
      throw new RangeError(`edit [${start}, ${end}) overlaps another`);
    advance(start, true);
    pending += newText;
    advance(end, false);
  }
  for (; rest !== undefined; rest = kept[++index]!) {
    pending += rest.before;
    if (rest.end > rest.start) result.push({ start: rest.start, end: rest.end, before: take() });
  }
  return result;
}

function toEdits(kept: readonly Kept[]): Edit[] {
  const edits: Edit[] = [];
  let at = 0;
  for (const { start, end, before } of kept) {
    if (start > at || before !== '')
      edits.push({ span: { start: at, end: start }, newText: before });
    at = end;
  }
  return edits;
}

/**
 * The same change with less text: sorted, edits that touch joined, whole lines that an edit leaves
 * as they are dropped from its start and its
 * end, and edits that change nothing left out.
 * @throws RangeError when edits overlap.
 */
export function minimiseEdits(text: string, edits: readonly Edit[]): Edit[] {
  const result: Edit[] = [];
  for (const {
    span: { start, end },
    newText,
  } of composeEdits(edits, [])) {
    const old = text.slice(start, end);
    if (old === newText) continue;
    const shorter = Math.min(old.length, newText.length);
    let head = 0;
    while (head < shorter && old.charCodeAt(head) === newText.charCodeAt(head)) head++;
    head = head === 0 ? 0 : old.lastIndexOf('\n', head - 1) + 1;
    let tail = 0;
    while (
      tail < shorter - head &&
      old.charCodeAt(old.length - 1 - tail) === newText.charCodeAt(newText.length - 1 - tail)
    )
      tail++;
    // What is left of both has to end with a line, or to be nothing at the start of a line.
    const startsLine = head > 0 || start === 0 || text.charCodeAt(start - 1) === 10;
    const endsLine = (part: string, length: number): boolean =>
      length === head ? startsLine : part.charCodeAt(length - 1) === 10;
    while (
      tail > 0 &&
      !(endsLine(old, old.length - tail) && endsLine(newText, newText.length - tail))
    ) {
      const next = old.indexOf('\n', old.length - tail);
      tail = next < 0 ? 0 : old.length - next - 1;
    }
    result.push({
      span: { start: start + head, end: end - tail },
      newText: newText.slice(head, newText.length - tail),
    });
  }
  return result;
}
