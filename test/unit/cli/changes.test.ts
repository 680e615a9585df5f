import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CLEAN, LEAKY } from '../../support/drivers.ts';
import { temporaryFolder, type Folder } from '../../support/folder.ts';
import { run } from '../../support/command.ts';

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder({ 'drv/foo.c': CLEAN, 'drv/old.c': LEAKY });
  git('init', '-q', '-b', 'main');
  git('config', 'user.name', 'A Person');
  git('config', 'user.email', 'person@example.org');
  commit('all');
});
afterEach(() => folder.remove());

function git(...words: string[]): string {
  const { status, stdout, stderr } = spawnSync('git', words, {
    cwd: folder.path,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`git ${words.join(' ')}: ${stderr}`);
  return stdout;
}

function commit(message: string): void {
  git('add', '-A');
  git('commit', '-q', '-m', message);
}

/** `file:line rule` of what is found. */
async function found(...words: string[]): Promise<string[]> {
  return foundIn((await run(folder.path, 'check', '--format', 'short', ...words)).stdout);
}

function foundIn(text: string): string[] {
  return [...text.matchAll(/^(\S+?:\d+):\d+: \w+: .*\[([\w-]+)\]$/gm)].map(
    ([, place, rule]) => `${place} ${rule}`,
  );
}

/** The clean driver with one more path that leaks, in line 35. */
const WORSE = CLEAN.replace(
  '\tdev_set_drvdata(&mdev->dev, foo);\n\treturn 0;',
  '\tdev_set_drvdata(&mdev->dev, foo);\n\tif (foo_start(mdev))\n\t\treturn -EIO;\n\treturn 0;',
);
const ADDED = ['drv/foo.c:35 missing-put'];

describe('check --since', () => {
  it('reports what a branch brings, and not what was there', async () => {
    expect(await found('--since', 'HEAD')).toEqual([]);
    folder.write('drv/foo.c', WORSE);
    expect(await found('--since', 'HEAD')).toEqual(ADDED);
    git('switch', '-q', '-c', 'work');
    commit('worse');
    git('switch', '-q', 'main');
    folder.write('drv/foo.c', LEAKY);
    commit('other');
    git('switch', '-q', 'work');
    expect(await found('--since', 'main')).toEqual(ADDED);
    expect(await found('--since', 'main', 'drv/old.c')).toEqual([]);
    const strict = await run(folder.path, 'check', '--since', 'main', '--fail-on', 'hint');
    expect(strict.status).toBe(1);
  });

  it('reports what came because lines went', async () => {
    folder.write(
      'drv/foo.c',
      LEAKY.replace('if (ret)\n\t\treturn', 'if (ret) {\n\t\treturn').replace(
        'return ret;\n\n\tdev_set',
        'return ret;\n\t}\n\n\tdev_set',
      ),
    );
    expect(await found('--since', 'HEAD')).toEqual(['drv/foo.c:29 missing-put']);
  });

  it('reports what came because another line took the place of one', async () => {
    const put = '\t\tvfio_put_device(&foo->vdev);\n\t\treturn';
    folder.write('drv/foo.c', CLEAN.replace(put, '\t\tpr_info("failed\\n");\n\t\treturn'));
    expect(await found('--since', 'HEAD')).toEqual(['drv/foo.c:30 missing-put']);
  });

  it('does not take an old finding for the new one before it that reads the same', async () => {
    folder.write('drv/foo.c', WORSE);
    commit('one leak');
    const leak = '\tif (foo_start(mdev))\n\t\treturn -EIO;\n';
    folder.write('drv/foo.c', WORSE.replace(leak, leak.replace('EIO', 'EAGAIN') + leak));
    expect(await found('--since', 'HEAD')).toEqual(ADDED);
  });

  it('keeps quiet about what was found in a function that has another name now', async () => {
    folder.write('drv/old.c', LEAKY.replaceAll('foo_probe', 'bar_probe'));
    expect(await found('--since', 'HEAD')).toEqual([]);
  });

  it('takes a new file whole, and one that was renamed by what changed in it', async () => {
    folder.write('drv/new.c', LEAKY);
    git('mv', 'drv/old.c', 'drv/moved.c');
    expect(await found('--since', 'HEAD')).toEqual(['drv/new.c:29 missing-put']);
  });

  it('looks at the other files of a module', async () => {
    const [head, tail] = CLEAN.split('static int foo_probe');
    folder.write('drv/Makefile', 'obj-m := foo.o\nfoo-y := main.o stop.o\n');
    folder.write('drv/foo.h', 'struct foo;\nvoid foo_stop(struct foo *foo);\n');
    folder.write(
      'drv/stop.c',
      `#include <linux/vfio.h>\n#include "foo.h"\nvoid foo_stop(struct foo *foo)\n{\n\tvfio_put_device(&foo->vdev);\n}\n`,
    );
    folder.write(
      'drv/main.c',
      `#include "foo.h"\n${head}static int foo_probe${tail!.replace('\t\tvfio_put_device(&foo->vdev);\n\t\treturn', '\t\tfoo_stop(foo);\n\t\treturn')}`,
    );
    commit('two files');
    expect(await found('--since', 'HEAD~')).toEqual([]);
    folder.write(
      'drv/stop.c',
      `#include <linux/vfio.h>\n#include "foo.h"\nvoid foo_stop(struct foo *foo)\n{\n}\n`,
    );
    expect((await found('--since', 'HEAD')).map((one) => one.replace(/:\d+/, ''))).toEqual([
      'drv/main.c missing-put',
    ]);
  });

  it.each([
    [['--since', 'nothing'], '--since: git knows no commit nothing'],
    [['--since', 'HEAD', '--staged'], '--since and --staged exclude each other'],
    [
      ['--since', 'HEAD', '--update-baseline'],
      '--update-baseline: --since is not all that there is',
    ],
  ])('%j: %s', async (words, message) => {
    const { status, stderr } = await run(folder.path, 'check', ...words);
    expect(stderr).toEqual([`vfio-lifecycle: ${message}`]);
    expect(status).toBe(2);
  });
});

describe('check --staged', () => {
  it('judges what will be committed, not what is in the folder', async () => {
    folder.write('drv/foo.c', WORSE);
    expect(await found('--staged')).toEqual([]);
    git('add', 'drv/foo.c');
    folder.write('drv/foo.c', CLEAN);
    expect(await found('--staged')).toEqual(ADDED);
  });
});

describe('check --diff', () => {
  const worse = (): string => {
    folder.write('drv/foo.c', WORSE);
    return git('diff');
  };

  it('takes a series of mails, in one mailbox or as files, and writes nothing', async () => {
    folder.write('drv/foo.c', CLEAN.replace('int users;', 'int users;\n\tint more;'));
    commit('one: a member');
    folder.write('drv/foo.c', WORSE.replace('int users;', 'int users;\n\tint more;'));
    folder.write('drv/added.c', LEAKY);
    commit('two: worse');
    const files = git('format-patch', '-q', '-o', 'out', 'HEAD~2').length;
    expect(files).toBe(0);
    const box = git('format-patch', '--stdout', 'HEAD~2');
    git('reset', '-q', '--hard', 'HEAD~2');
    const expected = ['drv/added.c:29 missing-put', 'drv/foo.c:36 missing-put'];
    expect(
      await found('--diff', 'out/0001-one-a-member.patch', 'out/0002-two-worse.patch'),
    ).toEqual(expected);
    folder.write('all.mbox', box);
    expect(await found('--diff', 'all.mbox')).toEqual(expected);
    expect(git('status', '--porcelain')).toBe('?? all.mbox\n?? out/\n');
  });

  it('decodes a mail that is quoted-printable or base64', async () => {
    const diff = worse();
    git('checkout', '-q', '.');
    const mail = (encoding: string, body: string): string =>
      `From: A <a@example.org>\nSubject: [PATCH] x\nContent-Transfer-Encoding: ${encoding}\n\n${body}`;
    const quoted = diff.replace(/=/g, '=3D').replace(/^(.{60})(.+)$/gm, '$1=\n$2');
    folder.write('a.patch', mail('quoted-printable', quoted));
    folder.write('b.patch', mail('base64', Buffer.from(diff).toString('base64')));
    expect(await found('--diff', 'a.patch')).toEqual(ADDED);
    expect(await found('--diff', 'b.patch')).toEqual(ADDED);
  });

  it('says what does not apply, and what is no diff', async () => {
    const diff = worse();
    folder.write('a.patch', diff.replace(' \tdev_set_drvdata', ' \tset_drvdata'));
    folder.write('b.patch', 'nothing\n');
    expect(await run(folder.path, 'check', '--diff', 'a.patch')).toMatchObject({
      status: 2,
      stderr: [
        'vfio-lifecycle: --diff: a.patch: neither applies to the files that are here, nor is it in them',
      ],
    });
    expect((await run(folder.path, 'check', '--diff', 'b.patch')).stderr).toEqual([
      'vfio-lifecycle: --diff: no diff in b.patch',
    ]);
  });
});
