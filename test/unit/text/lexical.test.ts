import { describe, expect, it } from 'vitest';
import {
  afterBlanks,
  blanksBefore,
  COMMENT_OR_LITERAL,
  COMMENT_OR_STRING,
  onOneLine,
  withoutComments,
} from '../../../server/src/text/lexical.ts';

describe('without comments', () => {
  it.each([
    ['a /* b */ c // d\ne', 'a   c  \ne'],
    ['a /* b', 'a  '],
    ['a /* b /* c */ d', 'a   d'],
    ['a /* b */ c /*/ d', 'a   c  '],
  ])('%j', (text, expected) => expect(withoutComments(text)).toBe(expected));

  it.each([
    ['f("/*", a) /* b */', 'f(#, a) #'],
    ['f("a\\"b", c)', 'f(#, c)'],
    ['f("a\nb"', 'f(#\nb#'],
  ])('and without strings: %j', (text, expected) =>
    expect(text.replace(COMMENT_OR_STRING, '#')).toBe(expected),
  );

  it('and without characters', () => {
    expect(`f('"', 'a') + "'" + 'b`.replace(COMMENT_OR_LITERAL, '#')).toBe('f(#, #) + # + #');
  });
});

it.each([
  ['a\n\tb  c\r\n\r\n d', 'a b  c d'],
  ['  a \n', '  a '],
])('puts %j on one line', (text, expected) => expect(onOneLine(text)).toBe(expected));

it.each([
  ['a \t b', 4, 1],
  ['\n\t b', 3, 1],
  ['ab', 1, 1],
])('finds the blanks in %j before %i', (text, offset, expected) =>
  expect(blanksBefore(text, offset)).toBe(expected),
);

it.each([
  [' /* a */\n/* b */ ,', 17],
  ['/* a */ /* b', 12],
  ['x', 0],
])('finds what follows blanks and comments: %j', (text, expected) =>
  expect(afterBlanks(text, 0)).toBe(expected),
);
