/** convert --format patch, given to git am as its reader would. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BAR_H, OLD } from '../../support/drivers.ts';
import { runHere, type Result } from '../../support/command.ts';
import { temporaryFolder, type Folder } from '../../support/folder.ts';

let folder: Folder;
const AUTHOR = ['Zoë O. Maintainer', 'zoe@example.org'] as const;

beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

/** Runs git in the folder and gives what it prints; fails where git does. */
function git(args: readonly string[], input: string | Buffer = ''): string {
  const { status, stdout, stderr } = spawnSync('git', args, {
    cwd: folder.path,
    input,
    env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' },
  });
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
  return stdout.toString('utf8');
}

/** A repository with these files. `driver('foo')` is one that can be converted. */
function repository(files: Record<string, string | Uint8Array>, author = AUTHOR): void {
  git(['init', '-q']);
  git(['config', 'core.quotePath', 'false']);
  git(['config', 'core.autocrlf', 'false']);
  git(['config', 'user.name', author[0]]);
  git(['config', 'user.email', author[1]]);
  for (const [name, text] of Object.entries(files)) folder.write(name, text);
  git(['add', '-A']);
  git(['commit', '-q', '-m', 'drivers']);
}

const driver = (name: string): string =>
  OLD.replace('#include "bar.h"\n', BAR_H).replaceAll('bar', name);
const convert = (...args: string[]): Promise<Result> =>
  runHere(folder.path, 'convert', '--kernel', '6.1', ...args);
/** The text of every file of the last commit, by name. */
const content = (): Record<string, string> =>
  Object.fromEntries(
    git(['ls-files'])
      .trimEnd()
      .split('\n')
      .map((name) => [name, readFileSync(folder.pathOf(name), 'latin1')]),
  );
/** The subject and the author of the commits behind the first, oldest first. */
const commits = (): string[] =>
  git(['log', '--reverse', '--format=%s by %an <%ae>']).trimEnd().split('\n').slice(1);

/** Gives a mailbox to git am and compares what comes of it with --write. */
async function amEqualsWrite(mails: string, ...args: string[]): Promise<void> {
  git(['am', '-q'], mails);
  const after = content();
  git(['checkout', '-q', 'HEAD~' + commits().length]);
  await convert('--write', ...args);
  expect(content()).toEqual(after);
  git(['checkout', '-q', '--force', '-']);
}

