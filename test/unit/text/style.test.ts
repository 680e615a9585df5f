import { expect, test } from 'vitest';
import { indentUnit, lineEnding } from '../../../server/src/text/style.ts';

test.each([
  ['', '\n'],
  ['a', '\n'],
  ['a\r\nb\r\n', '\r\n'],
  ['a\nb\r\nc\n', '\n'],
  ['a\r\nb\n', '\n'],
  ['\r\n', '\r\n'],
])('line ending of %j', (text, expected) => {
  expect(lineEnding(text)).toBe(expected);
});

test.each([
  ['nothing indented', 'int a;\n', '\t'],
  ['tabs', 'int f()\n{\n\tif (a)\n\t\tb();\n}\n', '\t'],
  ['four blanks', 'int f()\n{\n    if (a)\n        b();\n}\n', '    '],
  [
    'tabs with an aligned parameter',
    'int f(int a,\n      int b)\n{\n\tif (a)\n\t\tb();\n}\n',
    '\t',
  ],
  ['a block comment does not count', '/*\n * a\n * b\n */\nint f()\n{\n   a();\n}\n', '   '],
])('indentation: %s', (_name, text, expected) => {
  expect(indentUnit(text)).toBe(expected);
});
