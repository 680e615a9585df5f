import { expect, test } from 'vitest';
import { snippetOf } from '../../../server/src/cli/snippet.ts';

/** A line as it is printed, and below it the mark, which a terminal shows under the range. */
function shown(line: string, word: string, room = 60): string[] {
  const start = line.indexOf(word);
  const { before, range, after, column, width } = snippetOf(line, start, start + word.length, room);
  return [before + range + after, `${' '.repeat(column)}^${'~'.repeat(width - 1)}`];
}

test.each<[string, string, string, string[]]>([
  ['spaces', '  return ret;', 'return', ['  return ret;', '  ^~~~~~']],
  [
    'a tab at the beginning',
    '\treturn ret;',
    'ret;',
    ['        return ret;', '               ^~~~'],
  ],
  ['tabs behind text', 'ab\tcd\tef', 'ef', ['ab      cd      ef', '                ^~']],
  ['a tab in the range', 'ab\tcd', 'b\tc', ['ab      cd', ' ^~~~~~~~']],
  [
    'seven and eight before a tab',
    '1234567\t12345678\tx',
    'x',
    ['1234567 12345678        x', '                        ^'],
  ],
  ['wide characters', '/* 中文 */ x', 'x', ['/* 中文 */ x', '           ^']],
  ['a picture', '/* 😀 */ x', 'x', ['/* 😀 */ x', '         ^']],
  ['a letter with a mark on it', '/* e\u0301 */ x', 'x', ['/* e\u0301 */ x', '        ^']],
  ['what a terminal would obey', 'a\x1b[2J b', 'b', ['a\\x1b[2J b', '         ^']],
  ['what turns the direction of text', 'a\u202eb c', 'c', ['a\\u202eb c', '         ^']],
])('%s', (_, line, word, expected) => {
  expect(shown(line, word)).toEqual(expected);
});

test('a range without width has a caret, also behind the end of the line', () => {
  expect(snippetOf('abc', 1, 1, 40)).toEqual({
    before: 'a',
    range: '',
    after: 'bc',
    column: 1,
    width: 1,
  });
  expect(snippetOf('abc', 3, 3, 40)).toEqual({
    before: 'abc',
    range: '',
    after: '',
    column: 3,
    width: 1,
  });
  expect(snippetOf('', 0, 0, 40)).toEqual({
    before: '',
    range: '',
    after: '',
    column: 0,
    width: 1,
  });
});

test.each<[string, string, string, string]>([
  ['behind the range', `x${' y'.repeat(40)}`, 'x', 'x y y y y y y y y y…'],
  ['before the range', `${'y '.repeat(40)}x`, 'x', '…y y y y y y y y y x'],
  ['on both sides', `${'y '.repeat(40)}x${' z'.repeat(40)}`, 'x', '…y y y x z z z z z …'],
  ['the range itself', `a${'b'.repeat(80)}`, `a${'b'.repeat(80)}`, `a${'b'.repeat(18)}…`],
])('a line that is too long is cut %s', (_, line, word, expected) => {
  const [text, mark] = shown(line, word, 20);
  expect(text).toBe(expected);
  expect(text!.slice(mark!.indexOf('^'), mark!.length)).toBe(
    word.slice(0, mark!.length - mark!.indexOf('^')),
  );
  expect(mark!.length).toBeLessThanOrEqual(20);
});

test('a line of millions of characters costs no more than what is shown of it', () => {
  const line = `${'\t'.repeat(2_000_000)}x${'y'.repeat(2_000_000)}`;
  const { before, range, after } = snippetOf(line, 2_000_000, 2_000_001, 80);
  expect((before + range + after).length).toBeLessThanOrEqual(80);
  expect(range).toBe('x');
});
