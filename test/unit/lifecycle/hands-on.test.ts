/** What calls hand on, and that it is looked for again in another module with the same function. */
import { expect, test } from 'vitest';
import type { CallExpr } from '../../../server/src/ir/types.ts';
import { calls } from '../../../server/src/ir/visit.ts';
import { handsOn, type Done } from '../../../server/src/lifecycle/footprint/handed-on.ts';
import { writtenOutExpression } from '../../../server/src/lifecycle/footprint/macros.ts';
import { scopeOf, type Scope } from '../../../server/src/lifecycle/module/types-of.ts';
import type { Module } from '../../../server/src/lifecycle/types.ts';
import { factsOf, MAIN } from '../../support/analyse.ts';
import { FOO } from './support.ts';

const WIPE = 'static inline void wipe(void *at)\n{\n\tmemset(at, 0, 8);\n}\n';
const NOTE = 'static inline void wipe(void *at)\n{\n\tpr_info("%p", at);\n}\n';

/** A module whose function `work` makes `call`, with these texts above it and in its header. */
function moduleOf(call: string, above = '', header = ''): Module {
  const text = `#include "foo.h"\n${FOO}${above}static void work(struct foo *foo)\n{\n\tu8 *bytes = (u8 *)foo;\n\n\t${call};\n\tvfio_put_device(&foo->vdev);\n}\n`;
  return factsOf({ [MAIN]: text, 'foo.h': header }, '6.2').module;
}

function firstCall(
  module: Module,
  caller = 'work',
): { readonly scope: Scope; readonly call: CallExpr } {
  const file = module.sources[0]!;
  const fn = file.functions.find(({ name }) => name === caller)!;
  return { scope: scopeOf(module, file, fn), call: calls(fn)[0]! };
}

/** The functions that the first call in a function hands its arguments to; `=` for a store. */
function handed(module: Module, caller = 'work'): readonly string[] {
  const { scope, call } = firstCall(module, caller);
  const found: string[] = [];
  const note = ({ to, position }: Done): boolean => {
    found.push(`${to ?? '='} ${position}`);
    return false;
  };
  handsOn(scope, call, note, () => true);
  return found;
}

test.each([
  ['a function of the kernel', 'memset(foo, 0, 8)', '', ['memset 0', 'memset 1', 'memset 2']],
  ['a helper that hands it on', 'wipe(foo)', WIPE, ['memset 0']],
  [
    'a helper that stores bytes through an alias',
    'fill(foo)',
    'static void fill(void *at)\n{\n\tu8 *byte = at;\n\n\t*byte = 1;\n}\n',
    ['= 0'],
  ],
  [
    'a helper that comes back to itself',
    'again(foo)',
    'static void again(void *at)\n{\n\tagain(at);\n\tmemset(at, 0, 8);\n}\n',
    ['memset 0'],
  ],
  [
    'a macro whose name has a dollar',
    'help(foo)',
    '#define $wipe memset\nstatic void help(void *at)\n{\n\t$wipe(at, 0, 8);\n}\n',
    ['memset 0'],
  ],
  [
    'a macro whose name has letters beyond ASCII',
    'help(foo)',
    '#define größe memset\nstatic void help(void *at)\n{\n\tgröße(at, 0, 8);\n}\n',
    ['memset 0'],
  ],
  [
    'a macro whose name has letters by their numbers',
    'help(foo)',
    '#define gr\\u00f6\\u00dfe memset\nstatic void help(void *at)\n{\n\tgr\\u00f6\\u00dfe(at, 0, 8);\n}\n',
    ['memset 0'],
  ],
  [
    'a macro with two definitions',
    'CLEAR(foo)',
    '#ifdef A\n#define CLEAR(p) memset(p, 0, 8)\n#else\n#define CLEAR(p) memzero_explicit(p, 8)\n#endif\n',
    ['memset 0', 'memzero_explicit 0'],
  ],
  [
    'what is not evaluated',
    'look(foo)',
    'static void look(void *at)\n{\n\tsize_t n = sizeof(wipe(at));\n}\n',
    [],
  ],
] as const)('a call hands on to %s', (_, call, above, expected) => {
  expect(handed(moduleOf(call, above))).toEqual(expected);
});

test.each([
  ['odd', 'even'],
  ['even', 'odd'],
])('of functions that call one another each hands on what both do, %s asked first', (...names) => {
  const above = `static void odd(void *at, int n);
static void even(void *at, int n)
{
\tif (n)
\t\todd(at, n - 1);
}
static void odd(void *at, int n)
{
\tmemset(at, 0, 8);
\tif (n)
\t\teven(at, n - 1);
}
${names.map((name) => `static void ask_${name}(struct foo *foo)\n{\n\t${name}(foo, 3);\n}\n`).join('')}`;
  const module = moduleOf('', above);
  for (const name of names) expect(handed(module, `ask_${name}`)).toEqual(['memset 0']);
});

test('what is done behind many calls is found', () => {
  const link = (i: number) =>
    `static void link${i}(void *at)\n{\n\t${i === 0 ? 'memset(at, 0, 8)' : `link${i - 1}(at)`};\n}\n`;
  const above = Array.from({ length: 200 }, (_, i) => link(i)).join('');
  expect(handed(moduleOf('link199(foo)', above))).toEqual(['memset 0']);
});

test('a macro of the document is written out', () => {
  const define = '#define CLEAR(p) memset(p, 0, 8)\n';
  expect(handed(moduleOf('CLEAR(foo)', define))).toContain('memset 0');
});

test('what the same function hands on in another module is asked there', () => {
  const wiping = moduleOf('wipe(foo)', '', WIPE);
  const noting: Module = { ...wiping, headers: moduleOf('wipe(foo)', '', NOTE).headers };
  expect(handed(wiping)).toEqual(['memset 0']);
  expect(handed(noting)).toEqual(['pr_info 1']);
  expect(handed(wiping)).toEqual(['memset 0']);
});

test('what the same function uses as macros in another module is asked there', () => {
  const plain = moduleOf('clear(foo)');
  const define = '#define clear(p) memset(p, 0, 8)\n';
  const defined: Module = { ...plain, headers: moduleOf('clear(foo)', '', define).headers };
  const calledIn = (module: Module): string | null | undefined => {
    const { scope, call } = firstCall(module);
    const { code } = writtenOutExpression(scope, call);
    return code.kind === 'call' ? code.name : undefined;
  };
  expect(calledIn(plain)).toBe('clear');
  expect(calledIn(defined)).toBe('memset');
  expect(calledIn(plain)).toBe('clear');
});

test('what a helper hands on in another module is asked there', () => {
  const through = 'static void help(void *at)\n{\n\twipe(at);\n}\n';
  const wiping = moduleOf('help(foo)', through, WIPE);
  const noting: Module = { ...wiping, headers: moduleOf('help(foo)', through, NOTE).headers };
  expect(handed(wiping)).toEqual(['memset 0']);
  expect(handed(noting)).toEqual(['pr_info 1']);
});

test('what a helper does by what is a macro in another module is asked there', () => {
  const through = 'static void help(void *at)\n{\n\tclear(at);\n}\n';
  const plain = moduleOf('help(foo)', through);
  const define = '#define clear(p) memset(p, 0, 8)\n';
  const defined: Module = { ...plain, headers: moduleOf('', '', define).headers };
  expect(handed(plain)).toEqual(['clear 0']);
  expect(handed(defined)).toEqual(['memset 0']);
  expect(handed(plain)).toEqual(['clear 0']);
});
