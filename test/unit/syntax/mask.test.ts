import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kernelMask, maskAgain, type Masked } from '../../../server/src/syntax/mask.ts';
import { MASK_SAMPLE } from '../../../server/src/syntax/mask-sample.ts';
import type { MaskNote } from '../../../server/src/syntax/node.ts';
import { ANNOTATION_CALLS, ANNOTATIONS } from '../../../server/src/syntax/mask-tables.ts';
import { LEAKY } from '../../support/drivers.ts';
import { loadParser } from '../../support/parser.ts';

const KINDS: Readonly<Record<MaskNote['kind'], true>> = {
  'type-keyword': true,
  annotation: true,
  'attribute-macro': true,
  'loop-macro': true,
  'block-macro': true,
  'case-range': true,
  'file-macro': true,
  'field-macro': true,
  directive: true,
  label: true,
  unfinished: true,
  'open-block': true,
  comment: true,
  split: true,
};

test('the sample has all that the mask does to a text', () => {
  const { notes } = kernelMask(MASK_SAMPLE);
  expect([...new Set(notes.map(({ kind }) => kind))].sort()).toEqual(Object.keys(KINDS).sort());
});

test('a text of many tokens is masked as the parts of it are', () => {
  const part = 'int a[] = { 1, 2, 3 }; static int __init b(void);\n',
    many = 20_000;
  expect(kernelMask(part.repeat(many)).masked).toBe(kernelMask(part).masked.repeat(many));
  expect(kernelMask(part).masked).toBe(part.replace('__init', '      '));
});

/** A statement in a function, so that the mask knows where it stands. */
const inFunction = (line: string): string => `int f(void)\n{\n\t${line}\n}\n`;

test('a comment that nothing closes goes to the end of the text, as in C', () => {
  const text = 'int a; /* b */\nint c; /* d\n/* e\nint f;\n';
  const { masked, notes } = kernelMask(text);
  expect(masked).toBe('int a; /* b */\nint c;     \n    \n      \n');
  expect(notes).toEqual([{ kind: 'comment', start: 22, end: text.length, text: text.slice(22) }]);
});

test('so does one in a directive', () => {
  expect(kernelMask('#define A /* b\nint f;\n').masked).toBe('#define A     \n      \n');
});

