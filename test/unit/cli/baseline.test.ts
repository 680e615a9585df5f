/** What a baseline knows again, what it does not hide, and what it keeps. */
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Entry } from '../../../server/src/cli/baseline-file.ts';
import { CLEAN, LEAKY, OLD, UNCHECKED } from '../../support/drivers.ts';
import { runHere, type Result } from '../../support/command.ts';
import { temporaryFolder, type Folder } from '../../support/folder.ts';

let folder: Folder | undefined;
afterEach(() => {
  folder?.remove();
  folder = undefined;
});
const make = (files: Record<string, string>): Folder => (folder = temporaryFolder(files));
const check = (...args: string[]): Promise<Result> =>
  runHere(folder!.path, 'check', '--baseline', 'known.json', ...args);
const update = (...args: string[]): Promise<Result> => check('--update-baseline', ...args);
const baseline = (): string => readFileSync(folder!.pathOf('known.json'), 'utf8');
const entries = (): readonly Entry[] => JSON.parse(baseline()).findings;
/** The rules that are reported, each with its line. */
const reported = ({ stdout }: Result): string[] =>
  [...stdout.matchAll(/^(\S+?:\d+):\d+: \w+: .*\[(\S+)\]$/gm)].map((one) => `${one[1]} ${one[2]}`);
/** Writes the driver with these statements in probe, behind the registration. */
const driver = (...failing: string[]): string =>
  LEAKY.replace(
    '\tdev_set_drvdata(&mdev->dev, foo);\n\treturn 0;',
    `${failing.join('')}\tdev_set_drvdata(&mdev->dev, foo);\n\treturn 0;`,
  );
const failing = (call: string): string => `\tret = ${call};\n\tif (ret)\n\t\treturn ret;\n`;
const mended = (text: string): string =>
  text.replace(
    'if (ret)\n\t\treturn ret;\n',
    'if (ret) {\n\t\tvfio_put_device(&foo->vdev);\n\t\treturn ret;\n\t}\n',
  );

describe('a finding that reads like a known one', () => {
  const busy = '\tif (foo_is_busy(mdev))\n\t\treturn -EBUSY;\n';
  it.each([
    ['after another failing call', failing('foo_add(mdev, 2)'), failing('foo_start(mdev)')],
    ['after the same call for another', failing('foo_add(mdev, 2)'), failing('foo_add(mdev, 1)')],
    ['behind another test', busy, '\tif (foo_is_late(mdev))\n\t\treturn -EBUSY;\n'],
    [
      'in the other arm',
      busy,
      '\tif (foo_is_busy(mdev))\n\t\tfoo->users++;\n\telse\n\t\treturn -EBUSY;\n',
    ],
    [
      'in another case',
      '\tswitch (mdev->type) {\n\tcase 3:\n\t\treturn -EBUSY;\n\t}\n',
      '\tswitch (mdev->type) {\n\tcase 4:\n\t\treturn -EBUSY;\n\t}\n',
    ],
  ])('%s is new once the known one is mended', async (_, before, now) => {
    make({ 'foo.c': driver(before) });
    await update('.');
    folder!.write('foo.c', mended(driver(now)));
    const after = await check('.');
    expect(after.status).toBe(1);
    expect(reported(after)).toHaveLength(1);
    expect(after.said.at(-1)).toBe(
      '2 findings of known.json gone; --update-baseline takes them out',
    );
  });

  it('is new where the way to it is another goto', async () => {
    const shared = (test: string): string =>
      driver(`\tret = -EBUSY;\n\tif (${test})\n\t\tgoto out;\n`).replace(
        '\treturn 0;\n}\n\nstatic void foo_remove',
        '\treturn 0;\nout:\n\treturn ret;\n}\n\nstatic void foo_remove',
      );
    make({ 'foo.c': mended(shared('foo_is_busy(foo)')) });
    await update('.');
    expect(reported(await check('.'))).toEqual([]);
    folder!.write('foo.c', mended(shared('!foo_is_ready(foo)')));
    expect(reported(await check('.'))).toHaveLength(1);
  });

  it('is new where it has become graver, and known where it has become less grave', async () => {
    make({ 'foo.c': LEAKY });
    await update('--rule', 'missing-put=warning', '.');
    expect(entries()).toMatchObject([{ severity: 'warning' }]);
    expect(reported(await check('.'))).toHaveLength(1);
    await update('.');
    expect(reported(await check('--rule', 'missing-put=hint', '.'))).toEqual([]);
  });

  it('is new where its place owes one thing more, and known where it owes one less', async () => {
    const owing = (...takings: string[]): string =>
      CLEAN.replace(
        '\n\tret = vfio_register',
        `\n${takings.join('')}\tret = vfio_register`,
      ).replace(
        '\tvfio_unregister_group_dev(&foo->vdev);',
        '\tvfio_unregister_group_dev(&foo->vdev);\n\tkfree(foo->one);\n\tkfree(foo->two);',
      );
    const one = '\tfoo->one = kzalloc(16, GFP_KERNEL);\n';
    const two = '\tfoo->two = kzalloc(32, GFP_KERNEL);\n';
    make({ 'foo.c': owing(one) });
    await update('.');
    const before = entries().filter(({ rule }) => rule === 'leak-on-error-path');
    expect(before.map(({ owed }) => owed.length)).toEqual(before.map(() => 1));
    expect(before).not.toEqual([]);
    folder!.write('foo.c', owing(one, two));
    expect(reported(await check('.'))).toHaveLength(before.length);
    await update('.');
    folder!.write('foo.c', owing(two));
    expect(reported(await check('.'))).toEqual([]);
  });
});

