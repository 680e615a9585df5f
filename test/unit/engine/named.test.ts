import { describe, expect, it } from 'vitest';
import { linkedTogether } from '../../../server/src/engine/project/named.ts';
import { createModuleLoader } from '../../../server/src/engine/project/load.ts';

const LIB = 'struct anvil *anvil_new(struct device *dev)\n{\n\treturn NULL;\n}\n';
const MAIN =
  'static int anvil_probe(void)\n{\n\treturn anvil_new(NULL) != NULL;\n}\nmodule_init(anvil_probe);\n';
const ALONE = 'static int tongs_probe(void)\n{\n\treturn 0;\n}\nmodule_init(tongs_probe);\n';

function pathsOf(texts: Record<string, string>, path: string): string[] {
  return linkedTogether(
    Object.entries(texts).map(([name, text]) => ({ path: name, text })),
    path,
  ).map((one) => one.path);
}

describe('files that are named together', () => {
  it('are one module where they call each other, from whichever is asked', () => {
    const texts = { 'main.c': MAIN, 'alone.c': ALONE, 'lib.c': LIB };
    expect(pathsOf(texts, 'main.c')).toEqual(['main.c', 'lib.c']);
    expect(pathsOf(texts, 'lib.c')).toEqual(['main.c', 'lib.c']);
    expect(pathsOf(texts, 'alone.c')).toEqual(['alone.c']);
  });
  it('are one where a table is shared', () => {
    expect(
      pathsOf(
        {
          'ops.c': 'const struct vfio_device_ops anvil_ops = {\n\t.name = "anvil",\n};\n',
          'main.c': 'int x(void)\n{\n\treturn use(&anvil_ops);\n}\n',
        },
        'main.c',
      ),
    ).toEqual(['ops.c', 'main.c']);
  });
  it.each([
    ['static functions are no link', { 'main.c': MAIN, 'lib.c': `static ${LIB}` }],
    [
      'exported functions are those of another module',
      { 'main.c': MAIN, 'lib.c': `${LIB}EXPORT_SYMBOL_GPL(anvil_new);\n` },
    ],
    ['a name in a comment is none', { 'main.c': ALONE, 'lib.c': `/* anvil_new */\n${LIB}` }],
    ['what two define is of neither', { 'main.c': MAIN, 'lib.c': LIB, 'copy.c': LIB }],
    [
      'two modules that are loaded share nothing',
      { 'main.c': MAIN, 'lib.c': `${LIB}module_init(other);\n` },
    ],
  ])('%s', (_, texts) =>
    expect(pathsOf(texts as Record<string, string>, 'main.c')).toEqual(['main.c']),
  );

  it('follow a Makefile where there is one', async () => {
    const load = async (makefile: string | undefined): Promise<string[]> => {
      const files = new Map(
        Object.entries({
          '/w/main.c': MAIN,
          '/w/lib.c': LIB,
          ...(makefile === undefined ? {} : { '/w/Makefile': makefile }),
        }),
      );
      const loader = createModuleLoader({
        readFile: async (path) => files.get(path),
        readDirectory: async () => [],
      });
      return (
        await loader.load('/w/main.c', MAIN, { root: '/w', named: ['/w/main.c', '/w/lib.c'] })
      ).sources.map((one) => one.path);
    };
    expect(await load(undefined)).toEqual(['/w/main.c', '/w/lib.c']);
    expect(await load('obj-m := main.o lib.o\n')).toEqual(['/w/main.c']);
    expect(await load('obj-m := lib.o\n')).toEqual(['/w/main.c']);
    expect(await load('obj-m := anvil.o\nanvil-y := main.o lib.o\n')).toEqual([
      '/w/main.c',
      '/w/lib.c',
    ]);
  });
});