/** Two lines: the text, and what the parser sees. */
test.each([
  [
    'a type as an argument',
    `
    x = container_of(p, struct foo, member);
    x = container_of(p,        foo, member);`,
  ],
  [
    'a pointer type as an argument',
    `
    x = va_arg(ap, const struct foo *);
    x = va_arg(ap,              foo  );`,
  ],
  [
    'a pointer to a typedef as an argument',
    `
    x = va_arg(ap, u8 *);
    x = va_arg(ap, u8  );`,
  ],
  [
    'a basic type as an argument',
    `
    x = min_t(unsigned int, a, b);
    x = min_t(         _nt, a, b);`,
  ],
  [
    'not in sizeof',
    `
    x = kzalloc(sizeof(struct foo), GFP_KERNEL);
    x = kzalloc(sizeof(struct foo), GFP_KERNEL);`,
  ],
  [
    'not in a cast',
    `
    x = f((struct foo *)p, (int)a);
    x = f((struct foo *)p, (int)a);`,
  ],
  [
    'not in a local prototype',
    `
    extern int g(struct foo *, int);
    extern int g(struct foo *, int);`,
  ],
  [
    'not a product',
    `
    x = f(a * b, c);
    x = f(a * b, c);`,
  ],
  [
    'offsetof of a plain member',
    `
    x = offsetof(struct foo, a);
    x = offsetof(struct foo, a);`,
  ],
  [
    'offsetof of a nested member',
    `
    x = offsetof(struct foo, a.b);
    x = _ffsetof(       foo, a.b);`,
  ],
  [
    'annotations',
    `
    struct foo __user *p = (void __force __iomem *)q;
    struct foo        *p = (void                 *)q;`,
  ],
  [
    'an annotation with arguments',
    `
    struct foo *p __free(kfree) = NULL;
    struct foo *p               = NULL;`,
  ],
  [
    'a macro in the place of an attribute',
    `
    a(); auto_foo struct foo *p = NULL;
    a();          struct foo *p = NULL;`,
  ],
  [
    'macros behind a name, with arguments',
    `
    struct foo *p ends(x) quiet = NULL;
    struct foo *p               = NULL;`,
  ],
  [
    'typeof',
    `
    typeof(*p) *q = p;
    typeof     *q = p;`,
  ],
  [
    'a case range',
    `
    switch (a) { case 1 ... 3: b(); }
    switch (a) { case 1      : b(); }`,
  ],
  [
    'a loop macro with a block',
    `
    list_for_each_entry(a, &b, c) { d(); }
    while              (a, &b, c) { d(); }`,
  ],
  [
    'a loop macro with a statement',
    `
    if (x) for_each_set_bit(i, m, n) d(); else e();
    if (x) while           (i, m, n) d(); else e();`,
  ],
  [
    'a loop macro as a plain call',
    `
    pci_for_each_dma_alias(p, fn, d);
    pci_for_each_dma_alias(p, fn, d);`,
  ],
  [
    'a loop macro whose result is used',
    `
    ret = bus_for_each_dev(b, NULL, d, fn);
    ret = bus_for_each_dev(b, NULL, d, fn);`,
  ],
  [
    'scoped_guard',
    `
    scoped_guard(mutex, &x->lock) d();
    if          (mutex, &x->lock) d();`,
  ],
  [
    'scoped_cond_guard',
    `
    scoped_cond_guard(mutex_intr, return -EINTR, &l) { d(); }
    if               (mutex_intr,        -EINTR, &l) { d(); }`,
  ],
  [
    'a jump as an argument without operand',
    `
    scoped_cond_guard(mutex_intr, continue, &l) { d(); }
    if               (mutex_intr, _ontinue, &l) { d(); }`,
  ],
  [
    'an unknown macro with a block',
    `
    with_runtime_pm(dev, ref) { d(); }
    if             (dev, ref) { d(); }`,
  ],
  [
    'guard is a call',
    `
    guard(mutex)(&x->lock);
    guard(mutex)(&x->lock);`,
  ],
  [
    'a control statement',
    `
    while (a) { if (b) { c(); } else { d(); } }
    while (a) { if (b) { c(); } else { d(); } }`,
  ],
  [
    'a statement expression and a compound literal',
    `
    x = ({ for_each_x(a) { b(); } c; }); y = (struct foo){ .a = f(struct g, h) };
    x = ({ while     (a) { b(); } c; }); y = (struct foo){ .a = f(       g, h) };`,
  ],
  [
    'a static definition by a macro',
    `
    static DEFINE_RATELIMIT_STATE(rs, 5 * HZ, 1);
    int                           rs            ;`,
  ],
  [
    'a label before the end of its block',
    `
    if (a) { b(); out: }
    if (a) { b(); out; }`,
  ],
  [
    'a label before a statement',
    `
    out: free(a); b: c: return;
    out: free(a); b: c: return;`,
  ],
  [
    'a definition by a macro with an initialiser',
    `
    DECLARE_BITMAP(mask, NBITS) = { 0 }; DECLARE_BITMAP(rest, NBITS); a(b) == c;
    int            mask         = { 0 }; DECLARE_BITMAP(rest, NBITS); a(b) == c;`,
  ],
  [
    'not in comments, strings and characters',
    `
    x = f("struct a, __user"); /* __user */ c = '"'; // __user
    x = f("struct a, __user"); /* __user */ c = '"'; // __user`,
  ],
])('in a function: %s', (_name, lines) => {
  const [text = '', expected = ''] = lines
    .trim()
    .split('\n')
    .map((line) => line.trim());
  expect(kernelMask(inFunction(text)).masked).toBe(inFunction(expected));
});