describe('a known finding', () => {
  it('stays known where lines move, comments and blanks change and other code comes', async () => {
    make({ 'foo.c': driver(failing('foo_start(mdev)')) });
    await update('.');
    folder!.write(
      'foo.c',
      `/* New. */\n\n${driver(failing('foo_start( mdev ) /* again */'), '\tfoo->users = 0;\n')}`.replaceAll(
        '\n',
        '\r\n',
      ),
    );
    expect(reported(await check('.'))).toEqual([]);
  });

  it.each([
    ['its function is renamed', 'foo.c', 'foo.c', 'foo_bind'],
    ['its file is', 'foo.c', 'sub/bar.c', 'foo_probe'],
    ['both are', 'foo.c', 'bar.c', 'foo_bind'],
  ])('stays known where %s', async (_, from, to, name) => {
    make({ [from]: LEAKY });
    await update('.');
    folder!.removeFile(from);
    folder!.write(to, LEAKY.replaceAll('foo_probe', name));
    const after = await check('.');
    expect(after).toMatchObject({
      status: 0,
      stdout: '',
      said: ['1 finding hidden by known.json, 1 of them renamed or moved'],
    });
    await update('.');
    expect(entries()).toMatchObject([{ path: to, function: name }]);
  });

  it('stays known where its function is renamed and its text is the name', async () => {
    const forgetful = CLEAN.replace(
      '\tvfio_put_device(&foo->vdev);\n}\n\nstatic struct mdev',
      '}\n\nstatic struct mdev',
    );
    make({ 'foo.c': forgetful });
    await update('.');
    expect(entries()).toMatchObject([{ function: 'foo_remove' }]);
    folder!.write('foo.c', forgetful.replaceAll('foo_remove', 'foo_unbind'));
    expect(reported(await check('.'))).toEqual([]);
  });

  it('is not that of a copy, nor of another function that reads like its own', async () => {
    make({ 'foo.c': LEAKY });
    await update('.');
    folder!.write('copy.c', LEAKY);
    expect(reported(await check('.'))).toEqual(['copy.c:29 missing-put']);
    folder!.write('foo.c', CLEAN);
    expect(reported(await check('.'))).toEqual(['copy.c:29 missing-put']);
  });

  it('hides no more alike than there were', async () => {
    const same = failing('foo_start(mdev)');
    make({ 'foo.c': mended(driver(same, same)) });
    await update('.');
    expect(entries()).toMatchObject([{ count: 2 }]);
    folder!.write('foo.c', mended(driver(same, same, same)));
    expect(reported(await check('.'))).toHaveLength(1);
  });
});

