import { afterEach, describe, expect, it } from 'vitest';
import {
  ConfigurationRequest,
  DiagnosticRefreshRequest,
  DiagnosticSeverity,
  DidChangeConfigurationNotification,
  DidChangeWatchedFilesNotification,
  FileChangeType,
} from 'vscode-languageserver-protocol/node';
import { BAR_H, CLEAN, LEAKY, OLD } from '../support/drivers.ts';
import { temporaryFolder, type Folder } from '../support/folder.ts';
import { FULL, startClient, type ClientOptions, type TestClient } from './client.ts';

const MEMORY = 'untitled:foo.c';
let client: TestClient | undefined;
let folder: Folder | undefined;

afterEach(async () => {
  await client?.stop();
  folder?.remove();
  client = folder = undefined;
});

async function start(options?: ClientOptions): Promise<TestClient> {
  return (client = await startClient(options));
}

const codes = (items: readonly { code?: unknown; severity?: unknown }[]): unknown[] =>
  items.map((one) => one.code);

describe('diagnostics by pull', () => {
  it('name the rule, its page, the path and the other end', async () => {
    const { open, diagnostics } = await start();
    open(MEMORY, LEAKY);
    const [found, ...others] = await diagnostics(MEMORY);
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      code: 'missing-put',
      source: 'vfio',
      severity: DiagnosticSeverity.Error,
      range: { start: { line: 28 }, end: { line: 28 } },
    });
    expect(found!.codeDescription!.href).toMatch(/^file:.*\/docs\/rules\/missing-put\.md$/);
    expect(found!.relatedInformation!.map((one) => one.location)).toContainEqual(
      expect.objectContaining({
        uri: MEMORY,
        range: expect.objectContaining({ start: expect.objectContaining({ line: 22 }) }),
      }),
    );
    expect(found!.message).toContain('vfio_put_device()');
  });

  it('tell what stands in the way of the conversion once it was worked out, which no pull waits for', async () => {
    const text = OLD.replace('#include "bar.h"\n', BAR_H).replace('GFP_KERNEL', 'GFP_ATOMIC');
    let refreshed: () => void = () => undefined;
    const asked = new Promise<void>((done) => {
      refreshed = done;
    });
    const { open, diagnostics } = await start({
      prepare: (one) => one.onRequest(DiagnosticRefreshRequest.type, () => refreshed()),
    });
    open(MEMORY, text);
    const relatedTo = async (): Promise<unknown> =>
      (await diagnostics(MEMORY)).find(({ code }) => code === 'removed-api')!.relatedInformation;
    expect(await relatedTo()).toBeUndefined();
    await asked;
    const line = text.split('\n').findIndex((one) => one.includes('GFP_ATOMIC'));
    expect(await relatedTo()).toEqual([
      {
        location: {
          uri: MEMORY,
          range: expect.objectContaining({ start: expect.objectContaining({ line }) }),
        },
        message: expect.stringMatching(
          new RegExp(
            `^cannot be converted automatically: \`GFP_ATOMIC\`: .* \\(line ${line + 1}\\)$`,
          ),
        ),
      },
    ]);
  });

  it('are unchanged for an unchanged text, and for an edit that changes nothing of them', async () => {
    const { open, change, pull } = await start();
    open(MEMORY, LEAKY);
    const first = await pull(MEMORY);
    expect(first).toMatchObject({ kind: 'full', resultId: expect.any(String) });
    expect(await pull(MEMORY, first.resultId)).toEqual({
      kind: 'unchanged',
      resultId: first.resultId,
    });
    change(MEMORY, 2, [
      { range: { start: { line: 45, character: 0 }, end: { line: 45, character: 0 } }, text: '\n' },
    ]);
    expect(await pull(MEMORY, first.resultId)).toEqual({
      kind: 'unchanged',
      resultId: first.resultId,
    });
    change(MEMORY, 3, [
      { range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } }, text: '\n' },
    ]);
    expect(await pull(MEMORY, first.resultId)).toMatchObject({ kind: 'full' });
  });

  it('follow the edits', async () => {
    const { open, change, diagnostics } = await start();
    open(MEMORY, LEAKY);
    expect(codes(await diagnostics(MEMORY))).toEqual(['missing-put']);
    change(MEMORY, 2, [
      {
        range: { start: { line: 27, character: 9 }, end: { line: 27, character: 9 } },
        text: ' {\n\t\tvfio_put_device(&foo->vdev);',
      },
    ]);
    change(MEMORY, 3, [
      {
        range: { start: { line: 29, character: 13 }, end: { line: 29, character: 13 } },
        text: '\n\t}',
      },
    ]);
    expect(await diagnostics(MEMORY)).toEqual([]);
    change(MEMORY, 4, [{ text: 'int x;' }]);
    expect(await diagnostics(MEMORY)).toEqual([]);
    change(MEMORY, 5, [{ text: LEAKY }]);
    expect(codes(await diagnostics(MEMORY))).toEqual(['missing-put']);
  });

  it('strike through what is deprecated', async () => {
    const { open, diagnostics } = await start({
      initializationOptions: { settings: { targetKernel: '6.0' } },
    });
    open(MEMORY, OLD.replace('#include "bar.h"\n', BAR_H));
    const items = await diagnostics(MEMORY);
    expect(items).toMatchObject([
      { code: 'deprecated-init-group-dev', severity: DiagnosticSeverity.Information, tags: [2] },
    ]);
  });

  it('leave out what the client cannot show', async () => {
    const { open, diagnostics } = await start({
      capabilities: { textDocument: { diagnostic: {} } },
    });
    open(MEMORY, LEAKY);
    const [found] = await diagnostics(MEMORY);
    expect(Object.keys(found!).sort()).toEqual(['code', 'message', 'range', 'severity', 'source']);
  });

  it('are empty for a document that is not open', async () => {
    const { pull } = await start();
    expect(await pull('file:///nowhere.c')).toMatchObject({ kind: 'full', items: [] });
  });
});

