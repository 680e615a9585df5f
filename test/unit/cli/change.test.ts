import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  BAR_H,
  BAR_H_LATE,
  BAR_H_SECOND,
  CLEAN,
  LEAKY,
  OLD,
  UNCHECKED,
} from '../../support/drivers.ts';
import { foldersOfTests } from '../../support/folder-of-test.ts';
import { decode } from '../../../server/src/cli/text-file.ts';
import { writeFiles, type Change } from '../../../server/src/cli/write-files.ts';
import { run } from '../../support/command.ts';

const make = foldersOfTests();

/** Applies a patch with git, as its reader would. */
function gitApply(cwd: string, patch: Buffer): void {
  const { status, stderr } = spawnSync('git', ['apply', '-'], { cwd, input: patch });
  expect(stderr.toString()).toBe('');
  expect(status).toBe(0);
}

describe('convert', () => {
  it('prints one patch over all files of a module, from one of them or from all, and writes all', async () => {
    const remove = OLD.slice(
      OLD.indexOf('static void bar_remove'),
      OLD.indexOf('static struct mdev_driver'),
    );
    const files = {
      'drv/Kbuild': 'bar-y := bar.o remove.o\n',
      'drv/bar.c': OLD.replace(remove, ''),
      'drv/bar.h': `${BAR_H_SECOND}void bar_remove(struct mdev_device *mdev);\n`,
      'drv/remove.c': `#include "bar.h"\n\n${remove.replace('static void', 'void')}`,
    };
    const { path, pathOf } = make(files);
    const one = await run(path, 'convert', '--kernel', '6.1', 'drv/bar.c');
    expect(one.status).toBe(0);
    expect(one.stdout.match(/^--- .*/gm)).toEqual([
      '--- a/drv/bar.c',
      '--- a/drv/bar.h',
      '--- a/drv/remove.c',
    ]);
    expect((await run(path, 'convert', '--kernel', '6.1', 'drv/remove.c')).stdout).toBe(one.stdout);
    expect(
      (await run(path, 'convert', '--kernel', '6.1', 'drv/remove.c', 'drv/bar.c')).stdout,
    ).toBe(one.stdout);
    gitApply(path, one.bytes);
    const patched = Object.keys(files).map((name) => readFileSync(pathOf(name), 'utf8'));
    expect(
      await run(path, 'check', '--kernel', '6.1', '--fail-on', 'warning', 'drv'),
    ).toMatchObject({
      status: 0,
    });
    spawnSync('git', ['apply', '-R', '-'], { cwd: path, input: one.bytes });
    expect(readFileSync(pathOf('drv/bar.c'), 'utf8')).toBe(files['drv/bar.c']);
    expect((await run(path, 'convert', '--kernel', '6.1', '--write', 'drv/remove.c')).status).toBe(
      0,
    );
    expect(Object.keys(files).map((name) => readFileSync(pathOf(name), 'utf8'))).toEqual(patched);
  });

  it('converts a library with the drivers that are named beside it, and refuses it without them', async () => {
    const fixture = (name: string): string =>
      readFileSync(
        new URL(`../../fixtures/convert/several-files/library/${name}`, import.meta.url),
        'utf8',
      );
    const names = ['anvil_core.c', 'anvil_core.h', 'anvil_hot.c', 'anvil_cold.c', 'Makefile'];
    const { path, pathOf } = make(Object.fromEntries(names.map((name) => [name, fixture(name)])));
    const alone = await run(path, 'convert', '--kernel', '6.1', 'anvil_core.c');
    expect(alone).toMatchObject({ status: 1, stdout: '' });
    expect(alone.stderr.join('\n')).toMatch(
      /anvil_core_init_device\(\).*drivers in other modules.*together/,
    );
    const { status, bytes, stdout } = await run(
      path,
      'convert',
      '--kernel',
      '6.1',
      'anvil_core.c',
      'anvil_hot.c',
      'anvil_cold.c',
    );
    expect(status).toBe(0);
    expect(stdout.match(/^--- .*/gm)).toEqual([
      '--- a/anvil_cold.c',
      '--- a/anvil_core.c',
      '--- a/anvil_core.h',
      '--- a/anvil_hot.c',
    ]);
    gitApply(path, bytes);
    expect(readFileSync(pathOf('anvil_core.h'), 'utf8')).toContain(
      'int anvil_core_init_dev(struct vfio_device *core_vdev);',
    );
    expect(await run(path, 'check', '--kernel', '6.1', '--fail-on', 'warning', '.')).toMatchObject({
      status: 0,
    });
  });

  it('folds state into .init and .release, and names in a commit message what moved', async () => {
    const driver = readFileSync(
      new URL('../../fixtures/convert/fold/counted-buffers.c', import.meta.url),
      'utf8',
    );
    const { path, pathOf } = make({ 'easel/main.c': driver });
    const { status, bytes, stdout, stderr } = await run(
      path,
      'convert',
      '--kernel',
      '6.1',
      '--style',
      'fold',
      '--format',
      'patch',
      'easel/main.c',
    );
    expect(status).toBe(0);
    const head = stdout.slice(0, stdout.indexOf('--- a/'));
    expect(head.slice(head.indexOf('Subject:'))).toMatchInlineSnapshot(`
      "Subject: [PATCH] vfio/easel: Use vfio_alloc_device()
      MIME-Version: 1.0
      Content-Type: text/plain; charset=UTF-8
      Content-Transfer-Encoding: 8bit

      Convert to the life cycle of Linux 6.1: vfio_alloc_device() allocates
      and initialises the device, and the last vfio_put_device() frees it.

      Move the set-up of easel_probe() before the registration into
      easel_init_dev(): kzalloc(), vmalloc_user(), mutex_init(), easel->mdev,
      easel->type, easel->size and easel_fill_config(). Move its undoing from
      easel_remove() and the error path into easel_release_dev(): vfree() and
      kfree().

      To be looked at:

      - easel_release_dev() now does vfree(), kfree(): at the last put, which
        may be after easel_remove() has returned.
      - Accounting stays in easel_probe() and easel_remove(): decide whether
        the count should follow the life of the device instead.
      ---

      "
    `);
    expect(stderr.join('\n')).toContain('Accounting stays in easel_probe()');
    gitApply(path, bytes);
    expect(readFileSync(pathOf('easel/main.c'), 'utf8')).toContain('.init = easel_init_dev,');
    expect(
      await run(
        path,
        'convert',
        '--kernel',
        '6.1',
        '--style',
        'fold',
        '--format',
        'patch',
        'easel/main.c',
      ),
    ).toMatchObject({ status: 0, stdout: '' });
    const message = head.slice(head.indexOf('\n\n'));
    expect(message.split('\n').filter((line) => line.length > 72)).toEqual([]);
  });

  it('has a commit message for the minimal style too, and none when the patch is not asked for by name', async () => {
    const { path } = make({ 'drv/bar.c': OLD, 'drv/bar.h': BAR_H });
    const bare = (await run(path, 'convert', '--kernel', '6.1', 'drv/bar.c')).stdout;
    const { stdout, bytes } = await run(
      path,
      'convert',
      '--kernel',
      '6.1',
      '--format',
      'patch',
      'drv/bar.c',
    );
    expect(stdout).toBe(stdout.slice(0, stdout.indexOf('--- a/')) + bare);
    expect(stdout).toContain('\nSubject: [PATCH] vfio/bar: Use vfio_alloc_device()\n');
    expect(stdout).toContain(
      '\n\nConvert to the life cycle of Linux 6.1: vfio_alloc_device() allocates\n',
    );
    gitApply(path, bytes);
  });

  it('does not speak of an allocation where a driver of the new model is brought on', async () => {
    const { path } = make({
      'drv/mill.c': readFileSync(
        new URL('../../fixtures/convert/forms/empty-release.c', import.meta.url),
        'utf8',
      ),
    });
    const { status, stdout } = await run(
      path,
      'convert',
      '--kernel',
      '6.6',
      '--format',
      'patch',
      'drv/mill.c',
    );
    expect(status).toBe(0);
    expect(stdout).toContain('\nSubject: [PATCH] vfio/mill: Follow the life cycle of Linux 6.6\n');
    expect(stdout).toContain('\n\nBring the driver to the life cycle of Linux 6.6.\n');
  });

  it('refuses with the reason on stderr and status 1, and converts the others', async () => {
    const { path } = make({
      'a/bar.c': OLD,
      'a/bar.h': BAR_H_LATE,
      'b/bar.c': OLD,
      'b/bar.h': BAR_H,
    });
    const { status, stdout, stderr } = await run(
      path,
      'convert',
      '--kernel',
      '6.1',
      'a/bar.c',
      'b/bar.c',
    );
    expect(status).toBe(1);
    expect(stderr.join('\n')).toMatch(
      /^vfio-lifecycle: a\/bar\.c: refused: .*`struct bar`.* \[member-not-first\]$/m,
    );
    expect(stdout).toContain('+++ b/b/bar.c\n');
    expect(stdout).not.toContain('a/a/bar.c');
  });

  it('has a JSON form', async () => {
    const { path } = make({
      'a/bar.c': OLD,
      'a/bar.h': BAR_H_LATE,
      'b/bar.c': OLD,
      'b/bar.h': BAR_H,
      'c.c': CLEAN,
    });
    const { status, stdout } = await run(
      path,
      'convert',
      '--kernel',
      '6.1',
      '--format',
      'json',
      'a/bar.c',
      'b/bar.c',
      'c.c',
    );
    const report = JSON.parse(stdout);
    expect(status).toBe(1);
    expect(Object.keys(report)).toEqual(['files', 'patch', 'patchEncoding']);
    expect(report.files).toMatchObject([
      {
        path: 'a/bar.c',
        status: 'refused',
        reason: expect.any(String),
        code: 'member-not-first',
        notes: [],
        edits: [],
      },
      {
        path: 'b/bar.c',
        status: 'converted',
        notes: expect.any(Array),
        edits: expect.arrayContaining([
          { path: 'b/bar.c', range: expect.any(Object), newText: expect.any(String) },
        ]),
      },
      { path: 'c.c', status: 'unchanged', notes: [], edits: [] },
    ]);
    expect(Object.keys(report.files[1])).toEqual(['path', 'status', 'notes', 'edits']);
    expect(report.patch).toMatch(/^--- a\/b\/bar\.c\n/);
  });

  it('takes the first kernel of the new model when the tree is older, and says the target', async () => {
    const { path } = make({
      Makefile: 'VERSION = 5\nPATCHLEVEL = 15\nSUBLEVEL = 0\n',
      'bar.c': OLD.replace('register_emulated_iommu_dev', 'register_group_dev'),
      'bar.h': BAR_H,
    });
    const { status, stdout, stderr } = await run(path, 'convert', 'bar.c');
    expect(status).toBe(0);
    expect(stdout).toContain('vfio_alloc_device');
    expect(stderr).toContain("vfio-lifecycle: target kernel 5.15: from the kernel tree's Makefile");
    const said = (kernel: string): string =>
      `vfio-lifecycle: bar.c: Converted for 6.1, the first kernel with vfio_alloc_device(): the result does not build for the target kernel ${kernel}.`;
    expect(stderr).toContain(said('5.15'));
    expect((await run(path, 'convert', '--kernel', '6.0', 'bar.c')).stderr).toContain(said('6.0'));
    expect((await run(path, 'convert', '--kernel', '6.1', 'bar.c')).stderr.join(' ')).not.toContain(
      'does not build',
    );
  });

  it('names files outside of the working folder by their own tree', async () => {
    const { path, pathOf } = make({
      'tree/.git/HEAD': '',
      'tree/drv/bar.c': OLD,
      'tree/drv/bar.h': BAR_H,
      'elsewhere/x': '',
    });
    const { stdout, stderr } = await run(
      pathOf('elsewhere'),
      'convert',
      '--kernel',
      '6.1',
      '../tree/drv/bar.c',
    );
    expect(stdout).toMatch(/^--- a\/drv\/bar\.c\n/);
    expect(stderr).toContain(`vfio-lifecycle: the patch applies in ${path}/tree`);
  });

  it.each([
    [
      'a folder without a source',
      ['convert', '.git'],
      /nothing to convert: no C file .* in \.git$/,
    ],
    ['a style that is not there', ['convert', '--style', 'wild', 'bar.c'], /--style/],
    ['a missing file', ['convert', 'none.c'], /none\.c: no such file or folder$/],
  ])('does not take %s', async (_, args, message) => {
    const { path } = make({ 'bar.c': OLD, '.git/HEAD': '' });
    const { status, stdout, stderr } = await run(path, ...args);
    expect({ status, stdout, lines: stderr.length }).toEqual({ status: 2, stdout: '', lines: 1 });
    expect(stderr[0]).toMatch(message);
  });
});

