import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lineIndex } from '../../../server/src/text/position.ts';

test.each([
  ['empty', '', [[0, 0, 0]]],
  [
    'LF',
    'ab\nc',
    [
      [0, 0, 0],
      [2, 0, 2],
      [3, 1, 0],
      [4, 1, 1],
    ],
  ],
  [
    'CR LF',
    'a\r\nb',
    [
      [1, 0, 1],
      [2, 0, 2],
      [3, 1, 0],
    ],
  ],
  [
    'CR',
    'a\rb',
    [
      [1, 0, 1],
      [2, 1, 0],
    ],
  ],
  [
    'a pair of surrogates is two units',
    '\u{1f600}x',
    [
      [2, 0, 2],
      [3, 0, 3],
    ],
  ],
  ['last line end', 'a\n', [[2, 1, 0]]],
  [
    'outside',
    'ab',
    [
      [99, 0, 2],
      [-1, 0, 0],
      [NaN, 0, 0],
    ],
  ],
])('position: %s', (_name, text, rows) => {
  const index = lineIndex(text);
  for (const [offset, line, character] of rows)
    expect(index.position(offset!)).toEqual({ line, character });
});

test.each([
  ['behind the line', 'ab\ncd', { line: 0, character: 9 }, 2],
  ['behind a CR LF line', 'ab\r\ncd', { line: 0, character: 9 }, 2],
  ['behind a CR line', 'ab\rcd', { line: 0, character: 9 }, 2],
  ['behind the text', 'ab\ncd', { line: 7, character: 1 }, 5],
  ['before the text', 'ab', { line: -1, character: 5 }, 0],
  ['before the line', 'ab\ncd', { line: 1, character: -3 }, 3],
  ['last line', 'ab\ncd', { line: 1, character: 99 }, 5],
])('offset: %s', (_name, text, position, expected) => {
  expect(lineIndex(text).offset(position)).toBe(expected);
});

test('an offset survives the way there and back, except between CR and LF', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', '\r', '\n', '\u{1f600}')).map((parts) => parts.join('')),
      (text) => {
        const index = lineIndex(text);
        for (let offset = 0; offset <= text.length; offset++) {
          const inside = text[offset - 1] === '\r' && text[offset] === '\n';
          expect(index.offset(index.position(offset))).toBe(inside ? offset - 1 : offset);
        }
      },
    ),
  );
});
