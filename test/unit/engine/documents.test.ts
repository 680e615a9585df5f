import { describe, expect, it } from 'vitest';
import { createDocuments } from '../../../server/src/engine/documents.ts';
import { kernelStages } from '../../../server/src/engine/pipeline.ts';
import { originalOf } from '../../../server/src/ir/lower.ts';
import type { SyntaxParser, SyntaxTree } from '../../../server/src/syntax/node.ts';
import { loadParser } from '../../support/parser.ts';

/**
 * A parser that counts the trees that live, and can be told to give incremental trees that differ
 * from fresh ones.
 */
async function counting(): Promise<{
  parser: SyntaxParser;
  live: () => number;
  /** How each text was parsed. */
  parsed: ('whole' | 'again')[];
  spoil: { on: boolean };
}> {
  const real = await loadParser();
  let live = 0;
  const spoil = { on: false };
  const parsed: ('whole' | 'again')[] = [];
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
        parsed.push(previous === undefined ? 'whole' : 'again');
        const tree = real.parse(text, previous && inner.get(previous));
        const counted = count(tree, previous !== undefined);
        inner.set(counted, tree);
        return counted;
      },
    },
    live: () => live,
    parsed,
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

  it('begins a fork with what it has, and is as it was', async () => {
    const { parser, live, parsed } = await counting();
    const documents = createDocuments(parser, kernelStages.lowering);
    const [one, two] = ['int f(void) { return 1; }', 'int g(void) { return 2; }'];
    const before = documents.lowered('/a.c', `${one}\n${two}`, true);
    const fork = documents.fork();
    expect(fork.lowered('/a.c', `${one}\n${two}`, true)).toBe(before);
    const changed = fork.lowered('/a.c', `int x;\n${one}\nint y;\n${two}`, true);
    expect(changed.functions.map(({ text }) => text)).toEqual([one, two]);
    expect(changed.functions.map(originalOf)).toEqual(before.functions);
    expect(parsed).toEqual(['whole', 'again']);
    const after = documents.lowered('/a.c', `${one}\n${two};`, true);
    expect(after.functions[1]).toBe(before.functions[1]);
    fork.dispose();
    expect(live()).toBe(1);
  });

  it.each([
    ['was edited and not settled', ['int x;', 'int xy;']],
    ['has an error', ['int x = ;']],
  ])('lets a fork parse a document that %s from scratch', async (_, texts) => {
    const { parser, parsed } = await counting();
    const documents = createDocuments(parser, kernelStages.lowering);
    for (const text of texts) documents.lowered('/a.c', text, true);
    documents.fork().lowered('/a.c', 'int xyz;', true);
    expect(parsed.at(-1)).toBe('whole');
  });

  it('tells whether a document was parsed without an error', async () => {
    const { parser, live } = await counting();
    const documents = createDocuments(parser, kernelStages.lowering);
    const fork = documents.fork();
    const texts = ['int x;', 'int x = ;', 'int x; /* open', 'int x; /* closed */'];
    for (const store of [documents, fork])
      for (const edited of [true, false])
        expect(texts.map((text) => store.isClean('/a.c', text, edited))).toEqual([
          true,
          false,
          false,
          true,
        ]);
    documents.isClean('/b.c', 'int x = ;', true);
    expect(fork.isClean('/b.c', 'int x = ;', true)).toBe(false);
    for (const store of [fork, documents]) store.dispose();
    expect(live()).toBe(0);
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