describe('convert with a folder', () => {
  const remove = OLD.slice(
    OLD.indexOf('static void bar_remove'),
    OLD.indexOf('static struct mdev_driver'),
  );
  const TREE = {
    'one/bar.c': OLD,
    'one/bar.h': BAR_H,
    'two/bar.c': OLD,
    'two/bar.h': BAR_H_LATE,
    'many/Kbuild': 'obj-m += bar.o\nbar-y := main.o remove.o\n',
    'many/main.c': OLD.replace(remove, ''),
    'many/bar.h': `${BAR_H_SECOND}void bar_remove(struct mdev_device *mdev);\n`,
    'many/remove.c': `#include "bar.h"\n\n${remove.replace('static void', 'void')}`,
    'new/foo.c': CLEAN,
    'other/x.c': 'int x;\n',
  };
  /** The table at the end of stderr, as words. */
  const table = (stderr: readonly string[]): string[] =>
    stderr
      .filter((line) => !line.startsWith('vfio-lifecycle: '))
      .map((line) => line.replace(/ +/g, ' '));

  it('converts every module in it once, and ends with a table of verdicts', async () => {
    const { path, pathOf } = make(TREE);
    const { status, stdout, stderr, bytes } = await run(path, 'convert', '--kernel', '6.1', '.');
    expect(status).toBe(1);
    expect(stdout.match(/^--- .*/gm)).toEqual([
      '--- a/many/bar.h',
      '--- a/many/main.c',
      '--- a/many/remove.c',
      '--- a/one/bar.c',
    ]);
    expect(table(stderr)).toEqual([
      'refused two/bar.c member-not-first',
      expect.stringMatching(/^converted many\/main\.c \(\+1\) \d things? to look at$/),
      expect.stringMatching(/^converted one\/bar\.c \d things? to look at$/),
      expect.stringMatching(
        /^unchanged new\/foo\.c foo_probe\(\) already uses vfio_alloc_device\(\)/,
      ),
      '4 modules: 1 refused, 2 converted, 1 unchanged',
    ]);
    expect(stderr.at(-1)).toBe('4 modules: 1 refused, 2 converted, 1 unchanged');
    expect(stderr.filter((line) => line.includes('refused:'))).toHaveLength(1);
    gitApply(path, bytes);
    expect((await run(path, 'convert', '--kernel', '6.1', 'one', 'many')).status).toBe(0);
    expect(readFileSync(pathOf('one/bar.c'), 'utf8')).toContain('vfio_alloc_device(');
  });

  it('writes what the patch says, and is quiet when it is told to', async () => {
    const { path, pathOf } = make(TREE);
    expect(
      await run(path, 'convert', '--kernel', '6.1', '--write', '-q', 'one', 'many'),
    ).toMatchObject({
      status: 0,
      stdout: '',
      stderr: [],
    });
    expect(readFileSync(pathOf('many/remove.c'), 'utf8')).toContain('vfio_put_device(');
    expect(readFileSync(pathOf('one/bar.c'), 'utf8')).toContain('vfio_alloc_device(');
  });

  it('has a JSON form with an entry for each module', async () => {
    const { path } = make(TREE);
    const report = JSON.parse(
      (await run(path, 'convert', '--kernel', '6.1', '--format', 'json', '.')).stdout,
    );
    expect(
      report.files.map((one: { path: string; status: string }) => `${one.path} ${one.status}`),
    ).toEqual([
      'many/main.c converted',
      'new/foo.c unchanged',
      'one/bar.c converted',
      'two/bar.c refused',
    ]);
  });
});

