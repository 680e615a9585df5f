/**
 * `check --cache` says what `check` says, whatever was checked before: an answer is taken from the
 * cache only where nothing that it rests on has changed.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openResultStore } from '../../../server/src/cli/result-store.ts';
import { runHere, type Result } from '../../support/command.ts';
import { CLEAN, LEAKY, OLD, UNCHECKED } from '../../support/drivers.ts';
import { temporaryFolder, type Folder } from '../../support/folder.ts';
import { CORE_WRAPPERS, OVER_CORE, OVER_CORE_LEAKY } from '../../support/vendor-core.ts';

let folder: Folder;
let cache: Folder;

beforeEach(() => {
  folder = temporaryFolder();
  cache = temporaryFolder();
});

afterEach(() => {
  folder.remove();
  cache.remove();
});

const write = (files: Readonly<Record<string, string | null>>): void => {
  for (const [name, text] of Object.entries(files)) {
    if (text !== null) folder.write(name, text);
    else if (statSync(folder.pathOf(name), { throwIfNoEntry: false })) folder.removeFile(name);
  }
};

/** A run with the cache; `made` is how many answers were not in it. */
async function cached(...args: string[]): Promise<Result & { readonly made: number }> {
  const result = await runHere(folder.path, 'check', '--cache', cache.path, ...args);
  const [, kept, all] = /^(\d+) of (\d+) results/.exec(result.remarks.join('\n')) ?? [];
  return { ...result, made: Number(all) - Number(kept) };
}

/** What both ways of checking have to have in common. */
const told = ({ status, stdout, said }: Result): unknown => ({ status, stdout, said });

const STRUCT = /struct foo \{[^}]*\};\n/.exec(LEAKY)![0];
const LATE_STRUCT = STRUCT.replace(/(\tstruct vfio_device vdev;\n)(\tint users;\n)/, '$2$1');
const onHeader = (driver: string): string => driver.replace(STRUCT, '#include "foo.h"\n');
const HELPED = onHeader(LEAKY).replace(
  'if (ret)\n\t\treturn ret;',
  'if (ret)\n\t\treturn foo_fail(foo, ret);',
);
const HELPER = (body: string): string =>
  `#include <linux/vfio.h>\n#include "foo.h"\n\nint foo_fail(struct foo *foo, int ret)\n{\n${body}\treturn ret;\n}\n`;

/** The texts that each file of the tree may have; null is no file. */
const TEXTS: Readonly<Record<string, readonly (string | null)[]>> = {
  'a/one.c': [HELPED, onHeader(LEAKY), onHeader(CLEAN), onHeader(OLD)],
  'a/two.c': [HELPER(''), HELPER('\tvfio_put_device(&foo->vdev);\n'), null],
  'a/foo.h': [STRUCT, LATE_STRUCT, null],
  'a/inc/foo.h': [null, STRUCT, LATE_STRUCT],
  'a/Makefile': [
    'obj-m := foo.o\nfoo-y := one.o two.o\n',
    'obj-m := one.o two.o\n',
    'obj-m := foo.o\nfoo-y := one.o two.o\nccflags-y := -I$(src)/inc\n',
    null,
  ],
  'b/core.c': [OVER_CORE, OVER_CORE_LEAKY],
  'b/lone.c': [UNCHECKED, LEAKY, null],
  '.vfio-lifecycle.json': [
    null,
    JSON.stringify({ rules: { 'missing-put': 'off' } }),
    JSON.stringify({ wrappers: CORE_WRAPPERS }),
    JSON.stringify({ wrappers: CORE_WRAPPERS.slice(0, 3), rules: { 'missing-put': 'hint' } }),
    JSON.stringify({ targetKernel: '6.0' }),
  ],
  Makefile: [
    null,
    'VERSION = 6\nPATCHLEVEL = 0\nSUBLEVEL = 0\n',
    'VERSION = 6\nPATCHLEVEL = 6\nSUBLEVEL = 0\n',
  ],
  '.config': [null, 'CONFIG_PCI=y\n', '# CONFIG_PCI is not set\n'],
};

const FIRST = Object.fromEntries(Object.entries(TEXTS).map(([name, texts]) => [name, texts[0]!]));

