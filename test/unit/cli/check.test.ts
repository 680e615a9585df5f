import { symlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BAR_H, CLEAN, LEAKY, OLD, UNCHECKED } from '../../support/drivers.ts';
import { foldersOfTests } from '../../support/folder-of-test.ts';
import { run } from '../../support/command.ts';

const make = foldersOfTests();
const DEFAULT = 'vfio-lifecycle: target kernel 6.1: the default: no kernel tree around the file';

describe('check', () => {
  it('is silent and content with a clean driver', async () => {
    const { path } = make({ 'foo.c': CLEAN });
    expect(await run(path, 'check', 'foo.c')).toMatchObject({ status: 0, stdout: '' });
  });

  it('judges a driver without a kernel tree as one of the kernel that it needs, alone among others', async () => {
    const later = CLEAN.replace(
      /(static const struct vfio_device_ops \w+ = \{\n)/,
      '$1\t.bind_iommufd = vfio_iommufd_emulated_bind,\n\t.unbind_iommufd = vfio_iommufd_emulated_unbind,\n\t.attach_ioas = vfio_iommufd_emulated_attach_ioas,\n',
    );
    const { path } = make({
      'a.c': CLEAN,
      'b.c': later.replaceAll(/^.*vfio_free_device.*\n/gm, ''),
    });
    expect(await run(path, 'check', 'a.c', 'b.c')).toMatchObject({
      status: 0,
      stdout: '',
      stderr: [
        DEFAULT,
        'vfio-lifecycle: b.c: target kernel 6.2: the first with .bind_iommufd, which the driver uses; no kernel tree around the file',
      ],
    });
    expect((await run(path, 'check', '--kernel', '6.1', 'b.c')).status).toBe(1);
  });

  it('passes over what kbuild writes in a folder, unless that is what was named', async () => {
    const { path } = make({ 'drv/foo.c': CLEAN, 'drv/foo.mod.c': LEAKY });
    expect(await run(path, 'check', 'drv')).toMatchObject({ status: 0, stdout: '' });
    expect((await run(path, 'check', 'drv/foo.mod.c')).status).toBe(1);
  });

  it('names convert where something was removed', async () => {
    const { path } = make({ 'bar.c': OLD, 'bar.h': BAR_H });
    expect((await run(path, 'check', '--kernel', '6.1', 'bar.c')).stdout).toMatch(
      /files? \(.*`vfio-lifecycle convert` replaces what was removed\)\n$/,
    );
    expect((await run(path, 'check', '--kernel', '6.0', 'bar.c')).stdout).not.toContain(' convert');
  });

  it('passes over what git ignores in a folder, unless that is what was named', async () => {
    const { path } = make({
      '.git/HEAD': '',
      '.gitignore': '/build/\n*.mod.c\n',
      'drv/foo.c': LEAKY,
      'drv/foo.mod.c': LEAKY,
      'drv/.gitignore': 'old*\n!old.c\n',
      'drv/old.c': LEAKY,
      'drv/older.c': LEAKY,
      'build/drv/foo.c': LEAKY,
    });
    const found = async (...words: readonly string[]): Promise<readonly string[]> => [
      ...new Set(
        (await run(path, 'check', '--format', 'short', ...words)).stdout.match(/^[\w./]+\.c/gm),
      ),
    ];
    expect(await found('.')).toEqual(['drv/foo.c', 'drv/old.c']);
    expect(await found('build')).toEqual(['build/drv/foo.c']);
    expect(await found('drv/older.c', '.')).toEqual(['drv/foo.c', 'drv/old.c', 'drv/older.c']);
  });

  it('takes a folder: its C files that mention VFIO, sorted, .git and loops left out', async () => {
    const { path, pathOf } = make({
      'b/foo.c': LEAKY,
      'a/foo.c': LEAKY,
      'a/foo.h': `static ${LEAKY}`,
      'other.c': LEAKY.replaceAll('vfio', 'vgio'),
      '.git/foo.c': LEAKY,
      'foo.cc': LEAKY,
      'foo.txt': LEAKY,
    });
    symlinkSync(path, pathOf('a/loop'));
    symlinkSync(pathOf('b'), pathOf('a/again'));
    const report = JSON.parse((await run(path, 'check', '--format', 'json', '.')).stdout);
    expect(report.files.map((one: { path: string }) => one.path)).toEqual([
      'a/foo.c',
      'a/foo.h',
      'b/foo.c',
    ]);
  });

  it('follows a link out of the folder', async () => {
    const { path, pathOf } = make({ 'outside/foo.c': LEAKY, 'in/x.c': '' });
    symlinkSync(pathOf('outside'), pathOf('in/linked'));
    const report = JSON.parse((await run(path, 'check', '--format', 'json', 'in')).stdout);
    expect(report.files.map((one: { path: string }) => one.path)).toEqual(['in/linked/foo.c']);
  });

  it('does not follow a link out of the repository, and says so', async () => {
    const { path, pathOf } = make({
      'outside/foo.c': LEAKY,
      'repo/x.c': '',
      'repo/.git/config': '',
    });
    symlinkSync('../outside', pathOf('repo/linked'));
    const { status, stdout, stderr } = await run(path, 'check', 'repo');
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(stderr).toContain('vfio-lifecycle: repo/linked: a link out of the tree, not followed');
  });

  it('shows nothing of a file name that a terminal would obey', async () => {
    const name = 'a\x1b[2J\n\u202eb.c';
    const { path } = make({ [name]: LEAKY });
    for (const format of ['text', 'json', 'github', 'gitlab', 'sarif']) {
      const { stdout, stderr } = await run(path, 'check', '--format', format, '.');
      expect(stdout).not.toMatch(/[\x1b\u202e]/);
      expect(stderr.join('')).not.toMatch(/[\x1b\u202e]/);
    }
    expect((await run(path, 'check', '.')).stdout).toMatch(
      /^a\\x1b\[2J\\n\\u202eb\.c:29:3: error: /,
    );
    const json = JSON.parse((await run(path, 'check', '--format', 'json', '.')).stdout);
    expect(json.files[0].path).toBe(name);
    expect((await run(path, 'fix', name)).stdout).not.toMatch(/[\x1b\u202e]/);
    expect((await run(path, 'convert', name)).stderr.join('')).not.toMatch(/[\x1b\u202e]/);
  });

  it('takes a file once, whatever leads to it', async () => {
    const { path } = make({ 'a/foo.c': LEAKY });
    const report = JSON.parse(
      (await run(path, 'check', '--format', 'json', 'a', 'a/foo.c', './a/../a')).stdout,
    );
    expect(report.summary).toMatchObject({ files: 1, error: 1 });
  });

  it('analyses the files of one module together and gives each finding to its file', async () => {
    const files = {
      Makefile: 'obj-m += foo.o\nfoo-y := main.o util.o\n',
      'main.c': `#include "foo.h"\n${LEAKY.replace('\tif (ret)\n\t\treturn ret;', '\tif (ret) {\n\t\tfoo_drop(foo);\n\t\treturn ret;\n\t}').replace(/struct foo \{[^}]*\};\n/, '')}`,
      'util.c':
        '#include "foo.h"\n/* vfio */\nvoid foo_drop(struct foo *foo)\n{\n\tvfio_put_device(&foo->vdev);\n}\n',
      'foo.h': 'struct foo {\n\tstruct vfio_device vdev;\n};\nvoid foo_drop(struct foo *foo);\n',
    };
    const { path, write } = make(files);
    expect(await run(path, 'check', 'main.c', 'util.c')).toMatchObject({ status: 0, stdout: '' });
    write('util.c', files['util.c'].replace('\tvfio_put_device(&foo->vdev);\n', ''));
    const { status, stdout } = await run(path, 'check', '.');
    expect(stdout).toMatch(/^main\.c:\d+:\d+: error: .*\[missing-put\]$/m);
    expect(status).toBe(1);
  });
});

describe('the target kernel of check', () => {
  it('comes from the option, else from the tree, and the output says so', async () => {
    const { path } = make({
      Makefile: 'VERSION = 6\nPATCHLEVEL = 0\nSUBLEVEL = 0\n',
      'drv/bar.c': OLD,
      'drv/bar.h': BAR_H,
    });
    expect((await run(path, 'check', 'drv')).stderr).toEqual([
      "vfio-lifecycle: target kernel 6.0: from the kernel tree's Makefile",
    ]);
    expect(await run(path, 'check', '--kernel', '6.2', 'drv')).toMatchObject({
      status: 1,
      stderr: ['vfio-lifecycle: target kernel 6.2: from --kernel'],
    });
  });

  it('is that of each tree when there are several', async () => {
    const { path } = make({
      'a/arch/x': '',
      'a/scripts/x': '',
      'a/Makefile': 'VERSION = 6\nPATCHLEVEL = 0\nSUBLEVEL = 0\n',
      'a/foo.c': CLEAN,
      'b/Makefile': 'VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 0\n',
      'b/foo.c': CLEAN,
    });
    const { stderr, stdout } = await run(path, 'check', '--format', 'json', 'a', 'b');
    expect(stderr).toEqual([
      "vfio-lifecycle: target kernel 6.0: from the kernel tree's Makefile",
      "vfio-lifecycle: b/foo.c: target kernel 6.12: from the kernel tree's Makefile",
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      kernel: '6.0',
      files: [
        { path: 'a/foo.c', kernel: '6.0' },
        { path: 'b/foo.c', kernel: '6.12' },
      ],
    });
    const { runs } = JSON.parse((await run(path, 'check', '--format', 'sarif', 'a', 'b')).stdout);
    expect(
      runs.map((one: { properties: unknown; automationDetails: unknown; artifacts: unknown[] }) => [
        one.properties,
        one.automationDetails,
        one.artifacts.length,
      ]),
    ).toEqual([
      [{ targetKernel: '6.0' }, { id: 'vfio-lifecycle/linux-6.0/' }, 1],
      [{ targetKernel: '6.12' }, { id: 'vfio-lifecycle/linux-6.12/' }, 1],
    ]);
  });
});

describe('check --quiet and --verbose', () => {
  it('say less and more on stderr, and the same on stdout', async () => {
    const { path } = make({ 'foo.c': LEAKY });
    const normal = await run(path, 'check', 'foo.c');
    const quiet = await run(path, 'check', '-q', 'foo.c');
    const verbose = await run(path, '-v', 'check', 'foo.c');
    expect(quiet).toMatchObject({ status: 1, stdout: normal.stdout, stderr: [] });
    expect(verbose).toMatchObject({ status: 1, stdout: normal.stdout });
    expect(verbose.stderr.length).toBeGreaterThan(normal.stderr.length);
    expect((await run(path, 'check', '-q', 'none.c')).stderr).toEqual([
      'vfio-lifecycle: none.c: no such file or folder',
    ]);
  });

  it('--only reports these rules alone', async () => {
    const { path } = make({ 'foo.c': LEAKY });
    expect(await run(path, 'check', '--only', 'missing-put', 'foo.c')).toMatchObject({ status: 1 });
    expect(await run(path, 'check', '--only', 'double-put,use-after-put', 'foo.c')).toMatchObject({
      status: 0,
      stdout: '',
    });
  });
});

describe('the JSON of check', () => {
  it('keeps to the contract', async () => {
    const { path } = make({ 'foo.c': LEAKY, 'clean.c': CLEAN, 'null.c': UNCHECKED });
    const { status, stdout } = await run(path, 'check', '--format', 'json', '.');
    expect(status).toBe(1);
    const report = JSON.parse(stdout);
    expect(Object.keys(report)).toEqual([
      'version',
      'kernel',
      'files',
      'notAnalysed',
      'problems',
      'summary',
    ]);
    expect(report).toMatchObject({
      version: 1,
      kernel: '6.1',
      notAnalysed: [],
      problems: [],
      summary: { files: 3, functions: 9, error: 2, warning: 0, information: 0, hint: 0 },
    });
    expect(report.files.map((one: { path: string }) => one.path)).toEqual([
      'clean.c',
      'foo.c',
      'null.c',
    ]);
    expect(report.files[0]).toEqual({ path: 'clean.c', kernel: '6.1', diagnostics: [] });
    const [found] = report.files[1].diagnostics;
    expect(Object.keys(found)).toEqual([
      'rule',
      'severity',
      'message',
      'function',
      'range',
      'related',
      'fix',
    ]);
    expect(found).toMatchObject({
      rule: 'missing-put',
      severity: 'error',
      function: 'foo_probe',
      fix: 'safe',
      range: { start: { line: 28, character: 2 }, end: { line: 28, character: 13 } },
    });
    for (const one of found.related)
      expect(one).toEqual({
        path: 'foo.c',
        range: {
          start: { line: expect.any(Number), character: expect.any(Number) },
          end: { line: expect.any(Number), character: expect.any(Number) },
        },
        message: expect.any(String),
      });
    expect(report.files[2].diagnostics).toMatchObject([
      { rule: 'null-check-on-alloc', fix: 'safe' },
    ]);
  });

  it('counts positions in UTF-16 without the byte order mark', async () => {
    const { path } = make({
      'foo.c': `\ufeff${LEAKY.replace('\t\treturn ret;\n\n\tdev_set', '\t\t/* \u{1f600} */ return ret;\n\n\tdev_set')}`,
    });
    const report = JSON.parse((await run(path, 'check', '--format', 'json', 'foo.c')).stdout);
    expect(report.files[0].diagnostics[0].range.start).toEqual({ line: 28, character: 11 });
  });

  it('has what could not be analysed', async () => {
    const { path } = make({ 'big.c': `int vfio;${' '.repeat(5_000_000)}` });
    const report = JSON.parse((await run(path, 'check', '--format', 'json', '.')).stdout);
    expect(report.notAnalysed).toEqual([
      { path: 'big.c', function: '', reason: 'the file is larger than 4 million characters' },
    ]);
  });
});

describe('the exit status of check', () => {
  it.each([
    ['error', LEAKY, '6.1', 1],
    ['never', LEAKY, '6.1', 0],
    ['error', OLD, '6.0', 0],
    ['warning', OLD, '6.0', 0],
    ['info', OLD, '6.0', 1],
    ['hint', OLD, '6.0', 1],
    ['hint', CLEAN, '6.1', 0],
  ])('--fail-on %s', async (level, text, kernel, status) => {
    const { path } = make({ 'x.c': text, 'bar.h': BAR_H });
    expect((await run(path, 'check', '--kernel', kernel, '--fail-on', level, 'x.c')).status).toBe(
      status,
    );
  });
});

describe('bad input to check', () => {
  it.each([
    ['no such file', ['check', 'none.c'], /^vfio-lifecycle: none\.c: no such file or folder$/],
    ['no path', ['check'], /^vfio-lifecycle: no PATH given$/],
    ['no command', [], /^vfio-lifecycle: no command; try --help$/],
    [
      'an unknown command',
      ['chek', 'x'],
      /^vfio-lifecycle: unknown command 'chek'; did you mean check\?$/,
    ],
    [
      'an unknown option',
      ['check', '--kernle', '6.1', 'x'],
      /^vfio-lifecycle: unknown option '--kernle'; did you mean --kernel\?$/,
    ],
    [
      'a kernel that does not parse',
      ['check', '--kernel', 'newest', '.'],
      /^vfio-lifecycle: --kernel: "newest" is not a kernel version such as 6\.1 or 6\.12$/,
    ],
    [
      'an unknown format',
      ['check', '--format', 'xml', '.'],
      /^vfio-lifecycle: --format: "xml" is none of text, short, json, sarif, github, gitlab$/,
    ],
    [
      'an unknown level',
      ['check', '--fail-on', 'all', '.'],
      /^vfio-lifecycle: --fail-on: "all" is none of /,
    ],
    ['lsp without --stdio', ['lsp'], /^vfio-lifecycle: lsp speaks over --stdio only$/],
  ])('%s: one line, status 2', async (_, args, message) => {
    const { path } = make({});
    const { status, stdout, stderr } = await run(path, ...args);
    expect({ status, stdout, lines: stderr.length }).toEqual({ status: 2, stdout: '', lines: 1 });
    expect(stderr[0]).toMatch(message);
  });

  it.each<[string, Record<string, string>, string[], RegExp]>([
    [
      'an empty folder',
      {},
      ['.'],
      /^vfio-lifecycle: nothing to (?:check|fix): no C file \(\.c or \.h\) in \.$/,
    ],
    [
      'only a Makefile',
      { 'drv/Makefile': 'obj-m += vfio.o\n' },
      ['drv'],
      /^vfio-lifecycle: nothing to (?:check|fix): no C file .* in drv$/,
    ],
    [
      'folders without sources',
      { 'a/vfio.txt': LEAKY, 'b/vfio.S': LEAKY },
      ['a', 'b'],
      /in a and 1 more$/,
    ],
  ])('%s: a sentence, status 2', async (_, files, paths, message) => {
    const { path } = make(files);
    for (const command of [['check'], ['check', '--format', 'json'], ['fix']]) {
      const { status, stdout, stderr } = await run(path, ...command, ...paths);
      expect({ status, stdout, lines: stderr.length }).toEqual({ status: 2, stdout: '', lines: 1 });
      expect(stderr[0]).toMatch(message);
    }
  });

  it('passes over what is no C file, with a sentence', async () => {
    const { path } = make({
      'README.md': '/* vfio-lifecycle: allow(missing-put): an example */ vfio\n',
      'foo.c': CLEAN,
    });
    const said = 'vfio-lifecycle: README.md: not a C file (.c or .h), passed over';
    expect(await run(path, 'check', '--fail-on', 'hint', 'README.md', 'foo.c')).toMatchObject({
      status: 0,
      stdout: '',
      stderr: [said, DEFAULT],
    });
    expect(await run(path, 'check', 'README.md')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: [said, 'vfio-lifecycle: nothing to check: no C file (.c or .h) in README.md'],
    });
    expect(await run(path, 'convert', 'README.md')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: ['vfio-lifecycle: README.md: not a C file (.c or .h)'],
    });
  });

  it.each(['4.19', '6.99'])(
    'a kernel that nothing is known of, %s, is said with those that are',
    async (kernel) => {
      const [major, minor] = kernel.split('.');
      const { path } = make({
        'foo.c': UNCHECKED,
        'tree/Makefile': `VERSION = ${major}\nPATCHLEVEL = ${minor}\nSUBLEVEL = 0\n`,
        'tree/arch/x': '',
        'tree/scripts/x': '',
        'tree/a.c': UNCHECKED,
        'tree/b.c': OLD,
        'set/.vfio-lifecycle.json': `{ "targetKernel": "${kernel}" }`,
        'set/foo.c': OLD,
      });
      const range = 'is none of the kernels that are known, Linux 5.10 to 7.1';
      for (const command of [
        ['check', 'foo.c'],
        ['convert', 'foo.c'],
        ['fix', 'foo.c'],
        ['explain', 'vfio_put_device'],
      ]) {
        expect(await run(path, command[0]!, '--kernel', kernel, command[1]!)).toMatchObject({
          status: 2,
          stdout: '',
          stderr: [`vfio-lifecycle: --kernel: ${kernel} ${range}`],
        });
      }
      for (const command of [
        ['check', 'tree'],
        ['fix', 'tree'],
        ['convert', 'tree/a.c'],
        ['check', 'set'],
      ]) {
        const { status, stdout, stderr } = await run(path, ...command);
        expect({ status, stdout, stderr }).toEqual({
          status: 2,
          stdout: '',
          stderr: [expect.stringContaining(`target kernel ${major}.${minor} (from `)],
        });
        expect(stderr[0]).toMatch(
          new RegExp(`${range.replaceAll('.', '\\.')}; name one of them with --kernel$`),
        );
      }
      expect((await run(path, 'check', '--kernel', '6.1', 'tree')).status).toBe(1);
    },
  );

  it('analyses the rest when one file cannot be read', async () => {
    const { path, pathOf } = make({ 'foo.c': LEAKY });
    symlinkSync('/nowhere', pathOf('gone.c'));
    const { status, stdout, stderr } = await run(path, 'check', 'gone.c', 'foo.c');
    expect(status).toBe(2);
    expect(stdout).toContain('[missing-put]');
    expect(stderr[0]).toBe('vfio-lifecycle: gone.c: no such file or folder');
  });

  it('tells of a file that ends early, in each format', async () => {
    const { path } = make({ 'x.c': LEAKY.slice(0, LEAKY.indexOf('if (ret)') + 6) });
    const text = await run(path, 'check', 'x.c');
    expect(text).toMatchObject({
      status: 0,
      stdout:
        'x.c:18:1: note: a part of the file was not analysed: lines 18 to 28 do not parse [not-analysed]\n',
      stderr: [DEFAULT],
    });
    expect(
      JSON.parse((await run(path, 'check', '--format', 'json', 'x.c')).stdout).notAnalysed,
    ).toEqual([{ path: 'x.c', function: '', reason: 'lines 18 to 28 do not parse' }]);
    expect((await run(path, 'check', '--format', 'gitlab', 'x.c')).stderr).toContain(
      'vfio-lifecycle: x.c: not analysed: lines 18 to 28 do not parse',
    );
  });

  it('finds the same in CRLF and in Latin-1', async () => {
    const { path } = make({
      'crlf.c': LEAKY.replaceAll('\n', '\r\n'),
      'latin.c': Buffer.from(
        LEAKY.replace('struct foo {', '/* \xe9\xff */ struct foo {'),
        'latin1',
      ),
    });
    const { stdout } = await run(path, 'check', '.');
    expect(stdout).toMatch(/^crlf\.c:29:3: error: /m);
    expect(stdout).toMatch(/^latin\.c:29:3: error: /m);
  });
});
