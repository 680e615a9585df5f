import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { SyntaxNode, SyntaxTree } from '../../../server/src/syntax/node.ts';
import { MAX_DEPTH } from '../../../server/src/syntax/walk.ts';
import { loadParser } from '../../support/parser.ts';
import { SAMPLES } from './samples.ts';

const parser = await loadParser();

/** Uses a tree and frees it. */
function using<T>(tree: SyntaxTree, use: (tree: SyntaxTree) => T): T {
  try {
    return use(tree);
  } finally {
    tree.dispose();
  }
}

function depthOf(root: SyntaxNode): number {
  let deepest = 0;
  const stack: [SyntaxNode, number][] = [[root, 1]];
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    const [node, depth] = entry;
    deepest = Math.max(deepest, depth);
    for (const child of node.children) stack.push([child, depth + 1]);
  }
  return deepest;
}

test('prints a tree with fields, tokens, missing tokens and the masked text', () => {
  using(parser.parse('int __init f(void) { g(struct s) }'), (tree) =>
    expect(tree.print()).toMatchInlineSnapshot(`
    "(translation_unit [0, 34)
      (function_definition [0, 34)
        type: (primitive_type [0, 3))
        declarator: (function_declarator [11, 18)
          declarator: (identifier [11, 12))
          parameters: (parameter_list [12, 18)
            ("(" [12, 13))
            (parameter_declaration [13, 17)
              type: (primitive_type [13, 17)))
            (")" [17, 18))))
        body: (compound_statement [19, 34)
          ("{" [19, 20))
          (macro_type_specifier [21, 32)
            name: (identifier [21, 22))
            ("(" [22, 23))
            type: (type_descriptor [30, 31)
              type: (type_identifier [30, 31)))
            (")" [31, 32)))
          (MISSING ";" [32, 32))
          ("}" [33, 34)))))"
  `),
  );
});

test.each(SAMPLES.map((text, index) => [index, text]))('sample %i has no error', (_index, text) => {
  using(parser.parse(text), (tree) => {
    expect(tree.items().filter((item) => item.hasError)).toEqual([]);
    expect(tree.limit).toBeUndefined();
  });
});

test('a function in a function that is not closed is an item of its own, once', () => {
  const text =
    'int f(void)\n{\n\tif (a) {\n\t\tif (b) {\n}\n\nint g(void)\n{\n}\n\nint h(void)\n{\n}\n';
  using(parser.parse(text), (tree) => {
    expect(tree.items().map((item) => text.slice(item.start, item.start + 5))).toEqual([
      'int f',
      'int g',
      'int h',
    ]);
    expect(tree.items()[1]!.node().type).toBe('function_definition');
  });
});

test('a tree ends with dispose, which may be called again', () => {
  const tree = parser.parse('int x;');
  const item = tree.items()[0]!;
  tree.dispose();
  tree.dispose();
  expect(() => item.node()).toThrow('disposed');
  expect(tree.print()).toBe('');
  // A disposed tree is no help for the next parse, and no harm.
  using(parser.parse('int y;', tree), (next) => expect(next.items()[0]!.end).toBe(6));
});