describe('convert --write', () => {
  it('prints the patch with its message where that is asked for by name', async () => {
    const { path, write, pathOf } = make({ 'bar.c': OLD, 'bar.h': BAR_H });
    const shown = await run(path, 'convert', '--kernel', '6.1', '--format', 'patch', 'bar.c');
    const written = await run(
      path,
      'convert',
      '--kernel',
      '6.1',
      '--format',
      'patch',
      '--write',
      'bar.c',
    );
    expect(written).toMatchObject({ status: 0, stdout: shown.stdout });
    expect(written.stderr).toContain('vfio-lifecycle: bar.c: written');
    const after = readFileSync(pathOf('bar.c'), 'utf8');
    write('bar.c', OLD);
    gitApply(path, written.bytes);
    expect(readFileSync(pathOf('bar.c'), 'utf8')).toBe(after);
  });
});

describe('convert --compat-header', () => {
  const words = ['convert', '--style', 'compat', '--compat-header', 'vfio-compat.h'];

  it('writes a header beside the driver, the same as a patch does for git apply', async () => {
    const { path, pathOf, write } = make({ 'drv/bar.c': OLD, 'drv/bar.h': BAR_H });
    const shown = await run(path, ...words, 'drv/bar.c');
    expect(shown.stdout).toContain('--- /dev/null\n+++ b/drv/vfio-compat.h\n@@ -0,0 +1,');
    gitApply(path, shown.bytes);
    const texts = (): string[] =>
      ['drv/bar.c', 'drv/vfio-compat.h'].map((name) => readFileSync(pathOf(name), 'utf8'));
    const applied = texts();
    expect(applied[0]).toContain('#include "vfio-compat.h"\n');
    rmSync(pathOf('drv/vfio-compat.h'));
    write('drv/bar.c', OLD);
    expect((await run(path, ...words, '--write', 'drv/bar.c')).status).toBe(0);
    expect(texts()).toEqual(applied);
  });

  it('writes over no header of another content', async () => {
    const { path, pathOf } = make({
      'bar.c': OLD,
      'bar.h': BAR_H,
      'vfio-compat.h': '/* mine */\n',
    });
    const { status, stderr } = await run(path, ...words, '--write', 'bar.c');
    expect(status).toBe(2);
    expect(stderr).toContain('vfio-lifecycle: vfio-compat.h: there is another file of this name');
    expect(readFileSync(pathOf('bar.c'), 'utf8')).toBe(OLD);
  });
});

