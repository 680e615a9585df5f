import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { CLEAN, LEAKY, UNCHECKED } from '../support/drivers.ts';
import { temporaryFolder, type Folder } from '../support/folder.ts';
import { run, type Ran } from './run.ts';

let folder: Folder | undefined;
afterEach(() => {
  folder?.remove();
  folder = undefined;
});
const make = (files: Record<string, string | Uint8Array>): Folder =>
  (folder = temporaryFolder(files));
/** What is said beside the target kernel. */
const said = ({ stderr }: Ran): string[] =>
  stderr
    .filter((line) => !line.includes('target kernel'))
    .map((line) => line.replace('vfio-lifecycle: ', ''));
const entries = (
  path: string,
): { path: string; function: string; rule: string; fingerprint: string; count: number }[] =>
  JSON.parse(readFileSync(path, 'utf8')).findings;
const WITH = ['check', '--baseline', 'known.json'] as const;
const UPDATE = [...WITH, '--update-baseline'] as const;
/** A second path without its put, whose flagged line reads like the first. */
const TWICE = LEAKY.replace(
  '\tdev_set_drvdata(&mdev->dev, foo);\n\treturn 0;',
  '\tret = foo_start(mdev);\n\tif (ret)\n\t\treturn ret;\n\tdev_set_drvdata(&mdev->dev, foo);\n\treturn 0;',
);