describe('convert --format patch', () => {
  it('is a commit of the author that names the driver', async () => {
    repository({ 'drivers/vfio/pci/foo/main.c': driver('foo') });
    const { status, stdout } = await convert('--format', 'patch', '.');
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^From 0{40} Mon Sep 17 00:00:00 2001\nFrom: =\?UTF-8\?q\?\S+\?= <zoe@example\.org>\nSubject: \[PATCH\] vfio\/foo: /,
    );
    await amEqualsWrite(stdout, '.');
    expect(commits()).toEqual([
      'vfio/foo: Use vfio_alloc_device() by Zoë O. Maintainer <zoe@example.org>',
    ]);
    expect(git(['log', '-1', '--format=%b'])).toMatch(/^Convert to the life cycle of Linux 6\.1/);
    expect(git(['log', '-1', '--format=%b'])).not.toContain('Signed-off-by');
  });

  it('is signed off when that is asked for', async () => {
    repository({ 'foo.c': driver('foo') }, ['Ann "Q." Author', 'ann@example.org'] as never);
    const { stdout } = await convert('--format', 'patch', '--signoff', 'foo.c');
    expect(stdout).toContain('\nFrom: "Ann \\"Q.\\" Author" <ann@example.org>\n');
    await amEqualsWrite(stdout, 'foo.c');
    expect(git(['log', '-1', '--format=%(trailers)%an'])).toBe(
      'Signed-off-by: Ann "Q." Author <ann@example.org>\nAnn "Q." Author\n',
    );
    expect((await convert('--signoff', 'foo.c')).said).toEqual([
      '--signoff: only --format patch has a message',
    ]);
  });

  it('is a patch for each of ten drivers, named or in a folder', async () => {
    const names = ['ant', 'bee', 'cat', 'dog', 'elk', 'fox', 'gnu', 'hen', 'ibex', 'jay'];
    repository(Object.fromEntries(names.map((name) => [`drv/${name}.c`, driver(name)])));
    const { stdout } = await convert('--format', 'patch', 'drv');
    expect(stdout.match(/^Subject: .*$/gm)).toEqual(
      names.map(
        (name, i) =>
          `Subject: [PATCH ${String(i + 1).padStart(2, '0')}/10] vfio/${name}: Use vfio_alloc_device()`,
      ),
    );
    const named = await convert('--format', 'patch', ...names.map((name) => `drv/${name}.c`));
    expect(named.stdout).toBe(stdout);
    git(['apply', '--check'], stdout);
    await amEqualsWrite(stdout, 'drv');
    expect(commits()).toHaveLength(10);
  });

  it('is one patch for the files of a module, and for those of two modules of one header two', async () => {
    const shared =
      BAR_H.replace('\tint users;\n', '').replaceAll('bar', 'one') + BAR_H.replaceAll('bar', 'two');
    repository({
      Kbuild: 'obj-m := one.o two.o\n',
      'shared.h': shared,
      'one.c': OLD.replace('bar.h', 'shared.h').replaceAll('bar', 'one'),
      'two.c': OLD.replace('bar.h', 'shared.h').replaceAll('bar', 'two'),
    });
    const { stdout } = await convert('--format', 'patch', '.');
    expect(stdout.match(/^Subject: .*$/gm)).toHaveLength(2);
    await amEqualsWrite(stdout, '.');
  });

  it('names its files from the root of the repository, wherever it is made', async () => {
    repository({ 'drivers/vfio/foo.c': driver('foo') });
    const { stdout, said } = await runHere(
      folder.pathOf('drivers/vfio'),
      'convert',
      '--kernel',
      '6.1',
      '--format',
      'patch',
      'foo.c',
    );
    expect(stdout).toContain('\n--- a/drivers/vfio/foo.c\n');
    expect(said.join('\n')).not.toContain('applies in');
    await amEqualsWrite(stdout, 'drivers/vfio');
  });

  it.each([
    ['names beyond ASCII', 'treiber/größe mit blank.c', driver('foo')],
    ['no newline at the end of the file', 'foo.c', driver('foo').trimEnd()],
    ['lines that end with CR and LF', 'foo.c', driver('foo').replaceAll('\n', '\r\n')],
    ['one line that does', 'foo.c', driver('foo').replace('\tint ret;\n', '\tint ret;\r\n')],
    ['comments beyond ASCII', 'foo.c', `/* é = = 20 */\r\n${driver('foo')}`],
    [
      'bytes that are no UTF-8',
      'foo.c',
      Buffer.from(driver('foo').replace('\tint ret;\n', '\tint ret; /* \xe9 */\n'), 'latin1'),
    ],
  ])('goes through git am with %s', async (_, name, text) => {
    repository({ [name]: text });
    // Bytes, not text: what is no UTF-8 would not come through a string.
    await convert('--format', 'patch', '--output-directory', '.git/mails', '.');
    const [mail] = readdirSync(folder.pathOf('.git/mails'));
    git(['am', '-q'], readFileSync(folder.pathOf(`.git/mails/${mail}`)));
    const after = content();
    git(['checkout', '-q', 'HEAD~1']);
    await convert('--write', '.');
    expect(content()).toEqual(after);
    expect(Object.values(after).join('')).toContain('vfio_alloc_device(');
  });

  it('--output-directory has a file for each, as git format-patch names them', async () => {
    repository({ 'one.c': driver('one'), 'two.c': driver('two') });
    expect((await convert('--output-directory', 'out', '--format', 'json', '.')).status).toBe(2);
    expect(await convert('--output-directory', 'one.c/out', '.')).toMatchObject({
      status: 2,
      said: expect.arrayContaining([expect.stringMatching(/^one\.c\/out\/0001-.*: ENOTDIR/)]),
    });
    const { stdout, status } = await convert('--output-directory', 'out', '.');
    expect({ stdout, status }).toEqual({
      status: 0,
      stdout:
        'out/0001-vfio-one-Use-vfio_alloc_device.patch\nout/0002-vfio-two-Use-vfio_alloc_device.patch\n',
    });
    git(['am', '-q', ...stdout.trimEnd().split('\n')]);
    expect(commits()).toHaveLength(2);
  });

  it('is the same plain diff as ever where no format is asked for', async () => {
    repository({ 'foo.c': driver('foo') });
    const { stdout } = await convert('foo.c');
    expect(stdout).toMatch(/^--- a\/foo\.c\n/);
    git(['apply'], stdout);
  });

  it('has no author where git knows none, and says so', async () => {
    folder.write('foo.c', driver('foo'));
    const before = process.env['GIT_CONFIG_GLOBAL'];
    process.env['GIT_CONFIG_GLOBAL'] = '/dev/null';
    try {
      const { status, stdout, said } = await convert('--format', 'patch', 'foo.c');
      expect(status).toBe(0);
      expect(stdout).not.toMatch(/^From: /m);
      expect(said).toContain(
        'the patch has no author: git config user.name and user.email are not set',
      );
      expect(await convert('--format', 'patch', '--signoff', 'foo.c')).toMatchObject({
        status: 2,
        stdout: '',
      });
    } finally {
      if (before === undefined) delete process.env['GIT_CONFIG_GLOBAL'];
      else process.env['GIT_CONFIG_GLOBAL'] = before;
    }
  });
});
