import { expect, test } from 'vitest';
import { createLoweringCache, lowerFile } from '../../../server/src/ir/lower.ts';
import { parseVersion } from '../../../server/src/kernel/version.ts';
import {
  createSignatures,
  identitiesOf,
} from '../../../server/src/lifecycle/incremental/identity.ts';
import { createRecent } from '../../../server/src/lifecycle/incremental/recent.ts';
import { createFrames } from '../../../server/src/lifecycle/incremental/stable-spans.ts';
import { indexModule } from '../../../server/src/lifecycle/module/module.ts';
import { createOutlineCache, outlineOf } from '../../../server/src/lifecycle/module/outline.ts';
import { MAIN } from '../../support/analyse.ts';
import { loadParser } from '../../support/parser.ts';

const parser = await loadParser();

test('a function that goes for a version comes back with its signature', () => {
  const text = 'int foo(void)\n{\n\treturn 1;\n}\nint bar(void)\n{\n\treturn foo();\n}\n';
  const lowering = createLoweringCache(),
    frames = createFrames(),
    signatures = createSignatures();
  const [first, between, last] = [text, text.replace('int foo(', 'int fo('), text].map(
    (version) => {
      const tree = parser.parse(version);
      const file = lowerFile(MAIN, tree, lowering, parser);
      tree.dispose();
      const index = indexModule({ sources: [file], headers: [] }, parseVersion('6.1')!);
      const identities = identitiesOf(index, frames, signatures);
      return index.allFunctions.map(({ item }) => identities.signatureOf(item));
    },
  );
  expect(between![0]).not.toBe(first![0]);
  expect(last).toEqual(first);
  expect(last![0]).toBe(first![0]);
  expect(last![1]).toBe(first![1]);
});

test('two functions that were lowered as one are two', () => {
  const foo = 'static int foo(void)\n{\n\treturn 1;\n}\n',
    bar = 'int bar(void)\n{\n\treturn foo();\n}\n';
  const lowering = createLoweringCache(),
    frames = createFrames(),
    signatures = createSignatures(),
    outlines = createOutlineCache();
  const versions = [
    `int a;\n${foo}${bar}int z;\n`,
    `int b;\n${foo}${foo}${bar}int y;\n`,
    `int b;\n${foo}${foo}${bar.replace('foo()', 'foo() + 1')}int y;\n`,
  ];
  const twins = versions.map((version) => {
    const tree = parser.parse(version);
    const file = lowerFile(MAIN, tree, lowering, parser);
    tree.dispose();
    const module = { sources: [file], headers: [] };
    const index = indexModule(module, parseVersion('6.1')!, outlineOf(module, outlines));
    const identities = identitiesOf(index, frames, signatures);
    const items = index.allFunctions.map(({ item }) => item);
    expect(items.map((item) => index.positionOf(item))).toEqual([...items.keys()]);
    expect(new Set(items.map(identities.signatureOf)).size).toBe(items.length);
    expect(new Set(items.map(identities.rootOf)).size).toBe(items.length);
    for (const item of items)
      expect(identities.signed(identities.signatureOf(item))!.item).toBe(item);
    for (const definition of index.allFunctions) identities.frame(definition);
    const layout = identities.layout();
    expect(new Set([...layout.byFunction.values()].map(({ fn }) => fn))).toEqual(new Set(items));
    return index.rootPositions() === null;
  });
  expect(twins).toEqual([false, true, true]);
});

test('of what goes the last is kept', () => {
  const recent = createRecent<number>();
  const names = Array.from({ length: 40 }, (_, i) => `foo_${i}`);
  for (const [i, name] of names.entries()) recent.take(new Map([[name, i]]), new Map());
  expect(recent.get('foo_39')).toBe(39);
  expect(recent.get('foo_0')).toBe(undefined);
  recent.take(new Map([['foo_1', 1]]), new Map([['foo_1', 2]]));
  expect(recent.get('foo_1')).toBe(undefined);
});
