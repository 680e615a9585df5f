import { describe, expect, it } from 'vitest';
import { createLinkFinder, type LinkFinder } from '../../../server/src/engine/project/linked.ts';
import { createModuleLoader } from '../../../server/src/engine/project/load.ts';
import type { FileSystem } from '../../../server/src/engine/types.ts';
import { memoryFileSystem } from '../../support/files.ts';

const CORE =
  'void foo_init(struct foo *foo)\n{\n\tvfio_init_group_dev(&foo->vdev, dev, ops);\n}\nEXPORT_SYMBOL_GPL(foo_init);\n';
const DRIVER =
  '#include "foo.h"\nstatic const struct vfio_device_ops ops;\nint probe(void)\n{\n\tfoo_init(foo);\n}\n';
const TREE = {
  '/w/core/core.c': `#include "foo.h"\n${CORE}`,
  '/w/core/foo.h': '/* vfio */ void foo_init(struct foo *foo);',
  '/w/core/sub/a.c': DRIVER.replace('foo.h', '../foo.h'),
  '/w/b/b.c': DRIVER.replace('foo.h', '../core/foo.h'),
  '/w/b/none.c': 'int none;',
  '/w/.hidden/c.c': DRIVER,
  '/w/b/text.txt': DRIVER,
  '/out.c': DRIVER,
};

/**
 * What a file is converted together with, and the folders that were listed and files that were read
 * for that.
 */
async function joined(files: Readonly<Record<string, string>>, file: string, root?: string) {
  const used: string[] = [];
  const memory = memoryFileSystem(files);
  const fs: FileSystem = {
    readFile: memory.readFile,
    readDirectory: (path) => (used.push(path), memory.readDirectory(path)),
  };
  const loader = createModuleLoader(fs);
  const finder: LinkFinder = createLinkFinder(fs, loader);
  const input = await loader.load(file, files[file]!, { root });
  const { input: result, missed } = await finder.join(input, root);
  return {
    file: result.file,
    sources: result.sources.map((one) => one.path).sort(),
    missed,
    listed: used,
  };
}

describe('what a module is converted together with', () => {
  const ALL = ['/w/b/b.c', '/w/core/core.c', '/w/core/sub/a.c'];

  it('is the drivers of a library, in the folders below and beside it', async () => {
    expect(await joined(TREE, '/w/core/core.c', '/w')).toMatchObject({
      file: '/w/core/core.c',
      sources: ALL,
      missed: null,
    });
  });

  it('is the library of a driver, and its other drivers', async () => {
    expect(await joined(TREE, '/w/b/b.c', '/w')).toMatchObject({
      file: '/w/b/b.c',
      sources: ALL,
      missed: null,
    });
  });

  it('is not looked for outside of the workspace', async () => {
    const { sources, listed } = await joined(TREE, '/w/core/core.c');
    expect(sources).toEqual(['/w/core/core.c', '/w/core/sub/a.c']);
    expect(listed).not.toContain('/w');
  });

  it('is nothing for a driver that initialises its device itself, and nothing is read for that', async () => {
    const own = {
      ...TREE,
      '/w/b/b.c': TREE['/w/b/b.c'].replace(
        'foo_init(foo)',
        'foo_other(foo);\n\tvfio_init_group_dev(a, b, c)',
      ),
    };
    expect(await joined(own, '/w/b/b.c', '/w')).toMatchObject({
      sources: ['/w/b/b.c'],
      listed: [],
    });
  });

  it('says how many sources were read in vain', async () => {
    const alone = {
      '/w/core/core.c': TREE['/w/core/core.c'],
      '/w/core/foo.h': TREE['/w/core/foo.h'],
      '/w/x.c': 'vfio',
      '/w/y.c': 'foo_init(',
    };
    expect(await joined(alone, '/w/core/core.c', '/w')).toMatchObject({
      sources: ['/w/core/core.c'],
      missed: { names: ['foo_init'], files: 2 },
    });
  });

  it('is bounded', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 400 }, (_, index) => [`/w/d${index}/x.c`, 'int x;']),
    );
    const { listed, missed } = await joined(
      { ...TREE, ...many, '/w/b/b.c': '', '/w/core/sub/a.c': '' },
      '/w/core/core.c',
      '/w',
    );
    expect(listed.length).toBeLessThanOrEqual(64);
    expect(missed!.files).toBeLessThanOrEqual(300);
  });
});