describe('check --baseline', () => {
  it('hides what is known, and says so', () => {
    const { path, pathOf } = make({ 'drv/foo.c': LEAKY, 'drv/bar.c': UNCHECKED });
    const first = run(path, ...UPDATE, 'drv');
    expect({ status: first.status, stdout: first.stdout, said: said(first) }).toEqual({
      status: 0,
      stdout: '',
      said: ['known.json: written; 2 findings here, 2 of them new; 0 gone'],
    });
    expect(entries(pathOf('known.json'))).toEqual([
      {
        path: 'drv/bar.c',
        function: 'foo_probe',
        rule: 'null-check-on-alloc',
        fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
        count: 1,
      },
      {
        path: 'drv/foo.c',
        function: 'foo_probe',
        rule: 'missing-put',
        fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
        count: 1,
      },
    ]);
    const second = run(path, ...WITH, 'drv');
    expect({ status: second.status, stdout: second.stdout, said: said(second) }).toEqual({
      status: 0,
      stdout: '',
      said: ['2 findings hidden by known.json'],
    });
    expect(run(path, 'check', 'drv').status).toBe(1);
  });

  it('reports what is new, in each format', () => {
    const { path, write } = make({ 'foo.c': LEAKY });
    run(path, ...UPDATE, '.');
    write('bar.c', UNCHECKED);
    const { status, stdout } = run(path, ...WITH, '.');
    expect(status).toBe(1);
    expect(stdout.match(/\[\S+\]$/gm)).toEqual(['[null-check-on-alloc]']);
    expect(JSON.parse(run(path, ...WITH, '--format', 'json', '.').stdout).summary).toMatchObject({
      files: 2,
      error: 1,
    });
    expect(
      JSON.parse(run(path, ...WITH, '--format', 'sarif', '.').stdout).runs[0].results,
    ).toHaveLength(1);
    expect(
      run(path, ...WITH, '--format', 'github', '.')
        .stdout.trimEnd()
        .split('\n'),
    ).toHaveLength(1);
  });

  it('knows a finding again when its lines moved, whichever folder it is checked from', () => {
    const { path, write, pathOf } = make({ 'drv/foo.c': LEAKY });
    run(path, ...UPDATE, '.');
    write(
      'drv/foo.c',
      `/* New. */\n#include <linux/mdev.h>\n\n${LEAKY.replace('int ret;\n', 'int ret;\n\tint more;\n').replace('\t\treturn ret;', '\t\treturn  ret;\t/* out */')}`,
    );
    expect(run(path, ...WITH, '.')).toMatchObject({ status: 0, stdout: '' });
    expect(run(pathOf('drv'), 'check', '--baseline', '../known.json', 'foo.c')).toMatchObject({
      status: 0,
      stdout: '',
    });
    write('drv/foo.c', LEAKY.replaceAll('foo_probe', 'foo_bind'));
    expect(run(path, ...WITH, '.').status).toBe(1);
  });

  it('counts findings that look alike', () => {
    const { path, write, pathOf } = make({ 'foo.c': LEAKY });
    run(path, ...UPDATE, '.');
    write('foo.c', TWICE);
    expect(run(path, ...WITH, '.').stdout.match(/\[missing-put\]$/gm)).toHaveLength(1);
    expect(said(run(path, ...UPDATE, '.'))).toEqual([
      'known.json: written; 2 findings here, 1 of them new; 0 gone',
    ]);
    expect(entries(pathOf('known.json'))).toMatchObject([{ count: 2 }]);
    write('foo.c', LEAKY);
    expect(said(run(path, ...WITH, '.'))).toEqual([
      '1 finding hidden by known.json',
      '1 finding of known.json gone; --update-baseline takes it out',
    ]);
  });

  it('tells what is gone, keeps what was not looked at, and drops what is of no file', () => {
    const { path, write, pathOf } = make({ 'a/foo.c': LEAKY, 'b/foo.c': LEAKY, 'c/foo.c': LEAKY });
    run(path, ...UPDATE, '.');
    write('a/foo.c', CLEAN);
    folder!.removeFile('c/foo.c');
    expect(said(run(path, ...WITH, 'b'))).toEqual([
      '1 finding hidden by known.json',
      '1 finding of known.json gone; --update-baseline takes it out',
    ]);
    expect(said(run(path, ...UPDATE, 'a'))).toEqual([
      'known.json: written; 0 findings here, 0 of them new; 2 gone; 1 of other files',
    ]);
    expect(entries(pathOf('known.json')).map((one) => one.path)).toEqual(['b/foo.c']);
    write('b/foo.c', CLEAN);
    run(path, ...UPDATE, '.');
    expect(readFileSync(pathOf('known.json'), 'utf8')).toBe(
      '{\n  "version": 1,\n  "findings": []\n}\n',
    );
  });

  it('may be named by the configuration file, relative to it', () => {
    const { path, pathOf, write } = make({
      'drv/foo.c': LEAKY,
      'drv/.vfio-lifecycle.json': '{ "baseline": "ci/known.json" }',
      'other/foo.c': LEAKY,
    });
    const first = run(path, 'check', 'drv');
    expect({ status: first.status, said: said(first) }).toEqual({
      status: 2,
      said: ['drv/ci/known.json: no such baseline; --update-baseline writes it'],
    });
    expect(said(run(path, 'check', '--update-baseline', 'drv'))).toEqual([
      'drv/ci/known.json: written; 1 finding here, 1 of them new; 0 gone',
    ]);
    expect(entries(pathOf('drv/ci/known.json'))).toMatchObject([{ path: '../foo.c' }]);
    const both = run(path, 'check', '.');
    expect(both.stdout.match(/^\S+(?=:\d+:\d+: error)/gm)).toEqual(['other/foo.c']);
    write('drv/.vfio-lifecycle.json', '{ "baseline": "nowhere.json" }');
    expect(run(path, ...WITH, 'drv')).toMatchObject({
      status: 2,
      stderr: expect.arrayContaining([
        'vfio-lifecycle: known.json: no such baseline; --update-baseline writes it',
      ]),
    });
  });

  it.each([
    '',
    '[]',
    '{}',
    '{ "version": 2, "findings": [] }',
    '{ "version": 1, "findings": [{ "path": "x" }] }',
    '{ "version": 1, "findings": [null] }',
  ])('%j is no baseline', (text) => {
    const { path } = make({ 'foo.c': LEAKY, 'known.json': text });
    expect(run(path, ...WITH, '.')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.arrayContaining([
        'vfio-lifecycle: known.json: not a baseline of this version',
      ]),
    });
  });

  it('is not updated without a name, or when something could not be read', () => {
    const { path, pathOf } = make({ 'foo.c': LEAKY });
    expect(run(path, 'check', '--update-baseline', '.').status).toBe(2);
    const { status, stderr } = run(path, ...UPDATE, '.', 'none.c');
    expect({ status, last: stderr.at(-1) }).toEqual({
      status: 2,
      last: 'vfio-lifecycle: --update-baseline: nothing written, because not everything could be read',
    });
    expect(() => readFileSync(pathOf('known.json'))).toThrow();
  });
});
