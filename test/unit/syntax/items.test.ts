import { expect, test } from 'vitest';
import { loadParser } from '../../support/parser.ts';

const parser = await loadParser();

/** Items as `type test=holds …`, with the text's first line. */
function items(text: string): string[] {
  const tree = parser.parse(text);
  try {
    return tree.items().map((item) => {
      const conditions = item.conditions
        .map(({ test, holds }) => `${holds ? '' : '!'}[${test}]`)
        .join(' ');
      return `${item.type}: ${text.slice(item.start, item.end).split('\n')[0]!}${conditions && ' when '}${conditions}`;
    });
  } finally {
    tree.dispose();
  }
}

test.each([
  [
    'ifdef',
    '#ifdef A\nint x;\n#else\nint y;\n#endif\n',
    ['declaration: int x; when [A]', 'declaration: int y; when ![A]'],
  ],
  ['ifndef', '#ifndef A\nint x;\n#endif\n', ['declaration: int x; when ![A]']],
  ['if defined', '#if defined(A)\nint x;\n#endif\n', ['declaration: int x; when [A]']],
  ['if !defined', '#if !defined A\nint x;\n#endif\n', ['declaration: int x; when ![A]']],
  [
    'elif',
    '#if A\nint x;\n#elif defined(B)\nint y;\n#else\nint z;\n#endif\n',
    [
      'declaration: int x; when [A]',
      'declaration: int y; when ![A] [B]',
      'declaration: int z; when ![A] ![B]',
    ],
  ],
  ['zero', '#if 0\nint x;\n#endif\n', ['declaration: int x; when [0]']],
  [
    'nested',
    '#ifdef A\n#if IS_ENABLED(B)\nint x;\n#endif\nint y;\n#endif\nint z;\n',
    [
      'declaration: int x; when [A] [IS_ENABLED(B)]',
      'declaration: int y; when [A]',
      'declaration: int z;',
    ],
  ],
  [
    'guard',
    '/* c */\n#ifndef H\n#define H\nint x;\n#ifdef A\nint y;\n#endif\n#endif /* H */\n',
    [
      'comment: /* c */',
      'preproc_def: #define H',
      'declaration: int x;',
      'declaration: int y; when [A]',
      'comment: /* H */',
    ],
  ],
  [
    'linkage',
    'extern "C" {\n#ifdef A\nint x;\n#endif\nint y;\n}\n',
    ['declaration: int x; when [A]', 'declaration: int y;'],
  ],
])('items of %s', (_name, text, expected) => {
  expect(items(text)).toEqual(expected);
});

test.each([
  [
    'a label in front of an #if',
    'int f(void)\n{\nout:\n#ifdef A\n\ta();\n#endif\n\treturn 0;\n}\n',
    false,
  ],
  ['a label in front of the end', 'int f(void)\n{\n\ta();\nout:\n}\n', false],
  ['a missing semicolon', 'int f(void)\n{\n\treturn a }\n', true],
  ['a stray parenthesis', 'int f(void)\n{\n\ta());\nout:\n}\n', true],
])('error in %s', (_name, text, expected) => {
  const tree = parser.parse(text);
  expect(tree.items().map((item) => item.hasError)).toEqual([expected]);
  tree.dispose();
});
