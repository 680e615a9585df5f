import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FunctionIr } from '../../../server/src/ir/types.ts';
import {
  createFrames,
  frameOf,
  placesIn,
  type Frame,
  type Frames,
} from '../../../server/src/lifecycle/incremental/stable-spans.ts';

interface Marked {
  readonly start: number;
  readonly end: number;
  readonly marks: readonly { readonly start: number; readonly end: number }[];
}

const SIGNATURE = {};
/** Where the function is in its document. */
const AT = 50;

/** A function of which only places are of interest: a mark at each character of its text. */
function frameFor(frames: Frames, text: string, isGone = true): Frame {
  const marks = Array.from(text, (_, i) => ({ start: AT + i, end: AT + i + 1 }));
  const root: Marked = { start: AT, end: AT + text.length, marks };
  return frameOf(frames, root as unknown as FunctionIr, () => text, {
    signature: SIGNATURE,
    isGone: () => isGone,
  });
}

const marksOf = (frame: Frame): Marked['marks'] => (frame.fn as unknown as Marked).marks;
const addressesOf = (frame: Frame): number[] => marksOf(frame).map(({ start }) => start);

test('what an edit does not touch keeps its addresses', () => {
  const frames = createFrames();
  const before = addressesOf(frameFor(frames, 'first; last;'));
  const after = addressesOf(frameFor(frames, 'first; more; last;'));
  expect(after.slice(0, 7)).toEqual(before.slice(0, 7));
  expect(after.slice(13)).toEqual(before.slice(7));
  expect(new Set(after).size).toBe(18);
});

test('another function of the module has addresses of its own', () => {
  const frames = createFrames();
  const before = addressesOf(frameFor(frames, 'first;'));
  const after = addressesOf(frameFor(frames, 'first;;', false));
  expect(after.filter((address) => before.includes(address))).toEqual([]);
});

test('addresses have the order of places and lead back to them, whatever was edited', () => {
  const edit = fc.record({ at: fc.nat(40), removed: fc.nat(6), text: fc.string({ maxLength: 6 }) });
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 40 }), (edits) => {
      const frames = createFrames();
      let text = 'int f(void) { return 1; }';
      frameFor(frames, text);
      for (const { at, removed, text: typed } of edits) {
        const from = at % text.length;
        text = text.slice(0, from) + typed + text.slice(from + removed) || 'x';
        const frame = frameFor(frames, text);
        const addresses = addressesOf(frame);
        expect(addresses).toEqual([...new Set(addresses)].sort((left, right) => left - right));
        expect(marksOf(frame).map((mark) => placesIn(frame, mark))).toEqual(
          Array.from(text, (_, i) => ({ start: i, end: i + 1 })),
        );
      }
    }),
  );
});
