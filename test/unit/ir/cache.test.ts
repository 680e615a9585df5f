import { describe, expect, test } from 'vitest';
import { createLoweringCache, lowerFile, movedFrom } from '../../../server/src/ir/lower.ts';
import { printFile } from '../../../server/src/ir/print.ts';
import type { FileIr } from '../../../server/src/ir/types.ts';
import { loadParser } from '../../support/parser.ts';
import { lower } from './lowering.ts';

const parser = await loadParser();

const FILE = `#include "foo.h"
#define drv_put(p) vfio_put_device(&(p)->vdev)
struct foo { struct vfio_device vdev; int x; };
static int a(void) { return f(1); }
#ifdef CONFIG_A
static int b(struct foo *p) { drv_put(p); return 2; }
#endif
static const struct ops o = { .a = a, .b = b };
static int c(void) { return h("text"); }
`;

function functionOf(ir: FileIr, name: string) {
  const found = ir.functions.find((fn) => fn.name === name);
  if (found === undefined) throw new Error(name);
  return found;
}

const withSpans = (ir: FileIr): string => printFile(ir, { spans: true });

describe('an edit', () => {
  test('lowers only the function it touches; what did not move is the same object', () => {
    const cache = createLoweringCache();
    const before = lower(FILE, cache);
    const after = lower(FILE.replace('return 2', 'return 3'), cache);
    expect(functionOf(after, 'a')).toBe(functionOf(before, 'a'));
    expect(functionOf(after, 'b')).not.toBe(functionOf(before, 'b'));
    expect(functionOf(after, 'c')).toBe(functionOf(before, 'c'));
    expect(after.structs[0]).toBe(before.structs[0]);
    expect(after.variables[0]).toBe(before.variables[0]);
    expect(after.macros[0]).toBe(before.macros[0]);
  });

  test('moves what follows it; a moved function says where it comes from', () => {
    const cache = createLoweringCache();
    const before = lower(FILE, cache);
    const longer = FILE.replace('f(1)', 'f(1234)');
    const after = lower(longer, cache);
    expect(withSpans(after)).toBe(withSpans(lower(longer)));
    expect(movedFrom(functionOf(after, 'c'))).toEqual({ from: functionOf(before, 'c'), delta: 3 });
    expect(functionOf(after, 'c')).not.toBe(functionOf(before, 'c'));
    const again = lower(FILE.replace('f(1)', 'f(12345)'), cache);
    expect(movedFrom(functionOf(again, 'c'))).toEqual({ from: functionOf(before, 'c'), delta: 4 });
    // Back at its place it is the function that it was.
    expect(functionOf(lower(FILE, cache), 'c')).toBe(functionOf(before, 'c'));
  });

  test('after one that was not lowered is found with both', () => {
    const second = FILE.replace('return 2', 'return 3'),
      third = second.replace('f(1)', 'f(2)');
    const cache = createLoweringCache();
    const first = parser.parse(FILE),
      left = parser.parse(second, first),
      last = parser.parse(third, left);
    lowerFile('test.c', first, cache);
    const after = lowerFile('test.c', last, cache);
    for (const tree of [first, left, last]) tree.dispose();
    expect(functionOf(after, 'b')).toEqual(functionOf(lower(third), 'b'));
    expect(functionOf(after, 'a')).toEqual(functionOf(lower(third), 'a'));
  });

  test('of a condition lowers what is under it anew', () => {
    const cache = createLoweringCache();
    const before = lower(FILE, cache);
    const after = lower(FILE.replace('#ifdef CONFIG_A', '#ifdef CONFIG_B'), cache);
    expect(functionOf(before, 'b').conditions).toEqual([{ test: 'CONFIG_A', holds: true }]);
    expect(functionOf(after, 'b').conditions).toEqual([{ test: 'CONFIG_B', holds: true }]);
  });

  test('does not mix up equal texts at different places', () => {
    const twice =
      'int x;\n#ifdef A\nint f(void) { return 1; }\n#else\nint f(void) { return 1; }\n#endif\nint f(void) { return 1; }\nint f(void) { return 1; }\n';
    const cache = createLoweringCache();
    const before = lower(twice, cache);
    expect(before.functions.map((fn) => [fn.start, fn.conditions.length])).toEqual(
      lower(twice).functions.map((fn) => [fn.start, fn.conditions.length]),
    );
    for (const edited of [
      twice.replace('int x;', 'int xyz;'),
      twice.replace('int f(void) { return 1; }\n', ''),
      twice + 'int f(void) { return 1; }\n',
      twice,
    ]) {
      expect(withSpans(lower(edited, cache))).toBe(withSpans(lower(edited)));
    }
  });
});

test('a function that is moved and edited in turn never mixes versions', () => {
  const cache = createLoweringCache();
  const texts = [
    FILE,
    '\n' + FILE,
    '\n' + FILE.replace('h(', 'hh('),
    FILE.replace('h(', 'hh('),
    '',
    FILE,
    FILE + FILE,
    FILE,
  ];
  for (const text of texts) expect(withSpans(lower(text, cache))).toBe(withSpans(lower(text)));
});
