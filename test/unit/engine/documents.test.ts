import { describe, expect, it } from 'vitest';
import { createDocuments } from '../../../server/src/engine/documents.ts';
import { kernelStages } from '../../../server/src/engine/pipeline.ts';
import type { SyntaxParser, SyntaxTree } from '../../../server/src/syntax/node.ts';
import { loadParser } from '../../support/parser.ts';

/**
 * A parser that counts the trees that live, and can be told to give incremental trees that differ
 * from fresh ones.
 */
async function counting(): Promise<{
  parser: SyntaxParser;
  live: () => number;
  spoil: { on: boolean };
}> {
  const real = await loadParser();
  let live = 0;
  const spoil = { on: false };
  const count = (tree: SyntaxTree, incremental: boolean): SyntaxTree => {
    live++;
    let alive = true;
    return {
      ...tree,
      items: () => tree.items(),
      print: () => (incremental && spoil.on ? 'otherwise' : tree.print()),
      dispose() {
        if (alive) live--;
        alive = false;
        tree.dispose();
      },
    };
  };
  const inner = new WeakMap<SyntaxTree, SyntaxTree>();
  return {
    parser: {
      parse(text, previous) {
        const tree = real.parse(text, previous && inner.get(previous));
        const counted = count(tree, previous !== undefined);
        inner.set(counted, tree);
        return counted;
      },
    },
    live: () => live,
    spoil,
  };
}

describe('the store of documents', () => {
  it('gives the same IR for the same text', async () => {
    const { parser } = await counting();
    const documents = createDocuments(parser, kernelStages.lowering);
    const first = documents.lowered('/a.c', 'int x;', true);
    expect(documents.lowered('/a.c', 'int x;', true)).toBe(first);
    expect(documents.lowered('/a.c', 'int y;', true)).not.toBe(first);
  });

  it('owns one tree for each edited document and none for others', async () => {
    const { parser, live } = await counting();
    const documents = createDocuments(parser, kernelStages.lowering);
    for (let i = 0; i < 5; i++) {
      documents.lowered('/a.c', `int x${i};`, true);
      documents.lowered('/b.h', `int y${i};`, false);
    }
    expect(live()).toBe(1);
    documents.forget('/a.c');
    expect(live()).toBe(0);
    documents.lowered('/a.c', 'int x;', true);
    documents.dispose();
    expect(live()).toBe(0);
  });

  it('keeps few trees, however many documents are edited', async () => {
    const { parser, live } = await counting();
    const documents = createDocuments(parser, kernelStages.lowering);
    for (let i = 0; i < 60; i++) documents.lowered(`/${i}.c`, 'int x;', true);
    expect(live()).toBe(4);
  });

  it('frees the tree of a document that cannot be lowered', async () => {
    const { parser, live } = await counting();
    const documents = createDocuments(parser, {
      ...kernelStages.lowering,
      lower: () => {
        throw new Error('no');
      },
    });
    expect(() => documents.lowered('/a.c', 'int x;', true)).toThrow('no');
    expect(live()).toBe(0);
  });

  it('lets a fresh tree win once', async () => {
    const { parser, live, spoil } = await counting();
    const documents = createDocuments(parser, kernelStages.lowering);
    documents.lowered('/a.c', 'int x;', true);
    expect(documents.settle('/a.c')).toBe(false);
    spoil.on = true;
    const before = documents.lowered('/a.c', 'int xy;', true);
    expect(documents.settle('/a.c')).toBe(true);
    expect(documents.lowered('/a.c', 'int xy;', true)).not.toBe(before);
    expect(documents.settle('/a.c')).toBe(false);
    expect(documents.settle('/unknown.c')).toBe(false);
    expect(live()).toBe(1);
  });

  it('lets a fresh tree win also where the other was let go', async () => {
    const { parser } = await counting();
    const documents = createDocuments(parser, kernelStages.lowering);
    for (const name of ['x', 'xy']) documents.lowered('/a.c', `int ${name};`, true);
    const before = documents.lowered('/a.c', 'int xy;', true);
    for (let i = 0; i < 4; i++) documents.lowered(`/${i}.c`, 'int x;', true);
    expect(documents.settle('/a.c')).toBe(true);
    expect(documents.lowered('/a.c', 'int xy;', true)).not.toBe(before);
    expect(documents.settle('/a.c')).toBe(false);
  });

  it('keeps of a closed document what a fresh parse would bring, and no tree', async () => {
    const { parser, live } = await counting();
    const documents = createDocuments(parser, kernelStages.lowering);
    const close = (...texts: readonly string[]) => {
      const last = texts.map((text) => documents.lowered('/a.c', text, true)).at(-1);
      documents.close('/a.c');
      expect(live()).toBe(0);
      return documents.lowered('/a.c', texts.at(-1)!, false) === last;
    };
    expect(close('int x;')).toBe(true);
    expect(close('int y;', 'int yz;')).toBe(false);
    documents.close('/unknown.c');
  });
});