describe('diagnostics by push', () => {
  it('come after open and change, with the version, and go with the document', async () => {
    const { open, change, close, pushed } = await start({
      capabilities: { textDocument: { publishDiagnostics: { versionSupport: true } } },
    });
    open(MEMORY, LEAKY, 7);
    expect(await pushed(MEMORY)).toMatchObject({
      version: 7,
      diagnostics: [{ code: 'missing-put' }],
    });
    change(MEMORY, 8, [{ text: CLEAN }]);
    expect(await pushed(MEMORY, (one) => one.version === 8)).toMatchObject({ diagnostics: [] });
    change(MEMORY, 9, [{ text: LEAKY }]);
    close(MEMORY);
    expect(await pushed(MEMORY, (one) => one.version === undefined)).toMatchObject({
      diagnostics: [],
    });
  });
});

describe('diagnostics by push of one text for several settings', () => {
  it('are those of the last settings, whichever answer comes last', async () => {
    const answers: ((section: unknown) => void)[] = [];
    let arrived: () => void = () => undefined;
    const { open, change, pushed, connection } = await start({
      capabilities: { workspace: { configuration: true } },
      prepare: (one) =>
        one.onRequest(
          ConfigurationRequest.type,
          () =>
            new Promise<unknown[]>((done) => {
              answers.push((section) => done([section]));
              arrived();
            }),
        ),
    });
    const asked = (): Promise<void> =>
      new Promise((done) => {
        arrived = done;
      });
    const first = asked();
    open(MEMORY, LEAKY);
    await first;
    const second = asked();
    void connection.sendNotification(DidChangeConfigurationNotification.type, { settings: null });
    await second;
    answers[1]!({ rules: { 'missing-put': 'off' } });
    expect(await pushed(MEMORY)).toMatchObject({ version: 1, diagnostics: [] });
    answers[0]!({});
    change(MEMORY, 2, [{ text: `${LEAKY}\n` }]);
    expect(await pushed(MEMORY)).toMatchObject({ version: 2, diagnostics: [] });
  });
});