test.each([
  [
    'attributes of a function',
    `
    static int __init f(void)
    static int        f(void)`,
  ],
  [
    'an unknown attribute before the type',
    `
    STATIC int f(void) {}
           int f(void) {}`,
  ],
  [
    'an unknown attribute before the name',
    `
    static struct foo *__foo f(void) {}
    static struct foo *      f(void) {}`,
  ],
  [
    'an unknown attribute and a typedef',
    `
    STATIC NV_STATUS f(void) {} static nv_t __foo g(void) {}
           NV_STATUS f(void) {} static nv_t       g(void) {}`,
  ],
  [
    'an attribute behind the parameters',
    `
    int f(void) __must_hold(l) FOO(x) {}
    int f(void)                       {}`,
  ],
  [
    'a typedef alone is the type',
    `
    NV_STATUS f(void) {}
    NV_STATUS f(void) {}`,
  ],
  [
    'parameters keep their types',
    `
    int f(struct foo *, struct bar);
    int f(struct foo *, struct bar);`,
  ],
  [
    'attributes of a struct',
    `
    struct foo { int a __aligned(8); u8 b[] __counted_by(a); } __packed;
    struct foo { int a             ; u8 b[]                ; }         ;`,
  ],
  [
    'DECLARE_BITMAP',
    `
    struct foo { DECLARE_BITMAP(map, N); int b; };
    struct foo { int            map   ; int b; };`.replace('map   ;', 'map    ;'),
  ],
  [
    'a flexible array',
    `
    struct foo { DECLARE_FLEX_ARRAY(struct bar, list); };
    struct foo { int                            list ; };`,
  ],
  [
    'a group of fields',
    `
    struct foo { struct_group(name, int a; int b;); int c; };
    struct foo {                    int a; int b;   int c; };`,
  ],
  [
    'a function pointer in a struct',
    `
    struct foo { int (*f)(struct bar *, int); int g; };
    struct foo { int (*f)(struct bar *, int); int g; };`,
  ],
  [
    'type arguments in an initialiser',
    `
    static struct foo x = { .a = f(struct bar, b), .c = sizeof(struct bar) };
    static struct foo x = { .a = f(       bar, b), .c = sizeof(struct bar) };`,
  ],
  [
    'a range in an array initialiser',
    `
    static int x[] = { [0 ... 3] = 1 };
    static int x[] = { [0 ... 3] = 1 };`,
  ],
])('at file scope: %s', (_name, lines) => {
  const [text, expected] = lines
    .trim()
    .split('\n')
    .map((line) => line.trim());
  const start = lines.trim().split('\n')[1]!.search(/\S/);
  expect(kernelMask(text!).masked).toBe(expected!.padStart(expected!.length + start - 4));
});

test('macros at file scope, with or without a semicolon', () => {
  const text =
    'MODULE_LICENSE("GPL");\nmodule_init(f)\nmodule_exit(g)\nstatic DEFINE_MUTEX(m);\nint x;\nSTATIC\nint f(void);\n';
  const { masked, notes } = kernelMask(text);
  expect(masked.replace(/ +/g, '')).toBe('\n\n\n\nintx;\n\nintf(void);\n');
  expect(notes.map(({ kind, text }) => `${kind}: ${text}`)).toEqual([
    'file-macro: MODULE_LICENSE("GPL");',
    'file-macro: module_init(f)',
    'file-macro: module_exit(g)',
    'file-macro: static DEFINE_MUTEX(m);',
    'file-macro: STATIC',
  ]);
});

test.each([
  ['a macro that is a type', 'TYPE(int) f(void)\n{\n}\n'],
  ['a call behind a stray brace', 'int f(void)\n{\n\ta();\n\t}\n\tb();\n}\n'],
  [
    'a variable and a prototype',
    'static int x = f(1);\nextern struct foo *g(void);\nint (*h)(int);\n',
  ],
])('left alone at file scope: %s', (_name, text) => {
  expect(kernelMask(text).masked).toBe(text);
});