describe('what was not looked at', () => {
  it.each([
    ['a rule that is off', ['--rule', 'missing-put=off']],
    ['a rule that is not among the only ones', ['--only', 'null-check-on-alloc']],
    ['another kernel', ['--kernel', '6.6', '--only', 'missing-put']],
    ['a kernel that the rule is not for', ['--kernel', '5.15', '--only', 'missing-put']],
  ])('%s takes nothing out and says that nothing is gone', async (_, options) => {
    make({ 'foo.c': LEAKY });
    await update('--kernel', '6.1', '.');
    const before = baseline();
    folder!.write('foo.c', CLEAN);
    const after = await check('--fail-on-gone', ...options, '.');
    expect(after).toMatchObject({ status: 0, said: [] });
    await update(...options, '.');
    expect(baseline()).toBe(before);
  });

  it('two kernels share one file', async () => {
    make({ 'foo.c': LEAKY, 'old.c': OLD });
    for (const kernel of ['5.15', '6.1']) await update('--kernel', kernel, '.');
    expect(entries().map(({ kernels }) => kernels)).toContainEqual(['6.1']);
    expect(entries().map(({ kernels }) => kernels)).toContainEqual(['5.15']);
    const both = baseline();
    for (const kernel of ['5.15', '6.1']) {
      expect((await check('--kernel', kernel, '--fail-on-gone', '.')).status).toBe(0);
      await update('--kernel', kernel, '.');
      expect(baseline()).toBe(both);
    }
  });

  it('a finding of two kernels is gone for one and kept for the other', async () => {
    make({ 'foo.c': LEAKY });
    const at = (kernel: string): string[] => ['--only', 'missing-put', '--kernel', kernel, '.'];
    for (const kernel of ['6.1', '6.6']) await update(...at(kernel));
    expect(entries()).toMatchObject([{ kernels: ['6.1', '6.6'], count: 1 }]);
    folder!.write('foo.c', CLEAN);
    expect((await check('--fail-on-gone', ...at('6.6'))).status).toBe(1);
    await update(...at('6.6'));
    expect(entries()).toMatchObject([{ kernels: ['6.1'] }]);
    await update(...at('6.1'));
    expect(entries()).toEqual([]);
  });

  it('a file that cannot be read has lost nothing', async () => {
    make({ 'foo.c': LEAKY, 'bar.c': UNCHECKED });
    await update('.');
    folder!.removeFile('bar.c');
    mkdirSync(folder!.pathOf('bar.c'));
    expect((await check('.')).said).toEqual(['1 finding hidden by known.json']);
  });
});

describe('check --baseline', () => {
  it('tells what is gone, keeps what was not looked at, and drops what is of no file', async () => {
    const { write, pathOf } = make({ 'a/foo.c': LEAKY, 'b/foo.c': LEAKY, 'c/foo.c': LEAKY });
    await update('.');
    write('a/foo.c', CLEAN);
    folder!.removeFile('c/foo.c');
    expect((await check('b')).said).toEqual([
      '1 finding hidden by known.json',
      '1 finding of known.json gone; --update-baseline takes it out',
    ]);
    expect((await update('a')).said).toEqual([
      'known.json: written; 0 findings here, 0 of them new; 2 gone; 1 not looked at',
    ]);
    expect(entries().map((one) => one.path)).toEqual(['b/foo.c']);
    write('b/foo.c', CLEAN);
    await update('.');
    expect(readFileSync(pathOf('known.json'), 'utf8')).toBe(
      '{\n  "version": 2,\n  "findings": []\n}\n',
    );
  });

  it('may be named by the configuration file, relative to it', async () => {
    const { path, pathOf, write } = make({
      'drv/foo.c': LEAKY,
      'drv/.vfio-lifecycle.json': '{ "baseline": "ci/known.json" }',
      'other/foo.c': LEAKY,
    });
    const first = await runHere(path, 'check', 'drv');
    expect({ status: first.status, said: first.said }).toEqual({
      status: 2,
      said: ['drv/ci/known.json: no such baseline; --update-baseline writes it'],
    });
    expect((await runHere(path, 'check', '--update-baseline', 'drv')).said).toEqual([
      'drv/ci/known.json: written; 1 finding here, 1 of them new; 0 gone',
    ]);
    expect(JSON.parse(readFileSync(pathOf('drv/ci/known.json'), 'utf8')).findings).toMatchObject([
      { path: '../foo.c' },
    ]);
    const both = await runHere(path, 'check', '.');
    expect(both.stdout.match(/^\S+(?=:\d+:\d+: error)/gm)).toEqual(['other/foo.c']);
    write('drv/.vfio-lifecycle.json', '{ "baseline": "nowhere.json" }');
    expect(await check('drv')).toMatchObject({
      status: 2,
      said: ['known.json: no such baseline; --update-baseline writes it'],
    });
  });

  it('is not updated without a name, or when something could not be read', async () => {
    const { path, pathOf } = make({ 'foo.c': LEAKY });
    expect((await runHere(path, 'check', '--update-baseline', '.')).status).toBe(2);
    const { status, said } = await update('.', 'none.c');
    expect({ status, last: said.at(-1) }).toEqual({
      status: 2,
      last: '--update-baseline: nothing written, because not everything could be read',
    });
    expect(() => readFileSync(pathOf('known.json'))).toThrow();
  });
});