describe('the world around a document', () => {
  it('is read from the disk: the struct in a quoted header, the kernel from the Makefile', async () => {
    folder = temporaryFolder({
      Makefile: 'VERSION = 6\nPATCHLEVEL = 0\nSUBLEVEL = 0\n',
      'drv/bar.c': OLD,
      'drv/bar.h': BAR_H,
    });
    const statuses: unknown[] = [];
    const { open, diagnostics } = await start({
      workspaceFolders: [folder.uri],
      prepare: (connection) =>
        connection.onNotification('vfioLifecycle/status', (status) => void statuses.push(status)),
    });
    const uri = folder.uriOf('drv/bar.c');
    open(uri, OLD);
    expect(codes(await diagnostics(uri))).toEqual(['deprecated-init-group-dev']);
    expect(statuses).toEqual([
      {
        kernel: '6.0',
        reason: "from the kernel tree's Makefile",
        uri,
        files: ['bar.h'],
        settings: '{}',
      },
    ]);
  });

  it('is read again when a file changes', async () => {
    folder = temporaryFolder({
      Makefile: 'VERSION = 6\nPATCHLEVEL = 0\nSUBLEVEL = 0\n',
      'bar.c': OLD,
      'bar.h': BAR_H,
    });
    let refreshed: () => void = () => undefined;
    const asked = new Promise<void>((done) => {
      refreshed = done;
    });
    const { open, diagnostics, connection } = await start({
      workspaceFolders: [folder.uri],
      prepare: (one) => one.onRequest(DiagnosticRefreshRequest.type, () => refreshed()),
    });
    const uri = folder.uriOf('bar.c');
    open(uri, OLD);
    expect(codes(await diagnostics(uri))).toEqual(['deprecated-init-group-dev']);
    folder.write('Makefile', 'VERSION = 6\nPATCHLEVEL = 2\nSUBLEVEL = 0\n');
    void connection.sendNotification(DidChangeWatchedFilesNotification.type, {
      changes: [{ uri: folder.uriOf('Makefile'), type: FileChangeType.Changed }],
    });
    await asked;
    expect(codes(await diagnostics(uri))).toContain('removed-api');
  });

  it('has open headers in front of saved ones, however their URI is spelled', async () => {
    const drop = (body: string): string =>
      `static inline void foo_drop(struct foo *foo)\n{\n${body}}\n`;
    const source = LEAKY.replace(
      '\tif (ret)\n\t\treturn ret;',
      '\tif (ret) {\n\t\tfoo_drop(foo);\n\t\treturn ret;\n\t}',
    ).replace('static void foo_release', '#include "drop.h"\nstatic void foo_release');
    const saved = drop('\tvfio_put_device(&foo->vdev);\n');
    folder = temporaryFolder({ 'foo.c': source, 'drop.h': saved });
    const { open, close, change, pushed } = await start({
      workspaceFolders: [folder.uri],
      capabilities: {},
    });
    const uri = folder.uriOf('foo.c');
    const header = folder.uriOf('drop.h').replace('drop.h', '%64rop.h');
    open(uri, source);
    expect((await pushed(uri)).diagnostics).toEqual([]);
    // Each change of the header makes the source worth another push.
    open(header, drop(''));
    expect(codes((await pushed(uri)).diagnostics)).toEqual(['missing-put']);
    change(header, 2, [{ text: saved }]);
    expect((await pushed(uri)).diagnostics).toEqual([]);
    change(header, 3, [{ text: drop('') }]);
    expect(codes((await pushed(uri)).diagnostics)).toEqual(['missing-put']);
    // What was not saved is gone with the document.
    close(header);
    expect((await pushed(uri)).diagnostics).toEqual([]);
  });

  it('is asked for again from a client that pulls, when an open header changes', async () => {
    const late = BAR_H.replace(
      '\tstruct vfio_device vdev;\n\tint users;',
      '\tint users;\n\tstruct vfio_device vdev;',
    );
    const source = CLEAN.replace(/struct foo \{[^}]*\};/, '#include "foo.h"');
    const header = BAR_H.replace('struct bar', 'struct foo');
    folder = temporaryFolder({ 'foo.c': source, 'foo.h': header });
    let refreshed: () => void = () => undefined;
    const { open, change, diagnostics } = await start({
      workspaceFolders: [folder.uri],
      prepare: (one) => one.onRequest(DiagnosticRefreshRequest.type, () => refreshed()),
    });
    open(folder.uriOf('foo.h'), header);
    open(folder.uriOf('foo.c'), source);
    expect(await diagnostics(folder.uriOf('foo.c'))).toEqual([]);
    const asked = new Promise<void>((done) => {
      refreshed = done;
    });
    change(folder.uriOf('foo.h'), 2, [{ text: late.replace('struct bar', 'struct foo') }]);
    await asked;
    expect(codes(await diagnostics(folder.uriOf('foo.c')))).toEqual(['device-not-first']);
  });

  it('is asked from the client where files are its own', async () => {
    const asked: string[] = [];
    const files: Record<string, string> = {
      'memfs:///w/drv/bar.h': BAR_H,
      'memfs:///w/Makefile': 'VERSION = 6\nPATCHLEVEL = 0\nSUBLEVEL = 0\n',
    };
    const { open, diagnostics } = await start({
      workspaceFolders: ['memfs:///w'],
      initializationOptions: { fileRequests: true },
      prepare: (connection) => {
        connection.onRequest('vfioLifecycle/readFile', ({ uri }: { uri: string }) => {
          asked.push(uri);
          return { text: files[uri] ?? null };
        });
        connection.onRequest('vfioLifecycle/readDirectory', () => ({ entries: [] }));
      },
    });
    open('memfs:///w/drv/bar.c', OLD);
    expect(codes(await diagnostics('memfs:///w/drv/bar.c'))).toEqual(['deprecated-init-group-dev']);
    expect(asked).toContain('memfs:///w/drv/bar.h');
    const before = asked.length;
    await diagnostics('memfs:///w/drv/bar.c');
    expect(asked.length).toBe(before);
  });

  it('may be a client that answers files with nonsense', async () => {
    const { open, diagnostics } = await start({
      initializationOptions: { fileRequests: true },
      prepare: (connection) => {
        connection.onRequest('vfioLifecycle/readFile', () => 42);
        connection.onRequest('vfioLifecycle/readDirectory', () => {
          throw new Error('no');
        });
      },
    });
    open('memfs:///w/foo.c', LEAKY);
    expect(codes(await diagnostics('memfs:///w/foo.c'))).toEqual(['missing-put']);
  });
});

