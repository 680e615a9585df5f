import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLoweringCache } from '../../../server/src/ir/lower.ts';
import { printFile } from '../../../server/src/ir/print.ts';
import type { FileIr } from '../../../server/src/ir/types.ts';
import { lower } from './lowering.ts';

const TOKENS = [
  'if',
  'else',
  'while',
  'for',
  'do',
  'switch',
  'case',
  'default',
  'return',
  'goto',
  'break',
  'continue',
  'struct',
  'union',
  'enum',
  'typedef',
  'static',
  'const',
  'int',
  'void',
  'sizeof',
  'typeof',
  'asm',
  'a',
  'b',
  'foo',
  'list_for_each_entry',
  'scoped_guard',
  'guard',
  'container_of',
  'vfio_put_device',
  '__user',
  '__free(kfree)',
  '{',
  '}',
  '{',
  '}',
  '(',
  ')',
  '(',
  ')',
  '[',
  ']',
  ';',
  ';',
  ';',
  ',',
  ':',
  '?',
  '...',
  '=',
  '==',
  '+',
  '*',
  '&',
  '!',
  '->',
  '.',
  '"s"',
  "'c'",
  '1',
  '0x1f',
  '/* c */',
  '// c\n',
  '\n',
  '\n#if A\n',
  '\n#else\n',
  '\n#endif\n',
  '\n#define M(x) f(x)\n',
  '\n#include "x.h"\n',
  '#',
  '\\\n',
  '@',
  '\u{1f600}',
];
const PIECES = [
  'static int f(struct foo *p)\n{\n\tint ret = g(p);\n\n\tif (ret)\n\t\tgoto err;\n\treturn 0;\nerr:\n\th(p);\n\treturn ret;\n}\n',
  'static const struct ops o = {\n#ifdef A\n\t.a = f,\n#endif\n\t.b = g,\n};\n',
  'struct foo { struct vfio_device vdev; int x, *y; };\n',
  '#define to_foo(v) container_of(v, struct foo, vdev)\n',
  'MODULE_LICENSE("GPL");\n',
  'typedef struct { int a; } t;\n',
  '#if A\nint x;\n#endif\n',
];

const arbitraryText = fc.string({ unit: 'binary', maxLength: 200 });
const tokenSoup = fc
  .array(fc.constantFrom(...TOKENS), { maxLength: 60 })
  .map((tokens) => tokens.join(' '));
const brokenFile = fc
  .tuple(
    fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 5 }),
    fc.array(
      fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(12), fc.constantFrom(...TOKENS)),
      { maxLength: 3 },
    ),
  )
  .map(([pieces, edits]) =>
    edits.reduce((text, [where, length, token]) => {
      const at = Math.floor(where * text.length);
      return text.slice(0, at) + token + text.slice(at + length);
    }, pieces.join('')),
  );
const anyText = fc.oneof(arbitraryText, tokenSoup, brokenFile);

/**
 * Parts of a node that stand elsewhere in the text than the node: a declarator is inside its
 * statement, not around it.
 */
const OUTSIDE: ReadonlySet<string> = new Set(['statement', 'type', 'returnType']);

/** Every span lies in the text and in that of the node around it. */
function checkSpans(value: unknown, start: number, end: number): void {
  if (Array.isArray(value)) {
    for (const item of value) checkSpans(item, start, end);
  } else if (typeof value === 'object' && value !== null) {
    let [from, to] = [start, end];
    if ('start' in value && 'end' in value) {
      [from, to] = [Number(value.start), Number(value.end)];
      expect(
        [from >= start, from <= to, to <= end],
        `[${from}, ${to}) in [${start}, ${end}): ${JSON.stringify(value)}`,
      ).toEqual([true, true, true]);
    }
    for (const [key, part] of Object.entries(value)) {
      if (!OUTSIDE.has(key)) checkSpans(part, from, to);
    }
  }
}

