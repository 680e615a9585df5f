import { describe, expect, it } from 'vitest';
import { cachedFileSystem, createModuleLoader } from '../../../server/src/engine/project/load.ts';
import { memoryFileSystem } from '../../support/files.ts';

async function load(files: Record<string, string>, file: string, root?: string) {
  const { sources, headers } = await createModuleLoader(memoryFileSystem(files)).load(
    file,
    files[file] ?? '',
    { root },
  );
  return { sources: sources.map((one) => one.path), headers: headers.map((one) => one.path) };
}

describe('what belongs to a file', () => {
  it('is looked for in so many bytes, be it headers that come along or those that only lead on', async () => {
    const text = ' '.repeat(5_000_000);
    const files: Record<string, string> = { '/w/a.c': '#include "h0.h"\n' };
    for (let i = 0; i < 20; i++) files[`/w/h${i}.h`] = `#include "h${i + 1}.h"\n${text}`;
    let read = 0;
    const fs = memoryFileSystem(files);
    const counting = {
      ...fs,
      readFile: async (path: string) => {
        const found = await fs.readFile(path);
        read += found?.length ?? 0;
        return found;
      },
    };
    await createModuleLoader(counting).load('/w/a.c', files['/w/a.c']!, { root: '/w' });
    expect(read).toBeLessThan(18_000_000);
  });

  it('is not looked for under every name that a file can hold', async () => {
    let asked = 0;
    const fs = memoryFileSystem({});
    const counting = {
      ...fs,
      readFile: async (path: string) => {
        asked++;
        return fs.readFile(path);
      },
    };
    await createModuleLoader(counting).load(
      '/w/a.c',
      Array.from({ length: 100_000 }, (_, i) => `#include "h${i}.h"\n`).join(''),
      { root: '/w' },
    );
    expect(asked).toBeLessThan(20_100);
  });

  it('is the file alone without a Makefile', async () => {
    expect(await load({ '/w/a.c': 'int a;' }, '/w/a.c')).toEqual({
      sources: ['/w/a.c'],
      headers: [],
    });
  });

  it('is the same for every file of a module', async () => {
    const files = {
      '/w/Makefile': 'foo-y := main.o cmd.o',
      '/w/main.c': '#include "cmd.h"',
      '/w/cmd.c': '#include "cmd.h"',
      '/w/cmd.h': '',
    };
    const expected = { sources: ['/w/main.c', '/w/cmd.c'], headers: ['/w/cmd.h'] };
    expect(await load(files, '/w/main.c')).toEqual(expected);
    expect(await load(files, '/w/cmd.c')).toEqual(expected);
  });

  it('prefers Kbuild to Makefile, as make does', async () => {
    const files = {
      '/w/Kbuild': 'foo-y := a.o b.o',
      '/w/Makefile': 'foo-y := a.o c.o',
      '/w/a.c': '',
      '/w/b.c': '',
      '/w/c.c': '',
    };
    expect((await load(files, '/w/a.c')).sources).toEqual(['/w/a.c', '/w/b.c']);
  });

  it('finds the Makefile of an enclosing folder', async () => {
    const files = {
      '/w/Makefile': 'kvmgt-y := gvt/kvmgt.o gvt/vgpu.o',
      '/w/gvt/kvmgt.c': '',
      '/w/gvt/vgpu.c': '',
    };
    expect((await load(files, '/w/gvt/kvmgt.c', '/w')).sources).toEqual([
      '/w/gvt/kvmgt.c',
      '/w/gvt/vgpu.c',
    ]);
  });

  it('leaves out sources that do not exist', async () => {
    expect(
      (await load({ '/w/Makefile': 'foo-y := a.o gone.o', '/w/a.c': '' }, '/w/a.c')).sources,
    ).toEqual(['/w/a.c']);
  });

  it('follows quoted includes only, and an include that loops once', async () => {
    const files = {
      '/w/a.c': '#include "x.h"\n#include <linux/vfio.h>\n  # include "x.h"',
      '/w/x.h': '#include "y.h"',
      '/w/y.h': '/* vfio */\n#include "x.h"\n#include "a.c"\n#include "y.h"',
    };
    expect((await load(files, '/w/a.c')).headers).toEqual(['/w/x.h', '/w/y.h']);
  });

  it('ignores includes that leave the workspace or do not exist', async () => {
    const files = {
      '/w/d/a.c':
        '#include "../../secret.h"\n#include "/secret.h"\n#include "../in.h"\n#include "none.h"',
      '/secret.h': '',
      '/w/in.h': 'vfio',
    };
    expect((await load(files, '/w/d/a.c', '/w')).headers).toEqual(['/w/in.h']);
    expect((await load(files, '/w/d/a.c')).headers).toEqual([]);
  });

  it('follows headers from elsewhere only to those that know VFIO', async () => {
    const files = {
      '/w/Makefile': 'ccflags-y := -I$(src)/..\n',
      '/w/d/Makefile': 'ccflags-y := -I$(src)/../shared\n',
      '/w/d/a.c': '#include "s.h"\n#include "own.h"',
      '/w/shared/s.h': '#include "t.h"\n#include "u.h"',
      '/w/shared/t.h': 'struct vfio_thing;',
      '/w/shared/u.h': 'struct other;',
      '/w/d/own.h': '#include "deep.h"',
      '/w/d/deep.h': 'struct other;',
    };
    expect((await load(files, '/w/d/a.c', '/w')).headers).toEqual(['/w/d/own.h', '/w/shared/t.h']);
  });

  it('follows them to those that define a struct with a device inside another one', async () => {
    const files = {
      '/w/d/a.c': '#include "../shared/outer.h"\n#include "../shared/other.h"',
      '/w/shared/outer.h':
        '#include "base.h"\nstruct outer {\n\tint a;\n\tstruct middle middle;\n};',
      '/w/shared/base.h': '#include "core.h"\nstruct middle {\n\tstruct core core;\n};',
      '/w/shared/core.h': 'struct core {\n\tstruct vfio_device vdev;\n};',
      '/w/shared/other.h': 'struct other {\n\tstruct core *core;\n\tstruct list_head list;\n};',
    };
    expect((await load(files, '/w/d/a.c', '/w')).headers).toEqual([
      '/w/shared/core.h',
      '/w/shared/outer.h',
      '/w/shared/base.h',
    ]);
  });

  it('looks along the include path of the Makefile', async () => {
    const files = {
      '/w/Makefile': 'ccflags-y := -I$(src)/inc -I$(srctree)/shared\nfoo-y := a.o',
      '/w/a.c': '#include "x.h"\n#include "s.h"',
      '/w/inc/x.h': '',
      '/w/shared/s.h': 'vfio',
    };
    expect((await load(files, '/w/a.c', '/w')).headers).toEqual(['/w/inc/x.h', '/w/shared/s.h']);
  });

  it('takes a header in angle brackets from the include path of the Makefile, and from nowhere else', async () => {
    const files = {
      '/w/Makefile': 'ccflags-y := -I$(src)/inc\nfoo-y := a.o',
      '/w/a.c': '#include <foo/x.h>\n#include <linux/vfio.h>',
      '/w/inc/foo/x.h': 'vfio',
      '/w/include/linux/vfio.h': 'vfio',
    };
    expect((await load(files, '/w/a.c', '/w')).headers).toEqual(['/w/inc/foo/x.h']);
  });

  it.each([
    ['NOSTDINC_FLAGS += -I$(src)/compat', 'a flag of backports'],
    ['COMPAT := $(src)/compat\nccflags-y += -isystem $(COMPAT)', 'a variable of the file'],
    ['CFLAGS_a.o := -I$(src)/compat', 'flags of one object'],
  ])('finds a copy of a kernel header by %j (%s)', async (flags) => {
    const files = {
      '/w/Makefile': `${flags}\nobj-m += a.o\n`,
      '/w/a.c': '#include <linux/vfio.h>',
      '/w/compat/linux/vfio.h': '#include_next <linux/vfio.h>\nvoid vfio_put_it(void);',
    };
    expect((await load(files, '/w/a.c', '/w')).headers).toEqual(['/w/compat/linux/vfio.h']);
  });

  it('takes a header that the Makefile puts in front of every source', async () => {
    const files = {
      '/w/Makefile': 'ccflags-y += -include $(src)/compat.h\nobj-m += a.o\n',
      '/w/a.c': '',
      '/w/compat.h': 'void vfio_put_it(void);',
    };
    expect((await load(files, '/w/a.c', '/w')).headers).toEqual(['/w/compat.h']);
  });

  it('reads headers beside the folder of a driver in no repository, and nothing further away', async () => {
    const files = {
      '/w/drv/Makefile': 'ccflags-y += -I$(src)/../compat -I$(src)/../../far\nobj-m += a.o\n',
      '/w/drv/a.c': '#include <linux/vfio.h>\n#include <linux/far.h>',
      '/w/compat/linux/vfio.h': 'vfio',
      '/far/linux/far.h': 'vfio',
    };
    const { headers } = await createModuleLoader(memoryFileSystem(files)).load(
      '/w/drv/a.c',
      files['/w/drv/a.c'],
      { root: '/w/drv', beside: '/w' },
    );
    expect(headers.map((one) => one.path)).toEqual(['/w/compat/linux/vfio.h']);
    expect((await load(files, '/w/drv/a.c', '/w/drv')).headers).toEqual([]);
  });

  it('knows objects by the folder in front that an including Makefile wants', async () => {
    const files = {
      '/w/gvt/Makefile': 'kvmgt-y += gvt/main.o gvt/vgpu.o\n',
      '/w/gvt/main.c': '',
      '/w/gvt/vgpu.c': '',
    };
    expect((await load(files, '/w/gvt/main.c', '/w/gvt')).sources).toEqual([
      '/w/gvt/main.c',
      '/w/gvt/vgpu.c',
    ]);
  });

  it('finds the header in angle brackets that declares what a library exports', async () => {
    const library =
      'EXPORT_SYMBOL_GPL(foo_init);\nvoid foo_init(void) { vfio_init_group_dev(a, b, c); }';
    const files = {
      '/w/drivers/foo.c': `#include <linux/foo.h>\n#include <linux/vfio.h>\n${library}`,
      '/w/include/linux/foo.h': 'void foo_init(void);',
      '/w/include/linux/vfio.h': 'vfio',
    };
    expect((await load(files, '/w/drivers/foo.c', '/w')).headers).toEqual([
      '/w/include/linux/foo.h',
    ]);
    expect(
      (
        await load(
          { ...files, '/w/drivers/foo.c': '#include <linux/foo.h>' },
          '/w/drivers/foo.c',
          '/w',
        )
      ).headers,
    ).toEqual([]);
  });

  it('is found anew where a header declares something else or a library exports it', async () => {
    const files: Record<string, string> = {
      '/w/foo.c':
        '#include <foo.h>\nEXPORT_SYMBOL(foo_init);\nvoid foo_init(void) { vfio_init_group_dev(a, b, c); }',
      '/w/include/foo.h': 'void foo_init(void);',
    };
    const loader = createModuleLoader(memoryFileSystem(files));
    const headers = async (): Promise<readonly string[]> =>
      (await loader.load('/w/foo.c', files['/w/foo.c']!, { root: '/w' })).headers.map(
        ({ path }) => path,
      );
    expect(await headers()).toEqual(['/w/include/foo.h']);
    files['/w/include/foo.h'] = 'void bar_init(void);';
    expect(await headers()).toEqual([]);
    files['/w/foo.c'] = files['/w/foo.c']!.replaceAll('foo_init', 'bar_init');
    expect(await headers()).toEqual(['/w/include/foo.h']);
  });

  it('is bounded in the number of sources and headers', async () => {
    const files: Record<string, string> = {};
    const objects: string[] = [];
    for (let i = 0; i < 400; i++) {
      files[`/w/f${i}.c`] =
        `#include "h${i}.h"\n#include "h${i + 400}.h"\n#include "h${i + 800}.h"`;
      for (const count of [i, i + 400, i + 800]) files[`/w/h${count}.h`] = '';
      objects.push(`f${i}.o`);
    }
    files['/w/Makefile'] = `big-y := ${objects.join(' ')}`;
    const { sources, headers } = await load(files, '/w/f399.c');
    expect(sources).toHaveLength(48);
    expect(sources[0]).toBe('/w/f399.c');
    expect(headers).toHaveLength(96);
  });

  it('is bounded in size: a header over the budget is left out', async () => {
    const files = {
      '/w/a.c': '#include "big.h"\n#include "small.h"',
      '/w/big.h': ' '.repeat(7_000_000),
      '/w/small.h': '',
    };
    expect((await load(files, '/w/a.c')).headers).toEqual(['/w/small.h']);
  });
});

describe('a cached file system', () => {
  it('reads once, and again after it was told', async () => {
    const files: Record<string, string> = { '/w/a.h': '1' };
    const cached = cachedFileSystem(memoryFileSystem(files));
    expect(await cached.readFile('/w/a.h')).toBe('1');
    files['/w/a.h'] = '2';
    expect(await cached.readFile('/w/a.h')).toBe('1');
    cached.invalidate('/w/a.h');
    expect(await cached.readFile('/w/a.h')).toBe('2');
  });
});
