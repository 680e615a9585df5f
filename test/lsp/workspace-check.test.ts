/**
 * The check of the whole workspace: findings of files that are not open, and what becomes of them.
 */
import { symlinkSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import {
  CancellationTokenSource,
  DidChangeWatchedFilesNotification,
  ExecuteCommandRequest,
  FileChangeType,
  LSPErrorCodes,
  WorkDoneProgress,
  type ProtocolConnection,
} from 'vscode-languageserver-protocol/node';
import { CLEAN, LEAKY, UNCHECKED } from '../support/drivers.ts';
import { temporaryFolder, type Folder } from '../support/folder.ts';
import { FULL, startClient, type ClientOptions, type TestClient } from './client.ts';

const CHECK = 'vfioLifecycle.checkWorkspace';
const PLAIN = 'int plain;\n';
let client: TestClient | undefined;
let folder: Folder | undefined;
const outside: Folder[] = [];

afterEach(async () => {
  await client?.stop();
  folder?.remove();
  for (const one of outside.splice(0)) one.remove();
  client = folder = undefined;
});

async function startIn(
  files: Readonly<Record<string, string>>,
  options: ClientOptions = {},
): Promise<{ readonly client: TestClient; readonly folder: Folder }> {
  folder = temporaryFolder(files);
  client = await startClient({ workspaceFolders: [folder.uri], ...options });
  return { client, folder };
}

const check = (connection: ProtocolConnection, more: object = {}) =>
  connection.sendRequest(ExecuteCommandRequest.type, { command: CHECK, arguments: [], ...more });
const changed = ({ connection }: TestClient, uri: string, type: FileChangeType) =>
  void connection.sendNotification(DidChangeWatchedFilesNotification.type, {
    changes: [{ uri, type }],
  });
const has =
  (...rules: string[]) =>
  ({ diagnostics }: { diagnostics: readonly { code?: unknown }[] }): boolean =>
    diagnostics.map((one) => one.code).join() === rules.join();

describe('a check of some files', () => {
  it('looks at these alone, and counts them alone', async () => {
    const { client, folder } = await startIn({ 'a/leaky.c': LEAKY, 'b/unchecked.c': UNCHECKED });
    await check(client.connection);
    const summary = await check(client.connection, {
      arguments: [{ uris: [folder.uriOf('a/leaky.c')] }],
    });
    expect(summary).toMatchObject({ files: 1, analysed: 1, withFindings: 1, error: 1 });
    // What another check has found stays.
    expect((await client.pushed(folder.uriOf('b/unchecked.c'))).diagnostics).toHaveLength(1);
  });
});

describe('a check of the workspace', () => {
  it('finds what is wrong in files that are not open, and says how much it saw', async () => {
    const { client, folder } = await startIn({
      'a/leaky.c': LEAKY,
      'b/clean.c': CLEAN,
      'b/unchecked.c': UNCHECKED,
      'plain.c': PLAIN,
      'notes.txt': LEAKY,
    });
    expect(client.result.capabilities.executeCommandProvider?.commands).toContain(CHECK);
    const said: string[] = [];
    client.connection.onProgress(WorkDoneProgress.type, 'count', (value) => {
      if (value.kind === 'report') said.push(value.message!);
    });
    const summary = await check(client.connection, { workDoneToken: 'count' });
    expect(summary).toEqual({
      files: 4,
      analysed: 3,
      withFindings: 2,
      notAnalysed: 0,
      error: 2,
      warning: 0,
      information: 0,
      hint: 0,
    });
    const { diagnostics } = await client.pushed(folder.uriOf('a/leaky.c'));
    expect(diagnostics).toMatchObject([
      { code: 'missing-put', range: { start: { line: 28 } }, relatedInformation: [{}, {}] },
    ]);
    await client.pushed(folder.uriOf('b/unchecked.c'), has('null-check-on-alloc'));
    expect(said.at(-1)).toBe('4 of 4 files');
    expect(said.length).toBeGreaterThan(2);
  });

  it('leaves a document that is open to its own findings, and takes it up again when it is closed', async () => {
    const { client, folder } = await startIn({ 'a.c': LEAKY });
    const uri = folder.uriOf('a.c');
    await check(client.connection);
    await client.pushed(uri, has('missing-put'));
    client.open(uri, LEAKY);
    expect(await client.diagnostics(uri)).toMatchObject([{ code: 'missing-put' }]);
    await client.pushed(uri, has());
    expect(await check(client.connection)).toMatchObject({ error: 1 });
    folder.write('a.c', UNCHECKED);
    client.close(uri);
    await client.pushed(uri, has('null-check-on-alloc'));
  });

  it('looks again at what changes on the disk, and at what reads it', async () => {
    const table =
      'static const struct vfio_device_ops foo_ops = {\n\t.name = "foo",\n\t.release = foo_release,\n};\n';
    const { client, folder } = await startIn({
      'a.c': LEAKY,
      'far/b.c': LEAKY,
      'far/b.h': '/* vfio */\n',
      'gone.c': LEAKY,
    });
    folder.write(
      'far/b.c',
      LEAKY.replace(table, `#include "b.h"\n${table}`).replaceAll(
        'ret = vfio_register_emulated_iommu_dev(',
        'ret = bring_up(',
      ),
    );
    expect(await check(client.connection)).toMatchObject({ error: 2 });
    await client.pushed(folder.uriOf('a.c'), has('missing-put'));
    await client.pushed(folder.uriOf('gone.c'), has('missing-put'));

    folder.write('a.c', UNCHECKED);
    changed(client, folder.uriOf('a.c'), FileChangeType.Changed);
    await client.pushed(folder.uriOf('a.c'), has('null-check-on-alloc'));
    folder.removeFile('gone.c');
    changed(client, folder.uriOf('gone.c'), FileChangeType.Deleted);
    await client.pushed(folder.uriOf('gone.c'), has());
    folder.write('new/c.c', LEAKY);
    changed(client, folder.uriOf('new/c.c'), FileChangeType.Created);
    await client.pushed(folder.uriOf('new/c.c'), has('missing-put'));
    folder.write('far/b.h', '#define bring_up(vdev) vfio_register_emulated_iommu_dev(vdev)\n');
    changed(client, folder.uriOf('far/b.h'), FileChangeType.Changed);
    await client.pushed(folder.uriOf('far/b.c'), has('missing-put'));
    folder.write('new/.vfio-lifecycle.json', '{ "rules": { "missing-put": "off" } }');
    changed(client, folder.uriOf('new/.vfio-lifecycle.json'), FileChangeType.Created);
    await client.pushed(folder.uriOf('new/c.c'), has());
  });

  it('follows no link out of the workspace', async () => {
    const elsewhere = temporaryFolder({ 'far.c': LEAKY });
    outside.push(elsewhere);
    const { client, folder } = await startIn({ 'a.c': CLEAN });
    symlinkSync(elsewhere.pathOf('far.c'), folder.pathOf('far.c'));
    symlinkSync(elsewhere.path, folder.pathOf('linked'));
    expect(await check(client.connection)).toMatchObject({ files: 1, analysed: 1, error: 0 });
  });

  it('hears that it is cancelled, and then the next request', async () => {
    const rows = Array.from(
      { length: 40 },
      () => '\tb[i] = vfio_alloc_device(foo, vdev, dev, &foo_ops);\n',
    ).join('');
    const long =
      LEAKY +
      Array.from(
        { length: 12 },
        (_, i) =>
          `static int long${i}(struct device *dev, struct foo **b, int i)\n{\n${rows}\treturn 0;\n}\n`,
      ).join('');
    const { client } = await startIn({ 'long.c': long });
    const source = new CancellationTokenSource();
    const running = client.connection.sendRequest(
      ExecuteCommandRequest.type,
      { command: CHECK, arguments: [] },
      source.token,
    );
    client.open('untitled:short.c', LEAKY);
    source.cancel();
    await expect(running).rejects.toMatchObject({ code: LSPErrorCodes.RequestCancelled });
    expect(await client.diagnostics('untitled:short.c')).toMatchObject([{ code: 'missing-put' }]);
  });

  it('pushes to a client that does not pull, in the place of what was pushed before', async () => {
    const { client, folder } = await startIn(
      { 'a.c': LEAKY, 'b.c': LEAKY },
      { capabilities: { ...FULL, textDocument: { publishDiagnostics: {} } } },
    );
    const uri = folder.uriOf('a.c');
    client.open(uri, UNCHECKED);
    await client.pushed(uri, has('null-check-on-alloc'));
    // The open text counts for what is said of it.
    await check(client.connection);
    await client.pushed(folder.uriOf('b.c'), has('missing-put'));
    client.close(uri);
    await client.pushed(uri, has());
    await client.pushed(uri, has('missing-put'));
  });

  it('takes the files that the client lists, and reads them as the client does', async () => {
    const files = new Map([
      ['memfs:/w/a.c', LEAKY],
      ['memfs:/w/clean.c', CLEAN],
      ['memfs:/w/plain.c', PLAIN],
    ]);
    const options: ClientOptions = {
      initializationOptions: { fileRequests: true, hidesChecked: true },
      workspaceFolders: ['memfs:/w'],
      prepare(connection) {
        connection.onRequest('vfioLifecycle/findSources', () => ({ uris: [...files.keys()] }));
        connection.onRequest('vfioLifecycle/mentioning', ({ uris }: { uris: string[] }) => ({
          uris: uris.filter((uri) => files.get(uri)?.includes('vfio')),
        }));
        connection.onRequest('vfioLifecycle/readFile', ({ uri }: { uri: string }) => ({
          text: files.get(uri) ?? null,
        }));
        connection.onRequest('vfioLifecycle/readDirectory', () => ({ entries: [] }));
      },
    };
    client = await startClient(options);
    expect(client.result.capabilities.executeCommandProvider).toBeUndefined();
    client.open('memfs:/w/a.c', LEAKY);
    await client.diagnostics('memfs:/w/a.c');
    expect(await check(client.connection)).toMatchObject({ files: 3, analysed: 2, error: 1 });
    // This client hides it as long as it shows what it has pulled.
    await client.pushed('memfs:/w/a.c', has('missing-put'));
  });
});
