/** An error of the lowering costs the item that it is in. */
import { expect, test } from 'vitest';
import { createLoweringCache, lowerFile } from '../../../server/src/ir/lower.ts';
import { analyseModule } from '../../../server/src/lifecycle/analyse.ts';
import type { SyntaxTree, TopLevelItem } from '../../../server/src/syntax/node.ts';
import { loadParser } from '../../support/parser.ts';

const TEXT =
  'struct foo {\n\tint a;\n};\nstatic int broken(void)\n{\n\treturn 0;\n}\nint whole(struct vfio_device *vdev)\n{\n\treturn vfio_register_group_dev(vdev);\n}\n';

/** A tree in which the items that begin so cannot be looked into. */
async function treeOf(text: string, beginning: string): Promise<SyntaxTree> {
  const tree = (await loadParser()).parse(text);
  const failing = (item: TopLevelItem): TopLevelItem =>
    Object.create(item, {
      node: {
        value: () => {
          throw new Error('no such node');
        },
      },
    });
  const items = tree
    .items()
    .map((item) => (text.slice(item.start).startsWith(beginning) ? failing(item) : item));
  return Object.create(tree, { items: { value: () => items } });
}

test.each([
  ['a function', 'static int broken', ['whole'], ['foo']],
  ['a struct', 'struct foo', ['broken', 'whole'], []],
])('%s', async (_, beginning, functions, structs) => {
  const cache = createLoweringCache();
  const file = lowerFile('a.c', await treeOf(TEXT, beginning), cache);
  expect(file.functions.map((one) => one.name)).toEqual(functions);
  expect(file.structs.map((one) => one.name)).toEqual(structs);
  const start = TEXT.indexOf(beginning);
  expect(file.failed).toEqual([expect.objectContaining({ start, reason: 'no such node' })]);
  const facts = analyseModule({ sources: [file], headers: [] }, [6, 1]);
  expect(facts.notAnalysed).toEqual([
    { path: 'a.c', function: '', reason: 'internal error: no such node', start, isInternal: true },
  ]);
  expect(facts.observations.length).toBeGreaterThan(0);
  // Moved by an edit before it, it is still said.
  const moved = lowerFile('a.c', await treeOf(`int x;\n${TEXT}`, beginning), cache);
  expect(moved.failed?.map((one) => one.start)).toEqual([start + 7]);
});

test('nothing is said where nothing failed', async () => {
  expect(lowerFile('a.c', (await loadParser()).parse(TEXT))).not.toHaveProperty('failed');
});