describe('#if chains', () => {
  const visible = (text: string): string =>
    kernelMask(text)
      .masked.split('\n')
      .filter((line) => line.trim() !== '')
      .join('\n');
  test('in an initialiser every entry is seen', () => {
    const text = 'struct foo a = {\n#ifdef A\n\t.x = 1,\n#else\n\t.x = 2,\n#endif\n\t.y = 3,\n};';
    expect(visible(text)).toBe('struct foo a = {\n\t.x = 1,\n\t.x = 2,\n\t.y = 3,\n};');
    expect(kernelMask(text).notes.map(({ kind, text }) => `${kind}: ${text}`)).toEqual([
      'directive: #ifdef A',
      'directive: #else',
      'directive: #endif',
    ]);
  });
  test.each([
    ['around whole items', '#ifdef A\nint x;\n#else\nint y;\n#endif'],
    [
      'around whole statements',
      inFunction(
        'a();\n#ifdef A\n\tb();\n#else\n\tc();\n#endif\n#if B\n\td();\n#endif\n\treturn 0;',
      ),
    ],
    [
      'around fields and enumerators',
      'struct foo {\n#ifdef A\n\tint x;\n#endif\n};\nenum bar {\n\tX,\n#ifdef A\n\tY\n#endif\n};',
    ],
    [
      'around cases',
      inFunction('switch (a) {\n\tcase 1:\n#ifdef A\n\tcase 2:\n#endif\n\t\tb();\n\t}'),
    ],
    ['in a macro', '#define X(a) \\\n\tfoo(a, \\\n\t    1)\nint x;'],
  ])('left alone: %s', (_name, text) => {
    expect(kernelMask(text).masked).toBe(text);
  });
  test('behind a label: the parser sees a statement', () => {
    const { masked, notes } = kernelMask(inFunction('out :\n#if B\n\td();\n#endif\n\treturn 0;'));
    expect(masked).toBe(inFunction('out ;\n#if B\n\td();\n#endif\n\treturn 0;'));
    expect(notes.map(({ kind, text }) => [kind, text])).toEqual([['label', ':']]);
  });
  test.each([
    [
      'two heads of one function',
      '#if A\nint f(int a)\n#else\nint f(int a, int b)\n#endif\n{\n}',
      'int f(int a)\n{\n}',
    ],
    [
      'arguments',
      inFunction('f(a,\n#ifdef A\n\t  b,\n#endif\n\t  c);'),
      inFunction('f(a,\n\t  b,\n\t  c);').trimEnd(),
    ],
    [
      'two heads of one block',
      inFunction('#ifdef A\n\tif (a) {\n#else\n\tif (b) {\n#endif\n\t}').replace('\t#', '#'),
      'int f(void)\n{\n\tif (a) {\n\t}\n}',
    ],
    [
      'else behind a chain',
      inFunction('if (a)\n\t\tb();\n#ifdef A\n\telse\n\t\tc();\n#endif'),
      'int f(void)\n{\n\tif (a)\n\t\tb();\n\telse\n\t\tc();\n}',
    ],
    [
      'else before the end',
      inFunction('a();\n#ifdef A\n\tif (a)\n\t\tb();\n\telse\n#endif\n\t\tc();'),
      'int f(void)\n{\n\ta();\n\tif (a)\n\t\tb();\n\telse\n\t\tc();\n}',
    ],
    [
      'the controlled statement',
      inFunction('if (a)\n#ifdef A\n\t\tb();\n#else\n\t\tc();\n#endif\n\td();'),
      'int f(void)\n{\n\tif (a)\n\t\tb();\n\td();\n}',
    ],
    [
      'a second arm that ends early',
      inFunction('a();\n#ifdef A\n\tb();\n#else\n\tif (c)\n#endif\n\t\td();'),
      'int f(void)\n{\n\ta();\n\tb();\n\t\td();\n}',
    ],
    [
      'what #if 0 leaves out, when its braces do not pair',
      'void f(void)\n{\n\tg();\n#if 0\n\t} broken ( here\n#endif\n\th();\n}',
      'void f(void)\n{\n\tg();\n\th();\n}',
    ],
    [
      'extern "C"',
      '#ifdef __cplusplus\nextern "C" {\n#endif\nint x;\n#ifdef __cplusplus\n}\n#endif',
      'int x;',
    ],
  ])('split: %s', (_name, text, expected) => {
    expect(visible(text)).toBe(expected);
    expect(kernelMask(text).notes.every((note) => note.kind === 'split')).toBe(true);
  });
  test('a chain that is not closed is left alone', () => {
    expect(kernelMask('#ifdef A\nint x;\n#else\nint y;\n').masked).toBe(
      '#ifdef A\nint x;\n#else\nint y;\n',
    );
  });
});