/** One file gets one of its texts. */
const step = fc.constantFrom(
  ...Object.entries(TEXTS).flatMap(([name, texts]) => texts.map((text) => ({ name, text }))),
);

describe('check --cache', () => {
  it('says after any change what a check without it says', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 6 }),
        fc.constantFrom('text', 'json', 'sarif', 'gitlab'),
        async (steps, format) => {
          write(FIRST);
          for (const { name, text } of steps) {
            write({ [name]: text });
            const args = ['--format', format, '.'];
            if (statSync(folder.pathOf('.config'), { throwIfNoEntry: false }))
              args.unshift('--config', '.config');
            const plain = told(await runHere(folder.path, 'check', ...args));
            expect(told(await cached(...args))).toEqual(plain);
            const again = await cached(...args);
            expect(told(again)).toEqual(plain);
            expect(again.made).toBe(0);
          }
        },
      ),
      { numRuns: 6 },
    );
  });

  it('works out what a change reaches, and nothing else', async () => {
    write(FIRST);
    expect((await cached('.')).made).toBe(5);
    expect((await cached('.')).made).toBe(0);
    write({ 'b/lone.c': LEAKY });
    expect((await cached('.')).made).toBe(1);
    write({ 'a/foo.h': LATE_STRUCT });
    expect((await cached('.')).made).toBe(3);
    write({ 'b/lone.c': UNCHECKED, 'a/foo.h': STRUCT });
    expect((await cached('.')).made).toBe(0);
  });

  it('takes the place of a header that was looked for and not found', async () => {
    write({ ...FIRST, 'a/foo.h': null, 'a/Makefile': TEXTS['a/Makefile']![2]! });
    await cached('.');
    write({ 'a/inc/foo.h': STRUCT });
    // The two sources, and the header itself.
    expect((await cached('.')).made).toBe(3);
  });

  it('has the same answers for another checkout of the tree', async () => {
    write({ ...FIRST, '.git/HEAD': '' });
    await cached('.');
    const other = temporaryFolder();
    for (const [name, text] of Object.entries(FIRST)) if (text !== null) other.write(name, text);
    other.write('.git/HEAD', '');
    const args = ['--format', 'json', '.'];
    const there = await runHere(other.path, 'check', '--cache', cache.path, ...args);
    expect(there.remarks.join('\n')).toContain('5 of 5 results');
    expect(told(there)).toEqual(told(await runHere(other.path, 'check', ...args)));
    other.remove();
  });

  it('reports of a change what it reports without', async () => {
    write({ 'foo.c': CLEAN });
    const patch = `--- a/foo.c\n+++ b/foo.c\n@@ -1,2 +1,3 @@\n #include <linux/vfio.h>\n+#include <linux/slab.h>\n \n`;
    folder.write('add.patch', patch);
    write({
      'foo.c': OLD.replace(
        '#include <linux/vfio.h>\n',
        '#include <linux/vfio.h>\n#include <linux/slab.h>\n',
      ),
    });
    for (const args of [
      ['--diff', 'add.patch'],
      ['--format', 'json', '--diff', 'add.patch'],
    ]) {
      const plain = told(await runHere(folder.path, 'check', ...args));
      expect(told(await cached(...args))).toEqual(plain);
      expect(told(await cached(...args))).toEqual(plain);
    }
  });

  it.each([['--since HEAD'], ['--staged'], ['--diff change.patch']])(
    'works out nothing of a change twice, nor of what was before it: %s',
    async (change) => {
      const git = (...args: string[]): string =>
        execFileSync('git', ['-C', folder.path, ...args], { encoding: 'utf8' });
      const PUT = '\t\tvfio_put_device(&foo->vdev);\n';
      write({ 'foo.c': CLEAN, 'bar.c': UNCHECKED });
      git('init', '-q');
      git('config', 'user.name', 'A Person');
      git('config', 'user.email', 'person@example.org');
      git('add', '.');
      git('commit', '-qm', 'before');
      // All of the tree before the change, and of the tree after it.
      await cached('.');
      write({ 'foo.c': CLEAN.replace(PUT, '') });
      git('add', '.');
      folder.write('change.patch', git('diff', '--cached'));
      await cached('.');
      const args = change.split(' ');
      const plain = await runHere(folder.path, 'check', ...args);
      expect(plain.stdout).toContain('[missing-put]');
      const result = await cached(...args);
      expect(told(result)).toEqual(told(plain));
      expect(result.made).toBe(0);
    },
  );

  it('goes by what the format tells of fixes', async () => {
    write({ 'foo.c': UNCHECKED });
    await cached('--format', 'short', '.');
    const args = ['--format', 'json', '.'];
    expect(told(await cached(...args))).toEqual(told(await runHere(folder.path, 'check', ...args)));
  });

  it('passes over a file of the cache that is broken, and writes it anew', async () => {
    write(FIRST);
    const plain = await cached('.');
    for (const damage of [
      (): string => '',
      (text: string): string => text.slice(0, text.length / 2),
      (text: string): string => text.replace('"findings"', '"findinks"'),
      (): string => 'null\nnull',
    ]) {
      for (const file of filesOf(cache.path))
        writeFileSync(file, damage(readFileSync(file, 'utf8')));
      const broken = await cached('.');
      expect(told(broken)).toEqual(told(plain));
      expect(broken.made).toBe(5);
      expect((await cached('.')).made).toBe(0);
    }
  });

  it('says that a folder cannot be written, and checks all the same', async () => {
    write({ 'foo.c': LEAKY });
    cache.write('file', '');
    const { stdout, said } = await runHere(
      folder.path,
      'check',
      '--cache',
      join(cache.path, 'file'),
      '.',
    );
    expect(said.join('\n')).toContain('results are not kept: a file of this name is there');
    expect(stdout).toContain('[missing-put]');
  });
});