it('names the header that was not found where a struct is not', async () => {
  const { path } = make({ 'bar.c': OLD.replaceAll('bar->vdev', 'bar->part.vdev') });
  const { status, stderr } = await run(path, 'convert', '--kernel', '6.1', 'bar.c');
  expect(status).toBe(1);
  expect(stderr.join('\n')).toMatch(
    /`struct bar` .*, of which "bar\.h" \(line 2\) was not found, .*\[struct-not-found\]/,
  );
});

describe('fix', () => {
  it('prints one patch over a whole tree: several defects in a file, and a module of two sources', async () => {
    const late = UNCHECKED.replace(
      'vfio_unregister_group_dev(&foo->vdev);\n\tvfio_put_device(&foo->vdev);',
      'vfio_unregister_group_dev(&foo->vdev);\n\tkfree(foo);',
    );
    const remove = CLEAN.slice(
      CLEAN.indexOf('static void foo_remove'),
      CLEAN.indexOf('static struct mdev_driver'),
    );
    const container = CLEAN.slice(
      CLEAN.indexOf('struct foo {'),
      CLEAN.indexOf('static void foo_release'),
    );
    const files = {
      Makefile: 'VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 0\n',
      'drivers/one/foo.c': late,
      'drivers/two/Kbuild': 'two-y := main.o remove.o\n',
      'drivers/two/foo.h': `#include <linux/vfio.h>\n\n${container}void foo_remove(struct mdev_device *mdev);\n`,
      'drivers/two/main.c': UNCHECKED.replace(container, '')
        .replace('#include <linux/vfio.h>', '#include "foo.h"')
        .replace(remove, ''),
      'drivers/two/remove.c': `#include "foo.h"\n\n${remove.replace('static void', 'void').replace('vfio_put_device(&foo->vdev)', 'kfree(foo)')}`,
      'drivers/other.c': 'int vfio_unrelated;\n',
    };
    const { path, pathOf } = make(files);
    const before = (await run(path, 'check', '--fail-on', 'never', '.')).stdout;
    expect(before.match(/ error: /g)!.length).toBeGreaterThan(3);
    const { status, bytes } = await run(path, 'fix', '.');
    expect(status).toBe(0);
    gitApply(path, bytes);
    expect(readFileSync(pathOf('drivers/one/foo.c'), 'utf8')).toBe(CLEAN);
    expect(await run(path, 'check', '--fail-on', 'hint', '.')).toMatchObject({
      status: 0,
      stdout: '',
    });
    expect(await run(path, 'fix', '.')).toMatchObject({ status: 0, stdout: '' });
    expect(readFileSync(pathOf('drivers/other.c'), 'utf8')).toBe(files['drivers/other.c']);
  });

  it('makes the others too when it is told to', async () => {
    const { path } = make({ 'c.c': LEAKY });
    expect((await run(path, 'fix', '--unsafe', '--write', 'c.c')).status).toBe(0);
    expect(await run(path, 'check', 'c.c')).toMatchObject({ status: 0, stdout: '' });
  });

  it('names the file that a symbolic link leads to, once, in a patch that git takes', async () => {
    const { path, pathOf } = make({ 'real/foo.c': UNCHECKED });
    symlinkSync('real/foo.c', pathOf('link.c'));
    const { bytes, stdout } = await run(path, 'fix', 'link.c', 'real/foo.c');
    expect(stdout.match(/^\+\+\+ .*$/gm)).toEqual(['+++ b/real/foo.c']);
    gitApply(path, bytes);
    expect(readFileSync(pathOf('real/foo.c'), 'utf8')).toBe(CLEAN);
  });

  it('writes through a symbolic link', async () => {
    const { path, pathOf } = make({ 'real/foo.c': UNCHECKED });
    symlinkSync('real/foo.c', pathOf('link.c'));
    expect((await run(path, 'fix', '--write', 'link.c')).status).toBe(0);
    expect(readFileSync(pathOf('real/foo.c'), 'utf8')).toBe(CLEAN);
    expect(lstatSync(pathOf('link.c')).isSymbolicLink()).toBe(true);
  });

  it('keeps the owner, the mode and the other names of a file', async () => {
    const { path, pathOf } = make({ 'foo.c': UNCHECKED });
    chmodSync(pathOf('foo.c'), 0o640);
    linkSync(pathOf('foo.c'), pathOf('other-name'));
    if (process.getuid?.() === 0) chownSync(pathOf('foo.c'), 1234, 1235);
    const before = statSync(pathOf('foo.c'));
    expect((await run(path, 'fix', '--write', 'foo.c')).status).toBe(0);
    expect(readFileSync(pathOf('other-name'), 'utf8')).toBe(CLEAN);
    const after = statSync(pathOf('foo.c'));
    expect([after.ino, after.nlink, after.uid, after.gid, after.mode]).toEqual([
      before.ino,
      before.nlink,
      before.uid,
      before.gid,
      before.mode,
    ]);
    expect(readdirSync(path).sort()).toEqual(['foo.c', 'other-name']);
  });

  it.runIf(process.getuid?.() === 0)('keeps the owner of a file that is replaced', async () => {
    const { path, pathOf } = make({ 'foo.c': UNCHECKED });
    chownSync(pathOf('foo.c'), 1234, 1235);
    expect((await run(path, 'fix', '--write', 'foo.c')).status).toBe(0);
    expect(readFileSync(pathOf('foo.c'), 'utf8')).toBe(CLEAN);
    expect(statSync(pathOf('foo.c'))).toMatchObject({ uid: 1234, gid: 1235 });
  });

  it('writes one file of two names once', async () => {
    const { path, pathOf } = make({ 'a/foo.c': UNCHECKED, 'b/x': '' });
    linkSync(pathOf('a/foo.c'), pathOf('b/foo.c'));
    expect((await run(path, 'fix', '--write', '.')).status).toBe(0);
    expect(readFileSync(pathOf('b/foo.c'), 'utf8')).toBe(CLEAN);
  });

  it('writes all files or none', async () => {
    const { path, pathOf } = make({ 'a/foo.c': UNCHECKED, 'b/foo.c': UNCHECKED });
    // What a crash left behind: the place of the new content is taken, whatever the number of the
    // process is.
    const changes = ['a', 'b'].map((name): Change => ({
      path: pathOf(`${name}/foo.c`),
      before: decode(Buffer.from(UNCHECKED)),
      text: CLEAN,
    }));
    writeFileSync(pathOf(`b/.foo.c.${process.pid}.tmp`), '');
    expect(() => writeFiles(changes)).toThrow(/b\/foo\.c: .*; nothing written$/);
    rmSync(pathOf(`b/.foo.c.${process.pid}.tmp`));
    writeFileSync(pathOf('b/foo.c'), 'int changed;\n');
    expect(() => writeFiles(changes)).toThrow(
      /b\/foo\.c: changed while it was analysed; nothing written$/,
    );
    expect(readFileSync(pathOf('a/foo.c'), 'utf8')).toBe(UNCHECKED);
    expect(readdirSync(pathOf('a'))).toEqual(['foo.c']);
    expect((await run(path, 'check', 'a/foo.c')).status).toBe(1);
  });

  it('takes back what was written when a later file fails', () => {
    const { pathOf } = make({ 'a/foo.c': UNCHECKED, 'b/foo.c': UNCHECKED });
    const changes = ['a', 'b'].map((name): Change => ({
      path: pathOf(`${name}/foo.c`),
      before: decode(Buffer.from(UNCHECKED)),
      text: CLEAN,
    }));
    // The second file gives its name away between the look at it and the write.
    const failing: Change = {
      path: changes[1]!.path,
      before: changes[1]!.before,
      get text() {
        setOff();
        return CLEAN;
      },
    };
    const setOff = (): void => {
      rmSync(pathOf('b'), { recursive: true });
      writeFileSync(pathOf('b'), '');
    };
    expect(() => writeFiles([changes[0]!, failing])).toThrow(/nothing written$/);
    expect(readFileSync(pathOf('a/foo.c'), 'utf8')).toBe(UNCHECKED);
  });
});