test('no function is lost while a brace is missing', async () => {
  const text =
    'int f(void)\n{\n\tif (a) {\n\t\tb();\n}\n\nstatic int __foo g(void)\n{\n\tx = container_of(p, struct q, r);\n}\nmodule_init(g)\n';
  const tree = (await loadParser()).parse(text);
  expect(
    tree.items().map((item) => `${item.type} ${text.slice(item.start, item.end).split('\n')[0]}`),
  ).toEqual(['function_definition int f(void)', 'function_definition static int __foo g(void)']);
  expect(tree.masked).toContain('static int       g(void)');
  tree.dispose();
});

test('every annotation of the tables lets the parser see a clean declaration', async () => {
  const parser = await loadParser();
  for (const word of [...ANNOTATIONS, ...ANNOTATION_CALLS.map((name) => `${name}(a, "b)", (c))`)]) {
    const tree = parser.parse(`static int ${word} f(struct foo ${word} *p);\n`);
    expect([word, tree.items().map((item) => [item.type, item.hasError])]).toEqual([
      word,
      [['declaration', false]],
    ]);
    tree.dispose();
  }
});

describe('properties', () => {
  const word = fc.constantFrom(
    'struct ',
    'int ',
    'foo',
    'list_for_each_entry',
    '__user',
    '__free',
    'case ',
    '...',
    'if ',
    'else ',
    'do ',
    'return ',
    'typeof',
    'offsetof',
    'static ',
    'DECLARE_BITMAP',
    'struct_group',
    'scoped_guard',
    '(',
    ')',
    '{',
    '}',
    '[',
    ']',
    ';',
    ',',
    ':',
    '=',
    '*',
    '#',
    '\n#if A\n',
    '\n#ifdef __cplusplus\n',
    '\n#else\n',
    '\n#elif B\n',
    '\n#endif\n',
    '\n#define X \\\n',
    '"',
    "'",
    '/*',
    '*/',
    '//',
    '\\',
    '\\\n',
    '\r\n',
    '\r',
    '\n',
    '\t',
    '\0',
    '\ufeff',
    '\ud800',
    '\udc00',
  );
  const soup = fc.array(word, { maxLength: 60 }).map((parts) => parts.join(''));
  const anything = fc.oneof(soup, fc.string({ unit: 'binary' }));

  test('keeps the length and every line end', () => {
    fc.assert(
      fc.property(anything, (text) => {
        const { masked } = kernelMask(text);
        expect(masked.length).toBe(text.length);
        expect([...masked.matchAll(/[\r\n]/g)].map((match) => match[0] + match.index)).toEqual(
          [...text.matchAll(/[\r\n]/g)].map((match) => match[0] + match.index),
        );
      }),
      { numRuns: 2000 },
    );
  });
  test('changes nothing outside of its notes but NULs, and its notes are in order', () => {
    fc.assert(
      fc.property(anything, (text) => {
        const { masked, notes } = kernelMask(text);
        let at = 0;
        for (const note of [...notes, { start: text.length, end: text.length, text: '' }]) {
          expect(note.start).toBeGreaterThanOrEqual(at);
          expect(note.text).toBe(text.slice(note.start, note.end));
          expect(masked.slice(at, note.start)).toBe(
            text.slice(at, note.start).replaceAll('\0', ' '),
          );
          at = note.end;
        }
      }),
      { numRuns: 2000 },
    );
  });
  test('of a text that was edited is the mask of the text as it is', () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(8), fc.oneof(soup, word)), { maxLength: 6 });
    const items = fc.array(fc.oneof(soup, fc.constant(LEAKY)), { maxLength: 4 });
    fc.assert(
      fc.property(items, edits, (parts, changes) => {
        let text = parts.join('\n');
        let mask = kernelMask(text);
        for (const [place, removed, added] of changes) {
          const start = place % (text.length + 1),
            oldEnd = Math.min(text.length, start + removed),
            newEnd = start + added.length;
          text = text.slice(0, start) + added + text.slice(oldEnd);
          const before = mask.masked;
          const { remade, ...again } = maskAgain(text, mask, { start, oldEnd, newEnd });
          expect(again).toEqual(kernelMask(text));
          if (remade) {
            const tail = text.length - remade.newEnd;
            expect(before.length - remade.oldEnd).toBe(tail);
            expect(again.masked.slice(0, remade.start)).toBe(before.slice(0, remade.start));
            expect(again.masked.slice(remade.newEnd)).toBe(before.slice(remade.oldEnd));
          }
          mask = again;
        }
      }),
      { numRuns: 1000 },
    );
  });
  test('can be applied again', () => {
    fc.assert(
      fc.property(anything, (text) => {
        expect(kernelMask(kernelMask(text).masked).masked.length).toBe(text.length);
      }),
    );
  });
});

