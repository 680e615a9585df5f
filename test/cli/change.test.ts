/** The patches of the built program, byte for byte, and what it writes. */
import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BAR_H, CLEAN, LEAKY, OLD, UNCHECKED } from '../support/drivers.ts';
import { foldersOfTests } from '../support/folder-of-test.ts';
import { run } from './run.ts';

const make = foldersOfTests();

/** Applies a patch with git, as its reader would. */
function gitApply(cwd: string, patch: Buffer): void {
  const { status, stderr } = spawnSync('git', ['apply', '-'], { cwd, input: patch });
  expect(stderr.toString()).toBe('');
  expect(status).toBe(0);
}

describe('convert', () => {
  it('prints a patch that git apply takes, and the result is clean and has nothing left to convert', () => {
    const { path, pathOf } = make({ 'drv/bar.c': OLD, 'drv/bar.h': BAR_H });
    const { status, bytes, stdout } = run(path, 'convert', '--kernel', '6.1', 'drv/bar.c');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^--- a\/drv\/bar\.c\n\+\+\+ b\/drv\/bar\.c\n@@ /);
    expect(readFileSync(pathOf('drv/bar.c'), 'utf8')).toBe(OLD);
    gitApply(path, bytes);
    const converted = readFileSync(pathOf('drv/bar.c'), 'utf8');
    expect(converted).toContain('bar = vfio_alloc_device(bar, vdev, &mdev->dev, &bar_ops);');
    expect(run(path, 'check', '--kernel', '6.1', '--fail-on', 'hint', 'drv')).toMatchObject({
      status: 0,
      stdout: '',
    });
    expect(run(path, 'convert', '--kernel', '6.1', 'drv/bar.c')).toMatchObject({
      status: 0,
      stdout: '',
    });
  });

  it('writes in place what the patch says, keeps the mode and leaves nothing behind', () => {
    const { path, pathOf, write } = make({ 'bar.c': OLD, 'bar.h': BAR_H });
    gitApply(path, run(path, 'convert', '--kernel', '6.1', 'bar.c').bytes);
    const patched = readFileSync(pathOf('bar.c'));
    write('bar.c', OLD);
    chmodSync(pathOf('bar.c'), 0o640);
    const { status, stdout, stderr } = run(path, 'convert', '--kernel', '6.1', '--write', 'bar.c');
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(stderr).toContain('vfio-lifecycle: bar.c: written');
    expect(readFileSync(pathOf('bar.c')).equals(patched)).toBe(true);
    expect(statSync(pathOf('bar.c')).mode & 0o777).toBe(0o640);
    expect(readdirSync(path).sort()).toEqual(['bar.c', 'bar.h']);
  });

  it('gives the patch of a file that is no UTF-8 as JSON without losing a byte', () => {
    const { path, pathOf } = make({
      'bar.c': Buffer.from(OLD.replace('#include', '/* \xe9\xff\xc3 */\n#include'), 'latin1'),
      'bar.h': BAR_H,
    });
    const { patch, patchEncoding } = JSON.parse(
      run(path, 'convert', '--kernel', '6.1', '--format', 'json', 'bar.c').stdout,
    );
    expect(patchEncoding).toBe('latin1');
    gitApply(path, Buffer.from(patch, patchEncoding));
    expect(
      readFileSync(pathOf('bar.c')).includes(Buffer.from('/* \xe9\xff\xc3 */\n', 'latin1')),
    ).toBe(true);
    expect(readFileSync(pathOf('bar.c'), 'latin1')).toContain('vfio_alloc_device(');
  });
});

describe('fix', () => {
  it('prints the safe fixes of a folder as one patch', () => {
    const { path, pathOf } = make({ 'a/foo.c': UNCHECKED, 'b/foo.c': UNCHECKED, 'c.c': LEAKY });
    const { status, bytes } = run(path, 'fix', '.');
    expect(status).toBe(0);
    gitApply(path, bytes);
    expect(readFileSync(pathOf('a/foo.c'), 'utf8')).toBe(CLEAN);
    expect(readFileSync(pathOf('b/foo.c'), 'utf8')).toBe(CLEAN);
    expect(readFileSync(pathOf('c.c'), 'utf8')).toContain(
      '\tif (ret) {\n\t\tvfio_put_device(&foo->vdev);\n\t\treturn ret;\n\t}\n',
    );
    expect(run(path, 'fix', '.')).toMatchObject({ status: 0, stdout: '' });
  });

  const latin = (text: string): Buffer =>
    Buffer.from(text.replace('#include', '/* \xe9\xff\xc3 */\n#include'), 'latin1');
  const marked = (text: string): Buffer => Buffer.from(`\ufeff${text}`);
  const crlf = (text: string): Buffer => Buffer.from(text.replaceAll('\n', '\r\n'));
  const noEnd = (text: string): Buffer => Buffer.from(text.trimEnd());
  it.each([
    ['Latin-1', latin],
    ['a byte order mark', marked],
    ['CRLF', crlf],
    ['no last line end', noEnd],
  ])('keeps every byte: %s', (_, form) => {
    const { path, pathOf, write } = make({ 'foo.c': form(UNCHECKED) });
    gitApply(path, run(path, 'fix', 'foo.c').bytes);
    expect(readFileSync(pathOf('foo.c')).equals(form(CLEAN))).toBe(true);
    write('foo.c', form(UNCHECKED));
    expect(run(path, 'fix', '--write', 'foo.c').status).toBe(0);
    expect(readFileSync(pathOf('foo.c')).equals(form(CLEAN))).toBe(true);
  });
});