/** The files with results. */
function filesOf(store: string): string[] {
  return readdirSync(store, { withFileTypes: true })
    .filter((one) => one.isDirectory())
    .flatMap(({ name }) => readdirSync(join(store, name)).map((file) => join(store, name, file)));
}

describe('a store of results', () => {
  const never = (line: string): void => expect.fail(line);
  const keys = Array.from({ length: 20 }, (_, i) => `ab${String(i).padStart(62, '0')}`);

  it('is bounded: the oldest go', () => {
    const fill = openResultStore(cache.path, never, Infinity);
    for (const key of keys) fill.write(key, 'x'.repeat(1000));
    fill.close();
    // Nothing but the time of its last use makes one older than another.
    for (const [i, key] of keys.entries()) utimesSync(join(cache.path, 'ab', key), i + 1, i + 1);
    const store = openResultStore(cache.path, never, 256 * 5000);
    expect(store.read(keys[0]!)).toBeDefined();
    store.write(`ab${'f'.repeat(62)}`, 'y');
    store.close();
    const left = keys.filter((key) => store.read(key) !== undefined);
    expect(left).toEqual([keys[0], ...keys.slice(-3)]);
    expect(store.read(`ab${'f'.repeat(62)}`)).toBe('y');
  });

  it('has of several writers what one of them wrote', () => {
    const stores = Array.from({ length: 3 }, () => openResultStore(cache.path, never));
    for (const [i, key] of keys.entries())
      for (const store of stores) store.write(key, `result ${i}`);
    for (const store of stores) store.close();
    expect(keys.map((key) => stores[0]!.read(key))).toEqual(keys.map((_, i) => `result ${i}`));
    expect(filesOf(cache.path)).toHaveLength(keys.length);
  });

  it('does not take the result of one key for that of another', () => {
    const store = openResultStore(cache.path, never);
    store.write(keys[0]!, 'one');
    writeFileSync(join(cache.path, 'ab', keys[1]!), readFileSync(join(cache.path, 'ab', keys[0]!)));
    expect(store.read(keys[1]!)).toBeUndefined();
  });

  it('is known as a cache by other programs', () => {
    openResultStore(cache.path, never).write(keys[0]!, 'one');
    expect(readFileSync(cache.pathOf('CACHEDIR.TAG'), 'utf8')).toMatch(
      /^Signature: 8a477f597d28d172789f06886806bc55\n/,
    );
    expect(readFileSync(cache.pathOf('.gitignore'), 'utf8')).toBe('*\n');
  });
});