describe('a line whose end is not typed yet', () => {
  const parserReady = loadParser();
  /** The statements of the function that are left, without the first. */
  test.each([
    ['a call', 'foo(bar)'],
    ['an open call', 'foo(bar, '],
    ['a name', 'fo'],
    ['an open member', 'a->'],
    ['an assignment', 'a = '],
    ['a return', 'return'],
    ['a goto', 'goto '],
    ['an open string', 'pr_info("abc'],
    ['a type', 'struct foo *'],
    ['a declaration', 'struct foo *p'],
    ['an open initialiser', 'struct foo *p = container_of(a, str'],
    ['an open condition', 'if (a'],
    ['an open for', 'for (i'],
    ['a loop macro', 'list_for_each_entry(a, '],
    ['a macro name', 'list_for'],
  ])('takes nothing with it: %s', async (_name, typed) => {
    const parser = await parserReady;
    for (const rest of [
      '\treturn b;\n',
      '\n\tc = d(b);\n',
      '\tif (b)\n\t\tc(d);\n\telse\n\t\te();\n',
      '\tlist_for_each_entry(a, b, c)\n\t\td(e);\n',
      'err:\n\tc();\n',
      '#ifdef A\n\tc(a);\n#endif\n',
      '',
    ]) {
      // `a =`, `#ifdef A`, `c(a);` may well be one statement.
      if (rest.startsWith('#') && /[=*] ?$/.test(typed)) continue;
      const start = 'int f(void)\n{\n\ta();\n';
      const statements = (text: string, skip: number): string[] => {
        const tree = parser.parse(text);
        const body = tree
          .items()[0]!
          .node()
          .children.find((child) => child.type === 'compound_statement');
        const shift = text.length;
        const found = (body?.children ?? [])
          .filter((child) => child.start >= start.length + skip && child.type !== '}')
          .map((child) => `${child.type} ${child.start - shift}`);
        expect(tree.items().map((item) => item.type)).toEqual([
          'function_definition',
          'function_definition',
        ]);
        tree.dispose();
        return found;
      };
      const end = `${rest}}\n\nint g(void)\n{\n\treturn 0;\n}\n`;
      const expected = statements(`${start}${end}`, 0);
      expect([rest, statements(`${start}\t${typed}\n${end}`, typed.length + 2)]).toEqual([
        rest,
        expected,
      ]);
    }
  });
  test('gets a semicolon in the blanks behind it, or becomes an empty statement', () => {
    const { masked, notes } = kernelMask('int f(void)\n{\n\tfoo(bar)\n\tx(\n\treturn 0;\n}\n');
    expect(masked).toBe('int f(void)\n{\n\tfoo(bar)\n;; \n\treturn 0;\n}\n');
    expect(notes.map(({ kind, text }) => [kind, text])).toEqual([
      ['unfinished', '\t'],
      ['unfinished', 'x('],
    ]);
  });
  test('in a table leaves the other entries', () => {
    const { masked } = kernelMask(
      'struct foo a = {\n\t.x =\n\t.y = b\n\t.z = c(\n\t.w = d,\n\t.v = e\n};\n',
    );
    expect(masked).toBe('struct foo a = {\n\t    \n\t.y = b\n,       \n\t.w = d,\n\t.v = e\n};\n');
  });
  test.each([
    ['deeper lines', 'a = b +\n\t\tc;\n\tf(a,\n\t  b);\n\tif (a &&\n\t    b)\n\t\tc();'],
    ['an operator at the line end', 'a = b +\n\tc(d);\n\ta =\n\tsizeof(d);'],
    [
      'a declaration without its name',
      'static const struct foo\n\tbar = {\n\t\t.a.b = 1,\n\t\t.c = d,\n\t};',
    ],
    [
      'labels, cases and blocks',
      'switch (a) {\n\tcase 1:\n\tdefault:\n\t\tbreak;\n\t}\nout:\n\tdo {\n\t\tb();\n\t} while (c);',
    ],
    ['a string in several lines', 'pr_info("a"\n\t"b");'],
  ])('is not %s', (_name, code) => {
    expect(kernelMask(inFunction(code)).masked).toBe(inFunction(code));
  });
});