describe('incremental', () => {
  test('the tree before stays as it was', () => {
    const before = parser.parse(SAMPLES[0]!);
    const printed = before.print();
    using(parser.parse(SAMPLES[0]!.replace('-EBUSY', '-EAGAIN;\n\tfoo('), before), () => undefined);
    expect(before.print()).toBe(printed);
    expect(before.items().length).toBeGreaterThan(5);
    before.dispose();
  });

  test('a chain of trees, each made from the one before and freed after', () => {
    let text = '';
    let tree = parser.parse(text);
    for (const char of SAMPLES[0]!) {
      text += char;
      const next = parser.parse(text, tree);
      tree.dispose();
      tree = next;
    }
    const typed = tree.print();
    tree.dispose();
    using(parser.parse(text), (fresh) => expect(typed).toBe(fresh.print()));
  });

  /**
   * Edits that a person makes inside a function; each leaves a text that parses without an error.
   */
  const statement = fc.constantFrom(
    '',
    'a = b;',
    'if (a) {\n\t\tb();\n\t}\n',
    '/* { */',
    'list_for_each_entry(a, &b, c) { d(); }',
    'x = container_of(a, struct b, c);',
    '\r\n',
    'u8 *p __free(kfree) = NULL;',
    's = "\u{1f600}";',
  );
  /**
   * Where a statement may be inserted: behind the lines of a function that end with a semicolon.
   */
  const places = SAMPLES.map((text) => {
    const body = text.search(/\)\r?\n\{/);
    return [...text.matchAll(/^\t+[^\n]*;\r?\n/gm)]
      .map((match) => match.index + match[0].length)
      .filter((at) => at > body);
  });

  test('after whole statements the tree is that of a fresh parse', () => {
    const sample = fc.constantFrom(0, 2);
    fc.assert(
      fc.property(
        sample,
        fc.array(fc.tuple(fc.nat(), statement), { minLength: 1, maxLength: 6 }),
        (index, edits) => {
          let text = SAMPLES[index]!;
          let tree = parser.parse(text);
          for (const [place, inserted] of edits) {
            const at = places[index]![place % places[index]!.length]!;
            text = text.slice(0, at) + inserted + text.slice(at);
            const next = parser.parse(text, tree);
            tree.dispose();
            tree = next;
          }
          const incremental = tree.print();
          tree.dispose();
          using(parser.parse(text), (fresh) => expect(incremental).toBe(fresh.print()));
        },
      ),
      { numRuns: 150 },
    );
  });

  const differences = { trees: 0, different: 0 };
  afterAll(() =>
    console.log(
      `incremental trees that differ from a fresh one after random edits: ${differences.different} of ${differences.trees}`,
    ),
  );

  test('after any edit the tree is whole, and it differs from a fresh one only where both have an error', () => {
    const fragment = fc.constantFrom(
      '',
      'x',
      ';',
      '(',
      ')',
      '{',
      '}',
      '\n',
      '"',
      "'",
      '/*',
      '*/',
      '#if A\n',
      '\n#endif\n',
      '\ud83d',
      '\ude00',
      '\0',
      '\r',
      'struct ',
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...SAMPLES),
        fc.nat(),
        fc.nat(12),
        fragment,
        (text, place, deleted, inserted) => {
          const at = place % (text.length + 1);
          const edited = text.slice(0, at) + inserted + text.slice(at + deleted);
          const before = parser.parse(text);
          const after = parser.parse(edited, before);
          before.dispose();
          using(after, () => {
            const { version, difference } = after.since!;
            expect(version).toBe(before.version);
            for (const kind of ['text', 'masked'] as const) {
              const { start, oldEnd, newEnd } = difference;
              expect(after[kind].slice(0, start)).toBe(before[kind].slice(0, start));
              expect(after[kind].slice(newEnd)).toBe(before[kind].slice(oldEnd));
            }
            const items = after.items();
            expect(items.map((item) => item.start)).toEqual(
              items.map((item) => item.start).sort((left, right) => left - right),
            );
            for (const item of items) {
              expect(item.end).toBeLessThanOrEqual(edited.length);
              expect(item.node()).toMatchObject({
                type: item.type,
                start: item.start,
                end: item.end,
              });
            }
            // The parser may recover from an error in another way than a fresh parse does. Which
            // errors there are may differ then, but not whether there is one.
            using(parser.parse(edited), (fresh) => {
              differences.trees++;
              if (fresh.print() === after.print()) return;
              differences.different++;
              expect(fresh.items().some((item) => item.hasError)).toBe(true);
              expect(after.items().some((item) => item.hasError)).toBe(true);
            });
          });
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe('bad input', () => {
  const many = 100_000;
  test.each<[string, string]>([
    ['nothing', ''],
    ['NULs', '\0'.repeat(many)],
    ['a byte order mark', '\ufeffint x;\n'],
    ['lone surrogates', '\ud800 \udc00 int \udfff x;\n'],
    ['carriage returns', 'int x;\rint y;\r'],
    ['open braces', '{'.repeat(many)],
    ['nested braces', `int f(void) ${'{'.repeat(many)}${'}'.repeat(many)}`],
    ['nested parentheses', `int x = ${'('.repeat(many)}1${')'.repeat(many)};`],
    ['nested calls with types', `int f(void) { ${'f(struct x, '.repeat(many / 10)}`],
    ['unmatched brackets', `${'('.repeat(many / 4)}${']'.repeat(many / 4)}${'}'.repeat(many / 4)}`],
    ['a long sum', `int x = ${'1+'.repeat(many)}1;`],
    ['open #if', '#if A\n'.repeat(many / 10)],
    ['nested #if', `${'#if A\n'.repeat(many / 10)}int x;\n${'#endif\n'.repeat(many / 10)}`],
    ['many arms', `#if A\nint x;\n${'#elif B\nint y;\n'.repeat(many / 20)}#endif\n`],
    [
      'extern "C" nested',
      `${'extern "C" {\n'.repeat(many / 50)}int x;\n${'}\n'.repeat(many / 50)}`,
    ],
    ['functions in functions', 'int f(void)\n{\n\tif (a) {\n}\n'.repeat(many / 100)],
    ['quotes', '"'.repeat(many / 4)],
    ['a truncated file', SAMPLES[0]!.slice(0, 700)],
  ])('%s', (_name, text) => {
    using(parser.parse(text), (tree) => {
      expect(tree.limit).toBeUndefined();
      expect(tree.masked.length).toBe(text.length);
      for (const item of tree.items())
        expect(depthOf(item.node())).toBeLessThanOrEqual(MAX_DEPTH + 1);
      expect(tree.print().length).toBeGreaterThan(0);
    });
  });

  test('what is deeper than the limit is one ERROR node', () => {
    using(parser.parse(`int f(void) ${'{'.repeat(1000)}${'}'.repeat(1000)}`), (tree) => {
      let node = tree.items()[0]!.node();
      for (let depth = 0; depth < MAX_DEPTH; depth++)
        node = node.children.find(
          (child) => child.type === 'compound_statement' || child.type === 'ERROR',
        )!;
      expect(node).toMatchObject({ type: 'ERROR', named: true, children: [] });
    });
  });

  test('ten megabytes of C are one item with a reason, and the next parse works', () => {
    const text = SAMPLES[0]!.repeat(Math.ceil(10_000_000 / SAMPLES[0]!.length));
    using(parser.parse(text), (tree) => {
      expect(tree.limit).toContain('longer than');
      expect(tree.items().map(({ type, start, end }) => ({ type, start, end }))).toEqual([
        { type: 'ERROR', start: 0, end: text.length },
      ]);
      expect(tree.items()[0]!.node().children).toEqual([]);
      using(parser.parse('int x;', tree), (next) => expect(next.items().length).toBe(1));
    });
  });

  test('nothing throws on any string', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.string({ unit: 'binary', maxLength: 200 }),
        (first, second) => {
          using(parser.parse(first), (before) =>
            using(parser.parse(second, before), (after) => {
              for (const item of after.items()) item.node();
              after.print();
            }),
          );
        },
      ),
      { numRuns: 500 },
    );
  });
});
