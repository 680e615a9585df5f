/** What the built program is as a process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { LEAKY } from '../support/drivers.ts';
import { foldersOfTests } from '../support/folder-of-test.ts';
import { CLI, run } from './run.ts';

const make = foldersOfTests();

describe('the program', () => {
  it('has help and a version', () => {
    const { path } = make({});
    expect(run(path, '--help')).toMatchObject({
      status: 0,
      stderr: [],
      stdout: expect.stringContaining('\n  check  '),
    });
    expect(run(path, '--version').stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('ends without a word when its reader goes away', async () => {
    const { path, write } = make({});
    for (let i = 0; i < 40; i++) write(`${i}.c`, LEAKY);
    const child = spawn(process.execPath, [CLI, 'check', '--format', 'json', '.'], {
      cwd: path,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (data: Buffer) => {
      stderr += data.toString();
    });
    child.stdout.destroy();
    await once(child, 'close');
    expect(stderr).toMatch(/^(?:vfio-lifecycle: target kernel [^\n]*\n)?$/);
  });

  it('reads many files on several threads, with the same result', () => {
    const files: Record<string, string> = {};
    for (let i = 0; i < 2_500; i++)
      files[`d${i % 50}/f${i}.c`] = i % 500 === 0 ? LEAKY : 'int x;\n';
    const { path } = make(files);
    const report = JSON.parse(run(path, 'check', '--format', 'json', '.').stdout);
    expect(report.files.map((one: { path: string }) => one.path)).toEqual([
      'd0/f0.c',
      'd0/f1000.c',
      'd0/f1500.c',
      'd0/f2000.c',
      'd0/f500.c',
    ]);
    expect(report.summary.error).toBe(5);
  });

  it('finds the word wherever it stands in a large file', () => {
    const size = 1 << 18;
    const files: Record<string, string> = {};
    for (const at of [size - 4, size - 3, size - 2, size - 1, size, 2 * size - 6, 3 * size])
      files[`at${at}.c`] = `${' '.repeat(at)}vfio${' '.repeat(10)}`;
    const { path } = make({ ...files, 'none.c': ' '.repeat(3 * size) });
    expect(JSON.parse(run(path, 'check', '--format', 'json', '.').stdout).summary.files).toBe(7);
  });
});