describe('--fail-on-gone', () => {
  it('wants a baseline', async () => {
    make({ 'foo.c': LEAKY });
    const { status, said } = await runHere(folder!.path, 'check', '--fail-on-gone', '.');
    expect({ status, last: said.at(-1) }).toEqual({
      status: 2,
      last: '--fail-on-gone: no baseline is named; say --baseline FILE, or "baseline" in .vfio-lifecycle.json',
    });
  });

  it('ends with 1 where a known finding is gone, until the file says so', async () => {
    make({ 'foo.c': LEAKY });
    await update('.');
    expect((await check('--fail-on-gone', '.')).status).toBe(0);
    folder!.write('foo.c', CLEAN);
    expect((await check('.')).status).toBe(0);
    expect((await check('--fail-on-gone', '--fail-on', 'never', '.')).status).toBe(1);
    expect((await update('--fail-on-gone', '.')).status).toBe(0);
    expect((await check('--fail-on-gone', '.')).status).toBe(0);
  });
});

describe('the file', () => {
  it.each([
    [
      '{\n  "version": 2,\n  "findings": [\n    {"path": 1}\n  ]\n}\n',
      4,
      'not a line of a baseline',
    ],
    ['{\n  "version": 2,\n  "findings": [\n    {"path": "a.c",\n', 4, 'not a line of a baseline'],
    [
      '{\n  "version": 2,\n  "findings": [\n',
      3,
      'not a whole baseline; "version" or the end is missing',
    ],
    ['', 1, 'not a whole baseline; "version" or the end is missing'],
    ['[]', 1, 'not a line of a baseline'],
    ['{}', 1, 'not a line of a baseline'],
  ])('%j is told with its line', async (text, line, what) => {
    make({ 'foo.c': LEAKY, 'known.json': text });
    expect(await check('.')).toMatchObject({
      status: 2,
      stdout: '',
      said: [`known.json:${line}: ${what}`],
    });
  });

  it('of a newer program is told', async () => {
    make({ 'foo.c': LEAKY, 'known.json': '{\n  "version": 3,\n  "findings": []\n}\n' });
    expect((await check('.')).said).toEqual([
      'known.json: a baseline of version 3, which a newer program wrote',
    ]);
  });

  it('with a merge conflict is told with its line, and written anew with both sides', async () => {
    make({ 'foo.c': LEAKY, 'bar.c': UNCHECKED });
    await update('.');
    const [first, second] = baseline().split('\n').slice(3, 5);
    const conflicted = `{\n  "version": 2,\n  "findings": [\n<<<<<<< HEAD\n${first!.replace(/,$/, '')}\n||||||| base\n=======\n${second}\n>>>>>>> topic\n  ]\n}\n`;
    folder!.write('known.json', conflicted);
    expect(await check('.')).toMatchObject({
      status: 2,
      said: [
        'known.json:4: a merge conflict; keep the lines of both sides, or write it anew with --update-baseline',
      ],
    });
    // Both sides kept by hand, with a comma too few.
    folder!.write('known.json', conflicted.replaceAll(/^[<|=>]{7}.*\n/gm, ''));
    expect(reported(await check('.'))).toEqual([]);
    folder!.write('known.json', conflicted);
    expect((await update('foo.c')).said).toEqual([
      'known.json: written; 1 finding here, 0 of them new; 0 gone; 1 not looked at',
    ]);
    expect(reported(await check('.'))).toEqual([]);
  });

  it('may have what both sides of a merge added twice', async () => {
    make({ 'foo.c': LEAKY });
    await update('.');
    folder!.write('known.json', baseline().replace(/^( {4}.*)$/m, '$1,\n$1'));
    const same = failing('foo_start(mdev)');
    folder!.write('foo.c', driver(same));
    expect(reported(await check('.'))).toHaveLength(1);
  });

  it('may begin with a byte order mark', async () => {
    make({ 'foo.c': LEAKY });
    await update('.');
    folder!.write('known.json', `\uFEFF${baseline()}`);
    expect(reported(await check('.'))).toEqual([]);
  });

  it('may be a link, and the tree may be named through one', async () => {
    make({ 'tree/foo.c': LEAKY, 'ci/real.json': '{\n  "version": 2,\n  "findings": []\n}\n' });
    symlinkSync('tree', folder!.pathOf('link'));
    symlinkSync('../ci/real.json', folder!.pathOf('tree/known.json'));
    const at = (tree: string, name: string, ...more: string[]): Promise<Result> =>
      runHere(folder!.path, 'check', '--baseline', name, ...more, tree);
    await at('link', 'tree/known.json', '--update-baseline');
    expect(JSON.parse(readFileSync(folder!.pathOf('ci/real.json'), 'utf8')).findings).toMatchObject(
      [{ path: 'foo.c' }],
    );
    for (const [tree, name] of [
      ['tree', 'link/known.json'],
      ['link', 'link/known.json'],
      [join(folder!.path, 'link'), 'tree/known.json'],
    ] as const)
      expect(reported(await at(tree, name))).toEqual([]);
    folder!.write('tree/foo.c', CLEAN);
    expect((await at('link', 'tree/known.json', '--fail-on-gone')).status).toBe(1);
  });

  it('of version 1 still works, and is brought up to date by an update', async () => {
    const first = {
      path: 'foo.c',
      function: 'foo_probe',
      rule: 'missing-put',
      fingerprint: FIRST,
      count: 1,
    };
    make({
      'foo.c': LEAKY,
      'known.json': JSON.stringify({ version: 1, findings: [first] }),
    });
    expect(await check('.')).toMatchObject({
      status: 0,
      stdout: '',
      said: [
        '1 finding hidden by known.json',
        'known.json: of an older version; --update-baseline brings it up to date',
      ],
    });
    renameSync(folder!.pathOf('foo.c'), folder!.pathOf('bar.c'));
    expect(reported(await check('.'))).toEqual([]);
    await update('.');
    expect(JSON.parse(baseline())).toMatchObject({
      version: 2,
      findings: [{ path: 'bar.c', severity: 'error', kernels: ['6.1'] }],
    });
  });
});

