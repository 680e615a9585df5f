import { spawnSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { createNodeFiles } from '../../../server/src/lsp/node-files.ts';
import { leadsOutside, readRegularFile } from '../../../server/src/lsp/node-read.ts';
import { temporaryFolder, type Folder } from '../../support/folder.ts';

let folder: Folder | undefined;
afterEach(() => {
  folder?.remove();
  folder = undefined;
});
const make = (files: Record<string, string>): Folder => (folder = temporaryFolder(files));

describe('the disk', () => {
  it('gives the bytes of a regular file', () => {
    const { pathOf } = make({ 'a.c': 'int a;' });
    expect(readRegularFile(pathOf('a.c')).toString()).toBe('int a;');
  });

  it('refuses a device, a folder and what is too large, without reading any of it', () => {
    const { pathOf, path } = make({ 'a.c': 'int a;' });
    symlinkSync('/dev/zero', pathOf('zero.h'));
    expect(() => readRegularFile(pathOf('zero.h'))).toThrow('not a regular file');
    expect(() => readRegularFile(path)).toThrow('is a folder');
    expect(() => readRegularFile(pathOf('a.c'), 5)).toThrow('larger than');
  });

  it.runIf(process.platform === 'linux')('does not wait for who writes into a pipe', () => {
    const { pathOf } = make({});
    spawnSync('mkfifo', [pathOf('pipe.h')]);
    expect(() => readRegularFile(pathOf('pipe.h'))).toThrow('not a regular file');
  });
});

describe('a link', () => {
  it('may lead to any place of the workspace', () => {
    const { pathOf, path } = make({ 'lib/a.h': '', 'drv/x.c': '' });
    symlinkSync('../lib/a.h', pathOf('drv/a.h'));
    symlinkSync('../lib', pathOf('drv/lib'));
    expect(leadsOutside(pathOf('drv/a.h'), [path])).toBe(false);
    expect(leadsOutside(pathOf('drv/lib/a.h'), [path])).toBe(false);
    expect(leadsOutside(pathOf('drv/x.c'), [])).toBe(false);
  });

  it('may not lead out of it, be it of the file or of a folder above it', () => {
    const { pathOf } = make({ 'lib/a.h': '', 'drv/x.c': '' });
    symlinkSync('../lib/a.h', pathOf('drv/a.h'));
    symlinkSync('../lib', pathOf('drv/lib'));
    expect(leadsOutside(pathOf('drv/a.h'), [pathOf('drv')])).toBe(true);
    expect(leadsOutside(pathOf('drv/lib/a.h'), [pathOf('drv')])).toBe(true);
  });

  it('may lead to a kernel tree, which drivers are built against', () => {
    const { pathOf } = make({
      'linux/Makefile': 'VERSION = 6\nPATCHLEVEL = 1\n',
      'linux/include/linux/x.h': '',
      'drv/x.c': '',
    });
    symlinkSync('../linux', pathOf('drv/kernel'));
    expect(leadsOutside(pathOf('drv/kernel/include/linux/x.h'), [pathOf('drv')])).toBe(false);
  });

  it('is what the server looks at before it reads', async () => {
    const { pathOf, uriOf } = make({ 'lib/a.h': 'int a;', 'drv/x.c': '' });
    symlinkSync('../lib/a.h', pathOf('drv/a.h'));
    symlinkSync('../lib', pathOf('drv/lib'));
    const files = createNodeFiles();
    files.within!([uriOf('drv')]);
    expect(await files.readFile(uriOf('drv/a.h'))).toBeUndefined();
    expect(await files.readDirectory(uriOf('drv/lib'))).toEqual([]);
    files.within!([uriOf('.')]);
    expect(await files.readFile(uriOf('drv/a.h'))).toBe('int a;');
    expect(await files.readDirectory(uriOf('drv/lib'))).toEqual(['a.h']);
  });
});