describe('settings', () => {
  const capabilities = { ...FULL, workspace: { ...FULL.workspace, configuration: true } };

  it('are asked from the client, for each document, and again after a change', async () => {
    let section: unknown = { targetKernel: '6.0' };
    const { open, diagnostics, connection } = await start({
      capabilities,
      prepare: (one) =>
        one.onRequest(ConfigurationRequest.type, ({ items }) => items.map(() => section)),
    });
    open(MEMORY, LEAKY);
    expect(codes(await diagnostics(MEMORY))).toContain('unavailable-api');
    section = { targetKernel: '', rules: { 'missing-put': 'warning' } };
    void connection.sendNotification(DidChangeConfigurationNotification.type, { settings: null });
    expect(await diagnostics(MEMORY)).toMatchObject([
      { code: 'missing-put', severity: DiagnosticSeverity.Warning },
    ]);
  });

  it('may switch a rule off, and one that is wrong spoils nothing', async () => {
    const statuses: { reason: string }[] = [];
    const { open, diagnostics } = await start({
      capabilities,
      prepare: (connection) => {
        connection.onRequest(ConfigurationRequest.type, () => [
          { targetKernel: 'latest', rules: { 'missing-put': 'off', 'double-put': 17 } },
        ]);
        connection.onNotification('vfioLifecycle/status', (status) => void statuses.push(status));
      },
    });
    open(MEMORY, LEAKY);
    expect(await diagnostics(MEMORY)).toEqual([]);
    expect(statuses[0]!.reason).toContain('"latest" is not a kernel version');
  });

  it('may come with a notification from a client that cannot be asked', async () => {
    const { open, diagnostics, connection } = await start();
    open(MEMORY, LEAKY);
    void connection.sendNotification(DidChangeConfigurationNotification.type, {
      settings: { vfioLifecycle: { rules: { 'missing-put': 'hint' } } },
    });
    expect(await diagnostics(MEMORY)).toMatchObject([{ severity: DiagnosticSeverity.Hint }]);
  });
});
