import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import type * as Library from 'web-tree-sitter';
import type { Node, Tree } from 'web-tree-sitter';
import { expect, test } from 'vitest';
import { memoryWalker } from '../../../server/src/syntax/subtrees.ts';
import { publicWalker, type Walker } from '../../../server/src/syntax/walk.ts';
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
const fast = memoryWalker(module, language);
const slow = publicWalker();

/** Walks the whole tree and each child of its root both ways, and lists the children so. */
function expectSame(text: string): void {
  const tree = parser.parse(text)!;
  expectSameTree(tree);
  tree.delete();
}

function expectSameTree(tree: Tree): void {
  for (const node of [tree.rootNode, ...tree.rootNode.children])
    expect(fast!.walk(node)).toEqual(slow.walk(node));
  childrenBothWays(tree.rootNode);
  // The children of #if chains are read by their fields.
  for (const child of tree.rootNode.children) if (child.childCount > 0) childrenBothWays(child);
}

function childrenBothWays(parent: Node): void {
  const list = (walker: Walker) =>
    walker.children(parent).map((child) => ({ ...child, 0: 0, identity: 0, tree: null }));
  expect(list(fast!)).toEqual(list(slow));
  const walked = (walker: Walker) => walker.children(parent).map((child) => walker.walk(child));
  expect(walked(fast!)).toEqual(walked(slow));
}

test('the installed web-tree-sitter has the memory that the fast walker reads', () => {
  expect(fast).not.toBeNull();
});

test('a module without it has no fast walker', () => {
  expect(memoryWalker({}, language)).toBeNull();
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

test('what a parse takes over from the tree before has its identity there too, and nothing else', () => {
  const before =
    'int f(void) { return 1; }\nint g(void) { return 2; }\nint h(void) { return ); }\n';
  const after = before.replace('return 2', 'return 3');
  const old = parser.parse(before)!;
  const edited = old.copy();
  const startIndex = before.indexOf('2;');
  const column = startIndex - before.indexOf('int g');
  edited.edit({
    startIndex,
    oldEndIndex: startIndex + 1,
    newEndIndex: startIndex + 1,
    startPosition: { row: 1, column },
    oldEndPosition: { row: 1, column: column + 1 },
    newEndPosition: { row: 1, column: column + 1 },
  } as Parameters<typeof edited.edit>[0]);
  const fresh = parser.parse(after, edited)!;
  const identities = (tree: typeof old) =>
    fast!.children(tree.rootNode).map(({ identity }) => identity);
  const [first, edit, broken] = identities(old);
  const now = identities(fresh);
  expect([now[0], now[2]]).toEqual([first, broken]);
  expect(now[1]).not.toBe(edit);
  expect([first, edit, broken].every((one) => one !== 0)).toBe(true);
  for (const tree of [old, edited, fresh]) tree.delete();
});

test('both walkers give the same tree of a text that was edited', () => {
  const lines = fc.constantFrom(
    'int f(void) { return 1; }',
    'int f(void) { return ); }',
    'struct s { int a; };',
    ';',
    'x;',
    'g(a);',
    '/* comment */',
    '#define A 1',
    '#if A',
    '#endif',
    'label: a;',
    '}',
    'f() int a; { }',
  );
  const edit = fc.record({ at: fc.nat(200), removed: fc.nat(30), added: lines });
  const property = fc.property(fc.array(lines, { maxLength: 12 }), edit, (given, one) => {
    const before = `${given.join('\n')}\n`;
    const at = Math.min(one.at, before.length);
    const oldEnd = Math.min(at + one.removed, before.length);
    const after = before.slice(0, at) + one.added + before.slice(oldEnd);
    const old = parser.parse(before)!;
    const edited = old.copy();
    edited.edit({
      startIndex: at,
      oldEndIndex: oldEnd,
      newEndIndex: at + one.added.length,
      startPosition: positionAt(before, at),
      oldEndPosition: positionAt(before, oldEnd),
      newEndPosition: positionAt(after, at + one.added.length),
    } as Parameters<typeof edited.edit>[0]);
    const fresh = parser.parse(after, edited)!;
    expectSameTree(fresh);
    for (const tree of [old, edited, fresh]) tree.delete();
  });
  fc.assert(property, { numRuns: 300 });
});

function positionAt(text: string, offset: number): { row: number; column: number } {
  const before = text.slice(0, offset).split('\n');
  return { row: before.length - 1, column: before.at(-1)!.length };
}
