import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FunctionIr } from '../../../server/src/ir/types.ts';
import {
  begin,
  createFrames,
  frameOf,
  framed,
  inDocuments,
  place,
  placesIn,
  settle,
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

test('what speaks of a function finds it where its addresses went to an edit and came back', () => {
  const frames = createFrames();
  const versionOf = (text: string): Frame => {
    const root = { start: AT, end: AT + text.length, body: [] };
    return frameOf(frames, root as unknown as FunctionIr, () => text, {
      signature: SIGNATURE,
      isGone: () => true,
    });
  };
  const before = versionOf('first; last;');
  // An analysis of this one is left undone, so that what speaks of the first one is kept.
  versionOf('first; more; last;');
  const now = versionOf('first; last;');
  expect(now.fn).not.toBe(before.fn);
  const { layout } = frames,
    inDocument = { name: 'f', body: [] } as unknown as FunctionIr;
  begin(layout);
  place(layout, now, inDocument, 7);
  settle(layout);
  expect(inDocuments(layout, framed({ caller: before.fn })).caller).toBe(inDocument);
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

/** A frame of a function with a body, as those are of which something is known. */
function frameOfFunction(frames: Frames, text: string, signature: object): Frame {
  const marks = Array.from(text, (_, i) => ({ start: i, end: i + 1 }));
  const root = { start: 0, end: text.length, body: {}, marks };
  return frameOf(frames, root as unknown as FunctionIr, () => text, {
    signature,
    isGone: () => true,
  });
}

/** The functions of a document, one after the other, and where they begin. */
function placed(frames: Frames, list: readonly (readonly [frame: Frame, start: number])[]) {
  begin(frames.layout);
  const functions = list.map(([frame, start]) => {
    const fn = { ...frame.fn, start } as FunctionIr;
    place(frames.layout, frame, fn, start);
    return fn;
  });
  settle(frames.layout);
  return functions;
}

test('what is known of functions is at their places, wherever these are moved', () => {
  const frames = createFrames(),
    one = frameOfFunction(frames, 'one;', {}),
    callee = {},
    two = frameOfFunction(frames, 'two;', callee);
  const site = { path: 'foo.c', ...marksOf(two)[1]! },
    rest = { model: 'split' };
  const value = framed({
    function: one.fn,
    site: { path: 'foo.c', ...marksOf(one)[0]! },
    byName: new Map<string, object>([
      ['two', site],
      ['rest', rest],
    ]),
    list: [site, rest],
  });
  const expectAt = (start: number, other: number, fn: FunctionIr) => {
    const found = inDocuments(frames.layout, value);
    expect(found.function).toBe(fn);
    expect(found.site).toEqual({ path: 'foo.c', start, end: start + 1 });
    expect(found.list[0]).toEqual({ path: 'foo.c', start: other, end: other + 1 });
    expect(found.byName.get('two')).toBe(found.list[0]);
    expect([found.list[1], found.byName.get('rest')]).toEqual([rest, rest]);
    expect(found.list[1]).toBe(rest);
    expect(inDocuments(frames.layout, value)).toBe(found);
  };
  for (const start of [10, 20, 10]) {
    const [fn] = placed(frames, [
      [one, start],
      [two, start + 30],
    ]);
    expectAt(start, start + 31, fn!);
  }
  // An edit keeps the addresses, and what has them is at another place of the function.
  const edited = frameOfFunction(frames, 't--wo;', callee);
  const [fn] = placed(frames, [
    [one, 10],
    [edited, 40],
  ]);
  expectAt(10, 43, fn!);
});

test('what had no place has one where its function is there again', () => {
  const frames = createFrames(),
    one = frameOfFunction(frames, 'one;', {}),
    two = frameOfFunction(frames, 'two;', {});
  const value = framed([{ ...marksOf(one)[0]! }, two.fn]);
  placed(frames, [[one, 10]]);
  expect(inDocuments(frames.layout, value)[1]).toBe(two.fn);
  const [, fn] = placed(frames, [
    [one, 10],
    [two, 40],
  ]);
  placed(frames, [
    [one, 11],
    [two, 41],
  ]);
  expect(fn).not.toBe(two.fn);
  expect(inDocuments(frames.layout, value)).toEqual([
    { start: 11, end: 12 },
    expect.objectContaining({ start: 41 }),
  ]);
});
