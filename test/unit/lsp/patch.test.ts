import { expect, test } from 'vitest';
import { patchOf } from '../../../server/src/lsp/patch.ts';

test('a patch has a part for each file that differs', () => {
  const files = [
    { path: 'a/one.c', before: 'int a;\n', after: 'int b;\n' },
    { path: 'same.c', before: 'int c;\n', after: 'int c;\n' },
    { path: 'two.c', before: '', after: 'int d;\n' },
  ];
  const { patch } = patchOf({ files });
  expect(patch.match(/^--- .*|^\+\+\+ .*|^[+-]int.*/gm)).toEqual([
    '--- a/a/one.c',
    '+++ b/a/one.c',
    '-int a;',
    '+int b;',
    '--- a/two.c',
    '+++ b/two.c',
    '+int d;',
  ]);
  expect(patchOf(null)).toEqual({ patch: '' });
});
