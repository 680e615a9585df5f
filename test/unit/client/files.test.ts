import { mkdirSync, symlinkSync } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { BaseLanguageClient } from 'vscode-languageclient';
import { answerFileRequests } from '../../../client/src/files.ts';
import { temporaryFolder, type Folder } from '../../support/folder.ts';

const workspace = vi.hoisted(() => ({ folders: [] as string[], opened: [] as string[] }));

/** As much of VS Code as answering takes, over the disk. */
vi.mock('vscode', () => {
  const uriOf = (path: string) => ({ scheme: 'file', path, fsPath: path });
  const reading = async (uri: { path: string }): Promise<Buffer> => {
    workspace.opened.push(uri.path);
    return readFile(uri.path);
  };
  return {
    FileType: { Unknown: 0, File: 1, Directory: 2, SymbolicLink: 64 },
    Disposable: { from: () => ({ dispose: () => undefined }) },
    Uri: {
      parse: (uri: string) => uriOf(fileURLToPath(uri)),
      file: uriOf,
      joinPath: (uri: { path: string }, name: string) => uriOf(posix.join(uri.path, name)),
    },
    workspace: {
      get workspaceFolders() {
        return workspace.folders.map((path) => ({ uri: uriOf(path) }));
      },
      fs: {
        async stat(uri: { path: string }) {
          const found = await stat(uri.path);
          return {
            type: (found.isFile() ? 1 : 0) | (found.isDirectory() ? 2 : 0),
            size: found.size,
          };
        },
        readFile: reading,
        readDirectory: async () => [['a.h', 1]],
      },
    },
  };
});

let folder: Folder;
let ask: (method: string, uri: string) => Promise<unknown>;

beforeEach(() => {
  folder = temporaryFolder({
    'w/a.h': 'int a;',
    'w/large.h': ' '.repeat(16_000_001),
    'other/b.h': 'int b;',
    'linux/include/linux/vfio.h': '',
    'linux/include/linux/c.h': 'int c;',
  });
  mkdirSync(folder.pathOf('w/sub'));
  symlinkSync('/dev/zero', folder.pathOf('w/zero.h'));
  symlinkSync('../other/b.h', folder.pathOf('w/b.h'));
  symlinkSync('../other', folder.pathOf('w/other'));
  symlinkSync('../a.h', folder.pathOf('w/sub/a.h'));
  symlinkSync('../linux/include', folder.pathOf('w/include'));
  workspace.folders = [folder.pathOf('w')];
  workspace.opened = [];
  const answers = new Map<string, (parameters: { uri: string }) => Promise<unknown>>();
  answerFileRequests(
    {
      onRequest: (method: string, answer: never) => void answers.set(method, answer),
    } as unknown as BaseLanguageClient,
    (path) => realpath(path),
  );
  ask = (method, name) => answers.get(`vfioLifecycle/${method}`)!({ uri: folder.uriOf(name) });
});
afterEach(() => folder.remove());

it.each([
  ['a file', 'w/a.h', 'int a;'],
  ['a link within the workspace', 'w/sub/a.h', 'int a;'],
  ['a link to the headers of a kernel', 'w/include/linux/c.h', 'int c;'],
])('reads %s', async (_, name, text) => expect(await ask('readFile', name)).toEqual({ text }));

it.each([
  ['a device', 'w/zero.h'],
  ['a file that is too large', 'w/large.h'],
  ['a folder', 'w/sub'],
  ['a link out of the workspace', 'w/b.h'],
  ['a file in a folder that is such a link', 'w/other/b.h'],
])('does not even open %s', async (_, name) => {
  expect(await ask('readFile', name)).toEqual({ text: null });
  expect(workspace.opened).toEqual([]);
});

it('lists no folder outside of the workspace', async () => {
  expect(await ask('readDirectory', 'w/other')).toEqual({ entries: [] });
  expect(await ask('readDirectory', 'w/sub')).toEqual({ entries: ['a.h'] });
});
