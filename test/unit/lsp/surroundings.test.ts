/** The module of a document after edits is what a session that has just begun would load. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createModuleLoader } from '../../../server/src/engine/project/load.ts';
import { createSurroundings } from '../../../server/src/lsp/surroundings.ts';
import { memoryFileSystem } from '../../support/files.ts';

const TEXTS: Readonly<Record<string, readonly string[]>> = {
  '/w/a.c': [
    '#include "a.h"\nint vfio;\n',
    '#include "a.h"\n#include "b.h"\nint vfio;\n',
    'int vfio, other;\n',
    '#include <c.h>\nint vfio;\n',
    '#include <c.h>\nint vfio_init_group_dev(void);\nEXPORT_SYMBOL_GPL(a);\n',
  ],
  '/w/b.c': ['#include "b.h"\n', 'int a(void);\n#include "d.h"\n'],
  '/w/a.h': ['int vfio;\n', '#include "d.h"\nint vfio;\n', 'int nothing;\n'],
  '/w/b.h': ['int vfio_b;\n', '#include "a.h"\n'],
  '/w/d.h': ['int vfio_d;\n', ''],
  '/w/include/c.h': ['int a(void);\n', 'int other(void);\n'],
  '/w/Makefile': ['obj-m += a.o b.o\n', 'obj-m += m.o\nm-y := a.o b.o\n'],
};
const PATHS = Object.keys(TEXTS);

const anyStep = fc.record({
  path: fc.constantFrom(...PATHS),
  does: fc.constantFrom('type', 'save', 'remove', 'close'),
  choice: fc.nat(4),
});
const key = fc.record({
  path: fc.constant('/w/a.c'),
  does: fc.constant('type'),
  choice: fc.nat(4),
});
// People type in one document most of the time.
const step = fc.oneof({ weight: 2, arbitrary: key }, { weight: 1, arbitrary: anyStep });

test('after any edits, saves and closes', async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
    const files = Object.fromEntries(PATHS.map((path) => [path, TEXTS[path]![0]!]));
    const open = new Map<string, string>();
    const edits = new Map<string, number>();
    let all = 0;
    const world = {
      settingsOf: () => Promise.resolve({}),
      rootOf: () => '/w',
      openText: (key: string) => open.get(key),
      editsBeside: (key: string) => all - (edits.get(key) ?? 0),
      complain: () => undefined,
    };
    const surroundings = createSurroundings(memoryFileSystem(files), world);
    for (const { path, does, choice } of steps) {
      const texts = TEXTS[path]!;
      const text = texts[choice % texts.length]!;
      if (does === 'type') {
        open.set(path, text);
        all++;
        edits.set(path, (edits.get(path) ?? 0) + 1);
      } else if (does === 'close') {
        open.delete(path);
        all++;
        edits.delete(path);
        surroundings.forget(path);
      } else {
        if (does === 'save') files[path] = text;
        else delete files[path];
        surroundings.invalidate([path]);
      }
      const fresh = memoryFileSystem({ ...files, ...Object.fromEntries(open) });
      for (const [document, now] of open)
        expect(await surroundings.module(document, now, {})).toEqual({
          ...(await createModuleLoader(fresh).load(document, now, { root: '/w' })),
          wrappers: undefined,
        });
    }
  });
  await fc.assert(property, { numRuns: 300 });
});