function checkFile(ir: FileIr): void {
  const {
    functions,
    structs,
    variables,
    macros,
    includes,
    prototypes,
    fileMacros,
    comments,
    lost,
  } = ir;
  checkSpans(
    [functions, structs, variables, macros, includes, prototypes, fileMacros, comments, lost],
    0,
    ir.text.length,
  );
}

describe('lowering', () => {
  test('never throws, and every span lies in its parent', () => {
    fc.assert(
      fc.property(anyText, (text) => checkFile(lower(text))),
      { numRuns: 400 },
    );
  });

  test('with a cache gives what it gives without', () => {
    fc.assert(
      fc.property(fc.array(brokenFile, { minLength: 2, maxLength: 4 }), (texts) => {
        const cache = createLoweringCache();
        for (const text of [...texts, texts[0]!])
          expect(printFile(lower(text, cache), { spans: true })).toBe(
            printFile(lower(text), { spans: true }),
          );
      }),
      { numRuns: 100 },
    );
  });

  test('with a cache gives what it gives without, edit by edit', () => {
    const edit = fc.tuple(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(12),
      fc.constantFrom('', '', '\n', 'x', '/*', ...PIECES, ...TOKENS),
    );
    fc.assert(
      fc.property(brokenFile, fc.array(edit, { minLength: 1, maxLength: 6 }), (first, edits) => {
        const cache = createLoweringCache();
        let text = first;
        for (const [where, length, added] of [[0, 0, ''] as const, ...edits]) {
          const at = Math.floor(where * text.length);
          text = text.slice(0, at) + added + text.slice(at + length);
          expect(printFile(lower(text, cache), { spans: true })).toBe(
            printFile(lower(text), { spans: true }),
          );
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('deep nesting', () => {
  const DEPTH = 20_000;
  test.each<[what: string, text: string]>([
    ['blocks', `void f(void) ${'{'.repeat(DEPTH)}${'}'.repeat(DEPTH)}`],
    ['open blocks', `void f(void) ${'{'.repeat(DEPTH)}`],
    ['parentheses', `void f(void) { x = ${'('.repeat(DEPTH)}a${')'.repeat(DEPTH)}; }`],
    ['operators', `void f(void) { x = ${'a + '.repeat(DEPTH)}a; }`],
    ['unary operators', `void f(void) { x = ${'*'.repeat(DEPTH)}a; }`],
    ['pointers', `int ${'*'.repeat(DEPTH)}a;`],
    ['else if', `void f(void) { ${'if (a) b(); else '.repeat(DEPTH)} c(); }`],
    ['labels', `void f(void) { ${'l: '.repeat(DEPTH)} c(); }`],
    ['commas', `void f(void) { x = (${'a, '.repeat(DEPTH)}a); }`],
    ['calls', `void f(void) { ${'g('.repeat(DEPTH)}a${')'.repeat(DEPTH)}; }`],
    ['members', `void f(void) { x = a${'.b'.repeat(DEPTH)}; }`],
    ['initialisers', `int a[] = ${'{'.repeat(DEPTH)}${'}'.repeat(DEPTH)};`],
    ['structs', `${'struct { '.repeat(DEPTH)}int a;${'};'.repeat(DEPTH)}`],
    ['#if', `${'#if A\n'.repeat(DEPTH)}int a;\n${'#endif\n'.repeat(DEPTH)}`],
    [
      '#if in a function',
      `void f(void) {\n${'#if A\n'.repeat(DEPTH)}a();\n${'#endif\n'.repeat(DEPTH)}}`,
    ],
    ['a macro', `#define M(x) ${'('.repeat(DEPTH)}f(x)${')'.repeat(DEPTH)}\n`],
  ])('of %s overflows no stack', (_, text) => {
    const ir = lower(text);
    checkFile(ir);
    printFile(ir);
  });

  test('beyond the bound makes the function opaque', () => {
    const nested = (depth: number): boolean | undefined =>
      lower(`void f(void) { ${'if (a) { '.repeat(depth)} b(); ${'} '.repeat(depth)} }`).functions[0]
        ?.opaque;
    expect(nested(20)).toBe(false);
    expect(nested(1000)).toBe(true);
  });
});
