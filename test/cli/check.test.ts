/** The check of the built program: its process, its threads and its stdin. */
import { spawnSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BAR_H, CLEAN, LEAKY, OLD, UNCHECKED } from '../support/drivers.ts';
import { CORE_WRAPPERS, OVER_CORE_LEAKY } from '../support/vendor-core.ts';
import { foldersOfTests } from '../support/folder-of-test.ts';
import { run, runWith } from './run.ts';

const make = foldersOfTests();
const DEFAULT = 'vfio-lifecycle: target kernel 6.1: the default: no kernel tree around the file';

describe('check', () => {
  it("prints the compilers' form, and the target on stderr", () => {
    const { path } = make({ 'foo.c': LEAKY });
    const { status, stdout, stderr } = run(path, 'check', '--format', 'short', 'foo.c');
    const [first, ...notes] = stdout.trimEnd().split('\n');
    expect(first).toMatch(/^foo\.c:29:3: error: .* \[missing-put\]$/);
    expect(notes.length).toBeGreaterThan(0);
    for (const note of notes) expect(note).toMatch(/^foo\.c:\d+:\d+: note: \S/);
    expect(stderr).toEqual([DEFAULT]);
    expect(status).toBe(1);
  });

  it('answers for many files, on several threads, what it answers for a few and for one', () => {
    const names = Array.from({ length: 12 }, (_, i) => `d${i}/foo.c`);
    const { path } = make({
      ...Object.fromEntries(names.map((name, i) => [name, i % 3 === 0 ? LEAKY : OVER_CORE_LEAKY])),
      '.vfio-lifecycle.json': JSON.stringify({ wrappers: CORE_WRAPPERS }),
    });
    const filesOf = (...paths: string[]): unknown[] =>
      (JSON.parse(run(path, 'check', '--format', 'json', ...paths).stdout) as { files: unknown[] })
        .files;
    const all = filesOf('.');
    expect(all).toHaveLength(12);
    const sorted = [...names].sort();
    // Half of them are too few for several threads.
    expect(all).toEqual([...filesOf(...sorted.slice(0, 6)), ...filesOf(...sorted.slice(6))]);
    expect(all.slice(-2)).toEqual(sorted.slice(-2).flatMap((name) => filesOf(name)));
  });

  it.runIf(process.platform === 'linux')(
    'says of a pipe and of a device that they are no files',
    () => {
      const { path, pathOf } = make({ 'foo.c': `#include "zero.h"\n${LEAKY}` });
      spawnSync('mkfifo', [pathOf('pipe.c'), pathOf('Makefile')]);
      symlinkSync('/dev/zero', pathOf('zero.h'));
      expect(run(path, 'check', 'pipe.c')).toMatchObject({
        status: 2,
        stdout: '',
        stderr: ['vfio-lifecycle: pipe.c: not a regular file'],
      });
      expect(run(path, 'check', 'zero.h')).toMatchObject({
        status: 2,
        stdout: '',
        stderr: ['vfio-lifecycle: zero.h: not a regular file'],
      });
      expect(run(path, 'check', 'foo.c').stdout).toContain('[missing-put]');
    },
  );

  it.each<[string, string | Uint8Array]>([
    ['an empty file', ''],
    ['a file of NULs', `vfio${'\0'.repeat(1_000_000)}`],
    ['100,000 nested braces', `void vfio(void) ${'{'.repeat(100_000)}`],
    [
      'bytes that are no UTF-8',
      Buffer.concat([
        Buffer.from('/* vfio \xff\xfe\xc3 */\n', 'latin1'),
        Buffer.from([0x80, 0xff, 0xc0, 0x00]),
      ]),
    ],
    ['UTF-16', Buffer.from(`\ufeff${LEAKY}`, 'utf16le')],
  ])('%s: no crash, no finding', (_, content) => {
    const { path } = make({ 'x.c': content });
    expect(run(path, 'check', 'x.c')).toMatchObject({ status: 0, stdout: '', stderr: [DEFAULT] });
  });
});

describe('check -', () => {
  it('analyses stdin as the file that it stands for, which need not be there or be the same', () => {
    const { path } = make({
      Makefile: 'VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 0\n',
      'drv/foo.c': CLEAN,
      'drv/foo.h': '',
    });
    const leaky = runWith(LEAKY, path, 'check', '--stdin-filename', 'drv/foo.c', '-');
    expect(leaky.stdout).toMatch(/^drv\/foo\.c:29:3: error: .*\[missing-put\]$/m);
    expect(leaky).toMatchObject({
      status: 1,
      stderr: ["vfio-lifecycle: target kernel 6.1: from the kernel tree's Makefile"],
    });
    expect(runWith(CLEAN, path, 'check', '--stdin-filename', 'drv/new.c', '-')).toMatchObject({
      status: 0,
      stdout: '',
    });
    expect(runWith(LEAKY, path, 'check', '-').stdout).toMatch(/^<stdin>:29:3: error: /m);
  });

  it('sees the headers and the other files of its module on the disk', () => {
    const { path } = make({ 'drv/bar.h': BAR_H });
    const converted = runWith(
      OLD,
      path,
      'convert',
      '--kernel',
      '6.1',
      '--stdin-filename',
      'drv/bar.c',
      '-',
    );
    expect(converted.stdout).toMatch(/^--- a\/drv\/bar\.c$/m);
    expect(runWith(UNCHECKED, path, 'fix', '-').stdout).toContain('+\tif (IS_ERR(foo))');
  });

  it('takes what git diff prints, before it is applied and after', () => {
    const { path, write } = make({ 'drv/foo.c': CLEAN });
    const git = (...words: string[]): string =>
      spawnSync('git', words, { cwd: path, encoding: 'utf8' }).stdout;
    git('init', '-q');
    git('add', '-A');
    write('drv/foo.c', LEAKY);
    const diff = git('diff');
    const rulesFound = (): unknown =>
      runWith(diff, path, 'check', '--format', 'short', '--diff', '-').stdout.match(
        /\[[\w-]+\]$/gm,
      );
    expect(rulesFound()).toEqual(['[missing-put]']);
    git('checkout', '-q', '.');
    expect(rulesFound()).toEqual(['[missing-put]']);
    expect(git('diff')).toBe('');
  });
});
