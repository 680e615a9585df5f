/** What reports show, in which order, and what they leave out; what fix says and when it fails. */
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { CLEAN, LEAKY, UNCHECKED } from '../../support/drivers.ts';
import { runHere, type Result } from '../../support/command.ts';
import { temporaryFolder, type Folder } from '../../support/folder.ts';

let folder: Folder | undefined;
afterEach(() => {
  folder?.remove();
  folder = undefined;
});
const make = (files: Record<string, string>): Folder => (folder = temporaryFolder(files));
const check = (...args: string[]): Promise<Result> => runHere(folder!.path, 'check', ...args);
const fix = (...args: string[]): Promise<Result> => runHere(folder!.path, 'fix', ...args);
/** As many drivers, each with one missing put. */
const leaky = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`leaky-${10 + i}.c`, LEAKY]));
const AS_WARNING = ['--rule', 'null-check-on-alloc=warning'];

describe('--min-severity', () => {
  it.each([
    ['text', (text: string) => text.match(/\[[\w-]+\]$/gm)?.length ?? 0],
    ['json', (text: string) => JSON.parse(text).files.flatMap(diagnosticsOf).length],
    ['sarif', (text: string) => JSON.parse(text).runs[0].results.length],
    ['gitlab', (text: string) => JSON.parse(text).length],
    ['github', (text: string) => text.match(/^::/gm)?.length ?? 0],
  ] as const)('limits what is shown as %s, and says how many are not', async (format, count) => {
    make({ 'a.c': LEAKY, 'b.c': UNCHECKED });
    const all = await check('--format', format, ...AS_WARNING, '.');
    const errors = await check('--format', format, ...AS_WARNING, '--min-severity', 'error', '.');
    expect([count(all.stdout), count(errors.stdout)]).toEqual([2, 1]);
    expect(all.said).toEqual([]);
    expect(errors.said).toEqual(['1 finding below error not shown']);
    expect(errors.status).toBe(1);
  });

  const diagnosticsOf = (file: { diagnostics: unknown[] }): unknown[] => file.diagnostics;

  it('takes info and information alike, and no level that fails unseen', async () => {
    make({ 'a.c': CLEAN });
    expect((await check('--min-severity', 'information', '.')).status).toBe(0);
    expect(await check('--min-severity', 'warning', '--fail-on', 'info', '.')).toMatchObject({
      status: 2,
      said: ['--fail-on info: --min-severity warning does not show it'],
    });
  });

  it('is nothing to a baseline', async () => {
    make({ 'a.c': LEAKY });
    const args = ['--rule', 'missing-put=hint', '--baseline', 'known.json', '.'];
    await check('--update-baseline', '--min-severity', 'error', ...args);
    expect(JSON.parse(readFileSync(folder!.pathOf('known.json'), 'utf8')).findings).toHaveLength(1);
  });
});

describe('--format github', () => {
  it('has errors first, whichever file comes first', async () => {
    make({ 'a.c': UNCHECKED, 'b.c': LEAKY });
    const { stdout } = await check('--format', 'github', ...AS_WARNING, '.');
    expect(stdout.match(/^::\w+/gm)).toEqual(['::error', '::warning']);
  });

  it('says how many of a kind GitHub leaves out, and leaves them in the log', async () => {
    make({ ...leaky(12), 'b.c': UNCHECKED });
    const { stdout } = await check('--format', 'github', ...AS_WARNING, '.');
    expect(stdout.match(/^::error /gm)).toHaveLength(12);
    expect(stdout.match(/^::notice .*$/gm)).toEqual([
      '::notice title=vfio-lifecycle::2 more errors in the log of this step: GitHub shows 10 of each kind.',
    ]);
    make(leaky(10));
    expect((await check('--format', 'github', '.')).stdout).not.toContain('::notice');
  });

  it('has no annotation for a hint', async () => {
    make({ 'a.c': LEAKY });
    expect((await check('--format', 'github', '--rule', 'missing-put=hint', '.')).stdout).toBe(
      '1 hint has no annotation; --format text shows them\n',
    );
  });
});

describe('--format gitlab', () => {
  it('gives the second of two alike the fingerprint that it had before the first was mended', async () => {
    const twice = LEAKY.replace(
      '\tdev_set_drvdata(&mdev->dev, foo);\n\treturn 0;',
      '\tret = foo_start(mdev);\n\tif (ret)\n\t\treturn ret;\n\tdev_set_drvdata(&mdev->dev, foo);\n\treturn 0;',
    );
    make({ 'a.c': twice });
    const prints = async (): Promise<string[]> =>
      JSON.parse((await check('--format', 'gitlab', '.')).stdout).map(
        (one: { fingerprint: string }) => one.fingerprint,
      );
    const [, second] = await prints();
    folder!.write(
      'a.c',
      twice.replace(
        'if (ret)\n\t\treturn ret;',
        'if (ret) {\n\t\tvfio_put_device(&foo->vdev);\n\t\treturn ret;\n\t}',
      ),
    );
    expect(await prints()).toEqual([second]);
  });
});

describe('fix', () => {
  it('ends with a sum', async () => {
    make({ 'a.c': UNCHECKED, 'b.c': CLEAN });
    expect((await fix('.')).said).toEqual(['1 fix in 1 of 2 files']);
    expect((await fix('b.c')).said).toEqual(['no safe fix for 1 file']);
    expect((await fix('--write', '.')).said).toEqual(['a.c: written', '1 fix in 1 of 2 files']);
    expect((await fix('.')).said).toEqual(['no safe fix for 2 files']);
  });

  it('prints JSON: what was fixed, the edits and the patch', async () => {
    make({ 'a.c': UNCHECKED, 'b.c': CLEAN });
    const patch = (await fix('.')).stdout;
    expect(patch).toMatch(/^--- a\/a\.c\n/);
    const { status, stdout } = await fix('--format', 'json', '.');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      files: [
        {
          path: 'a.c',
          status: 'fixed',
          fixed: [
            {
              rule: 'null-check-on-alloc',
              severity: 'error',
              message: expect.any(String),
              function: 'foo_probe',
            },
          ],
          skipped: [],
          edits: expect.arrayContaining([expect.objectContaining({ path: 'a.c' })]),
        },
        { path: 'b.c', status: 'unchanged', fixed: [], skipped: [], edits: [] },
      ],
      patch,
      patchEncoding: 'utf8',
    });
  });

  it('--check ends with 1 where something would change, and changes nothing', async () => {
    make({ 'a.c': UNCHECKED, 'b.c': CLEAN });
    expect((await fix('--check', '.')).status).toBe(1);
    expect((await fix('--check', '--format', 'json', '.')).status).toBe(1);
    expect(readFileSync(folder!.pathOf('a.c'), 'utf8')).toBe(UNCHECKED);
    expect((await fix('--check', 'b.c')).status).toBe(0);
    expect(await fix('--check', '--write', '.')).toMatchObject({
      status: 2,
      said: ['--check: it changes nothing; leave out --write'],
    });
    await fix('--write', '.');
    expect((await fix('--check', '.')).status).toBe(0);
  });
});
