import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import type * as Library from 'web-tree-sitter';
import { expect, test } from 'vitest';
import { exportsWalker, publicWalker } from '../../../server/src/syntax/walk.ts';
import { SAMPLES } from './samples.ts';

const require = createRequire(import.meta.url);
// The library once more, beside the one that the project's parser has: the first Parser.init of a
// library decides which object gets the exports.
const { Language, Parser } = require('web-tree-sitter') as typeof Library;
const module = {
  wasmBinary: readFileSync(require.resolve('web-tree-sitter/web-tree-sitter.wasm')),
};
await Parser.init(module);
const language = await Language.load(
  readFileSync(require.resolve('tree-sitter-c/tree-sitter-c.wasm')),
);
const parser = new Parser().setLanguage(language);
const fast = exportsWalker(module, language);
const slow = publicWalker();

/** Walks the whole tree and each child of its root both ways. */
function expectSame(text: string): void {
  const tree = parser.parse(text)!;
  for (const node of [tree.rootNode, ...tree.rootNode.children])
    expect(fast!(node)).toEqual(slow(node));
  tree.delete();
}

test('the installed web-tree-sitter has the exports that the fast walker needs', () => {
  expect(fast).not.toBeNull();
});

test('a module without them has no fast walker', () => {
  expect(exportsWalker({}, language)).toBeNull();
  expect(
    exportsWalker({ ...module, _ts_tree_cursor_goto_parent_wasm: undefined }, language),
  ).toBeNull();
});

test.each(SAMPLES.map((text, index) => [index, text]))(
  'both walkers give the same tree of sample %i',
  (_index, text) => {
    expectSame(text);
  },
);

test('both walkers give the same tree of nonsense, with ERROR and missing nodes and deeper than the limit', () => {
  const word = fc.constantFrom(
    'int ',
    'a',
    '(',
    ')',
    '{',
    '}',
    ';',
    ',',
    '=',
    'if ',
    'case ',
    ':',
    '"',
    '\n#if A\n',
    '\n#endif\n',
    '\u{1f600}',
    '{'.repeat(300),
    '}'.repeat(300),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), (words) => expectSame(words.join(''))),
    { numRuns: 200 },
  );
  expectSame(`int f(void) ${'{'.repeat(2000)}${'}'.repeat(2000)}`);
});

test('memory that grows between two walks does not confuse the walker', () => {
  expectSame('int x;');
  const large = parser.parse('int f(void) { g(a, b, c); }\n'.repeat(20_000))!;
  expectSame('int y;');
  large.delete();
});
