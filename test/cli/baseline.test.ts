import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LEAKY, UNCHECKED } from '../support/drivers.ts';
import { foldersOfTests } from '../support/folder-of-test.ts';
import { run, type Ran } from './run.ts';

const make = foldersOfTests();
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
        severity: 'error',
        fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
        kernels: ['6.1'],
        count: 1,
      },
      {
        path: 'drv/foo.c',
        function: 'foo_probe',
        rule: 'missing-put',
        severity: 'error',
        fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
        kernels: ['6.1'],
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

  it('reports what is new, in other formats too', () => {
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
      run(path, ...WITH, '--format', 'github', '.')
        .stdout.trimEnd()
        .split('\n'),
    ).toHaveLength(1);
  });
});
