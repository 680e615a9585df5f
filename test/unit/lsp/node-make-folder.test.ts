/** Folders are made with those above them, or the reason why not is thrown. */
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeFolder } from '../../../server/src/lsp/node-make-folder.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vfio-lifecycle-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('makes what is missing, once or again', () => {
  const path = join(folder, 'one', 'two', 'three');
  makeFolder(path);
  makeFolder(path);
  expect(statSync(path).isDirectory()).toBe(true);
});

it('throws where a file has the name, or a name above it', () => {
  writeFileSync(join(folder, 'file'), '');
  expect(() => makeFolder(join(folder, 'file'))).toThrow(/EEXIST/);
  expect(() => makeFolder(join(folder, 'file', 'one'))).toThrow(/ENOTDIR/);
});

it('throws where a link leads nowhere', () => {
  symlinkSync(join(folder, 'nowhere'), join(folder, 'link'));
  expect(() => makeFolder(join(folder, 'link', 'one'))).toThrow();
});

it.runIf(process.platform === 'linux')('ends where names are refused as if unknown', () => {
  expect(() => makeFolder('/proc/vfio-lifecycle/one')).toThrow(/ENOENT/);
});