/** What version 1 made of the finding of LEAKY in foo.c. */
const FIRST = 'a1163d7150d8aed0';

describe('SARIF', () => {
  it('has the known findings as unchanged, the others as new, and what is gone as absent', async () => {
    make({ 'foo.c': LEAKY, 'bar.c': UNCHECKED });
    await update('.');
    const print = async (state: string): Promise<unknown> =>
      JSON.parse((await check('--format', 'sarif', '.')).stdout).runs[0].results.find(
        (one: { ruleId: string; baselineState: string }) =>
          one.ruleId === 'null-check-on-alloc' && one.baselineState === state,
      ).partialFingerprints['vfioLifecycle/v2'];
    const before = await print('unchanged');
    writeFileSync(folder!.pathOf('bar.c'), CLEAN);
    writeFileSync(folder!.pathOf('new.c'), UNCHECKED);
    const { stdout, status } = await check('--format', 'sarif', '.');
    expect(status).toBe(1);
    const { results } = JSON.parse(stdout).runs[0] as {
      results: readonly { ruleId: string; baselineState: string; locations: unknown }[];
    };
    expect(results.map((one) => [one.ruleId, one.baselineState])).toEqual([
      ['missing-put', 'unchanged'],
      ['null-check-on-alloc', 'new'],
      ['null-check-on-alloc', 'absent'],
    ]);
    expect(await print('absent')).toBe(before);
  });

  it('has no states without a baseline', async () => {
    make({ 'foo.c': LEAKY });
    const { stdout } = await runHere(folder!.path, 'check', '--format', 'sarif', '.');
    expect(stdout).not.toContain('baselineState');
  });
});
