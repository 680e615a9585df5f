import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  applyEdits,
  composeEdits,
  minimiseEdits,
  overlaps,
  sortEdits,
} from '../../../server/src/text/edits.ts';
import type { Edit } from '../../../server/src/text/span.ts';

const edit = (start: number, end: number, newText: string): Edit => ({
  span: { start, end },
  newText,
});
const piece = fc.constantFrom('', 'x', '\n', 'ab', 'line\n', '\r\n', '}\n', '\u{1f600}');
const text = fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(''));

/** Edits of a text of this length that do not overlap, in any order. */
const editsOf = (length: number): fc.Arbitrary<Edit[]> =>
  fc
    .tuple(
      fc.array(fc.nat(length), { maxLength: 8 }),
      fc.array(piece, { minLength: 4, maxLength: 4 }),
      fc.boolean(),
    )
    .map(([points, texts, reversed]) => {
      const sorted = points.sort((left, right) => left - right);
      const edits: Edit[] = [];
      for (let i = 0; i + 1 < sorted.length; i += 2)
        edits.push(edit(sorted[i]!, sorted[i + 1]!, texts[i / 2]!));
      return reversed ? edits.reverse() : edits;
    })
    .filter((edits) => !overlaps(edits));

test.each([
  ['disjoint', [edit(0, 2, ''), edit(2, 4, '')], false],
  ['two insertions at one place', [edit(2, 2, 'a'), edit(2, 2, 'b')], false],
  ['an insertion where a replacement starts', [edit(2, 4, 'a'), edit(2, 2, 'b')], false],
  ['an insertion where a replacement ends', [edit(2, 4, 'a'), edit(4, 4, 'b')], false],
  ['an insertion inside a replacement', [edit(3, 3, 'b'), edit(2, 4, 'a')], true],
  ['one code unit in both', [edit(0, 3, ''), edit(2, 4, '')], true],
])('overlap: %s', (_name, edits, expected) => {
  expect(overlaps(edits)).toBe(expected);
});

describe('applyEdits', () => {
  test('keeps the order of insertions at one place, before a replacement there', () => {
    expect(applyEdits('abcd', [edit(1, 3, 'X'), edit(1, 1, '1'), edit(1, 1, '2')])).toBe('a12Xd');
  });
  test.each([
    [[edit(0, 3, ''), edit(2, 4, '')]],
    [[edit(3, 9, '')]],
    [[edit(-1, 0, '')]],
    [[edit(2, 1, '')]],
  ])('refuses %j', (edits) => {
    expect(() => applyEdits('abcd', edits)).toThrow(RangeError);
  });
  test('does not depend on the order of edits that are not at one place', () => {
    fc.assert(
      fc.property(
        text.chain((before) => fc.tuple(fc.constant(before), editsOf(before.length))),
        ([before, edits]) => {
          expect(applyEdits(before, sortEdits(edits))).toBe(applyEdits(before, edits));
        },
      ),
    );
  });
});

describe('composeEdits', () => {
  const cases = text.chain((before) =>
    editsOf(before.length).chain((first) => {
      const middle = applyEdits(before, first);
      return editsOf(middle.length).map((second) => ({ before, first, middle, second }));
    }),
  );
  test('does at once what two sets do one after the other, with edits that do not touch', () => {
    fc.assert(
      fc.property(cases, ({ before, first, middle, second }) => {
        const both = composeEdits(first, second);
        expect(applyEdits(before, both)).toBe(applyEdits(middle, second));
        for (let i = 1; i < both.length; i++)
          expect(both[i]!.span.start).toBeGreaterThan(both[i - 1]!.span.end);
      }),
      { numRuns: 500 },
    );
  });
  test('is associative in effect and has the empty set as neutral element', () => {
    fc.assert(
      fc.property(
        cases.chain((one) =>
          editsOf(applyEdits(one.middle, one.second).length).map((third) => ({ ...one, third })),
        ),
        ({ before, first, second, third }) => {
          expect(applyEdits(before, composeEdits(composeEdits(first, second), third))).toBe(
            applyEdits(before, composeEdits(first, composeEdits(second, third))),
          );
          expect(applyEdits(before, composeEdits(first, []))).toBe(applyEdits(before, first));
          expect(applyEdits(before, composeEdits([], first))).toBe(applyEdits(before, first));
        },
      ),
    );
  });
  test('refuses overlapping edits', () => {
    expect(() => composeEdits([edit(0, 3, ''), edit(2, 4, '')], [])).toThrow(RangeError);
  });
});

describe('minimiseEdits', () => {
  test.each([
    ['unchanged lines around', 'a\nb\nc\n', [edit(0, 6, 'a\nX\nc\n')], [edit(2, 4, 'X\n')]],
    ['an inserted line', 'a\nc\n', [edit(0, 4, 'a\nb\nc\n')], [edit(2, 2, 'b\n')]],
    ['an inserted first line', 'a\n', [edit(0, 2, 'x\na\n')], [edit(0, 0, 'x\n')]],
    ['a deleted line', 'a\nb\nc\n', [edit(0, 6, 'a\nc\n')], [edit(2, 4, '')]],
    ['nothing changed', 'a\nb\n', [edit(0, 4, 'a\nb\n')], []],
    ['part of a line stays whole', 'abc\n', [edit(0, 4, 'aXc\n')], [edit(0, 4, 'aXc\n')]],
    ['a line end stays whole', 'a\r\nb\r\n', [edit(0, 6, 'a\r\nX\r\n')], [edit(3, 6, 'X\r\n')]],
    ['edits that touch', 'abcd', [edit(0, 1, 'X'), edit(1, 2, 'Y')], [edit(0, 2, 'XY')]],
    ['equal first blank line', '\nb\n', [edit(0, 3, '\nc\n')], [edit(1, 3, 'c\n')]],
  ])('%s', (_name, before, edits, expected) => {
    expect(minimiseEdits(before, edits)).toEqual(expected);
  });
  test('has the same effect with no more text', () => {
    fc.assert(
      fc.property(
        text.chain((before) => fc.tuple(fc.constant(before), editsOf(before.length))),
        ([before, edits]) => {
          const fewer = minimiseEdits(before, edits);
          expect(applyEdits(before, fewer)).toBe(applyEdits(before, edits));
          const size = (all: readonly Edit[]): number =>
            all.reduce((sum, one) => sum + one.newText.length, 0);
          expect(size(fewer)).toBeLessThanOrEqual(size(edits));
        },
      ),
      { numRuns: 500 },
    );
  });
});