describe('a mask after an edit', () => {
  const driver = `int first;\nMODULE_LICENSE("GPL");\n${LEAKY}`;
  const before = kernelMask(driver);
  /** The mask after the first of some words was replaced. */
  const edited = (word: string, by: string): Masked => {
    const start = driver.indexOf(word);
    const text = driver.replace(word, by);
    const difference = { start, oldEnd: start + word.length, newEnd: start + by.length };
    const after = maskAgain(text, before, difference);
    expect({ ...after, remade: undefined }).toEqual(kernelMask(text));
    return after;
  };
  /** Are the notes in front of the edit those of before, so that only some of the text was looked at? */
  const isShort = ({ notes: [note] }: Masked): boolean =>
    note !== undefined && note === before.notes[0];

  test('takes over what is behind whole items', () => {
    expect(isShort(edited('vfio_register_emulated_iommu_dev', 'vfio_register'))).toBe(true);
    expect(
      isShort(edited('vfio_register_emulated_iommu_dev(', 'vfio_register_emulated_iommu_dev(')),
    ).toBe(true);
    expect(isShort(edited('vfio_register_emulated_iommu_dev(', ''))).toBe(true);
  });
  test.each(['/*', '\n#if A\n'])('looks at all where %j leaves it open', (open) => {
    expect(isShort(edited('if (IS_ERR(foo))', open))).toBe(false);
  });
  test.each([
    ['a backslash in front of the next item', '\n}\n\n', '\n} // \\\n'],
    ['an annotation whose arguments may go on', '\n}\n\nstatic', '\n} __printf(\nstatic'],
    ['the line end in front of an item', '\n}\n\n', '\n} '],
  ])('is that of the whole text for %s', (_name, word, by) => {
    expect(driver).toContain(word);
    edited(word, by);
  });
});
