import { afterEach, describe, expect, it } from 'vitest';
import {
  CancellationTokenSource,
  CodeActionRequest,
  DocumentDiagnosticRequest,
  HoverRequest,
  type ClientCapabilities,
  type Diagnostic,
} from 'vscode-languageserver-protocol/node';
import { LEAKY } from '../support/drivers.ts';
import { temporaryFolder, type Folder } from '../support/folder.ts';
import { sharedServers, startClient, type TestClient } from './client.ts';

const URI = 'untitled:foo.c';
const share = sharedServers();
let own: TestClient | undefined;
let client: TestClient | undefined;
let folder: Folder | undefined;

afterEach(async () => {
  const ending = own;
  folder?.remove();
  own = client = folder = undefined;
  if (ending === undefined) return;
  expect(ending.process.exitCode).toBeNull();
  expect(await ending.stop()).toBe(0);
});

/** Asks everything that a client can ask of a document. */
async function everything(uri: string): Promise<Diagnostic[]> {
  const { connection, diagnostics } = client!;
  const position = { line: 3, character: 5 };
  const found = await diagnostics(uri);
  await connection.sendRequest(HoverRequest.type, { textDocument: { uri }, position });
  await connection.sendRequest(CodeActionRequest.type, {
    textDocument: { uri },
    range: { start: position, end: { line: 1 << 30, character: 1 << 30 } },
    context: { diagnostics: found },
  });
  await connection.sendRequest(CodeActionRequest.type, {
    textDocument: { uri },
    range: { start: position, end: position },
    context: { diagnostics: [], only: ['source.fixAll'] },
  });
  return found;
}

describe('any text', () => {
  const truncated = LEAKY.slice(0, LEAKY.indexOf('if (ret)') + 6);
  const texts: Record<string, string> = {
    'an empty file': '',
    'the word alone': 'vfio',
    'a truncated file': truncated,
    'a file of NULs': `vfio${'\0'.repeat(100_000)}`,
    '10 MB of C': LEAKY.repeat(Math.ceil(10_000_000 / LEAKY.length)),
    '100,000 nested braces': `void vfio(void) ${'{'.repeat(100_000)}`,
    '100,000 nested braces that close': `void vfio(void) ${'{'.repeat(100_000)}${'}'.repeat(100_000)}`,
    '100,000 nested parentheses': `int vfio = ${'('.repeat(100_000)}1${')'.repeat(100_000)};`,
    '100,000 #if': `${'#if vfio\n'.repeat(100_000)}`,
    'one line of 1 MB': `int vfio${' + vfio'.repeat(150_000)};`,
    'lone surrogates': `/* vfio \ud83d */ int \ude00 = '\udfff';\n${LEAKY}`,
    'an unclosed comment': `${LEAKY}/* vfio `,
    'an unclosed string': `${LEAKY}char *s = "vfio`,
    'what is no C at all':
      'vfio '.repeat(1_000) + '\u2028\u2029\ufeff\ufffe%$§ ?? }}} ]] #### @@'.repeat(100),
  };
  it.each(Object.keys(texts))('%s', async (name) => {
    client = await share();
    client.open(URI, texts[name]!);
    await everything(URI);
    // The server is as good as before.
    client.open('untitled:other.c', LEAKY);
    expect((await client.diagnostics('untitled:other.c')).map((one) => one.code)).toEqual([
      'missing-put',
    ]);
  });
});

describe('line ends and marks', () => {
  it('CRLF: the same findings on the same lines, and edits with CRLF', async () => {
    client = await share();
    client.open(URI, LEAKY.replaceAll('\n', '\r\n'));
    const [found] = await everything(URI);
    expect(found).toMatchObject({ code: 'missing-put', range: { start: { line: 28 } } });
    const actions = await client.connection.sendRequest(CodeActionRequest.type, {
      textDocument: { uri: URI },
      range: found!.range,
      context: { diagnostics: [found!], only: ['quickfix'] },
    });
    const inserted = JSON.stringify(actions);
    expect(inserted).toContain('vfio_put_device');
    expect(inserted.replaceAll('\\r\\n', '')).not.toContain('\\n');
  });

  it('a byte order mark: nothing moves', async () => {
    client = await share();
    client.open(URI, `\ufeff${LEAKY}`);
    expect(await everything(URI)).toMatchObject([
      { code: 'missing-put', range: { start: { line: 28 } } },
    ]);
  });

  it('an edit in the middle of a surrogate pair', async () => {
    client = await share();
    const text = `/* \u{1f600} */\n${LEAKY}`;
    client.open(URI, text);
    await everything(URI);
    client.change(URI, 2, [
      { range: { start: { line: 0, character: 4 }, end: { line: 0, character: 4 } }, text: 'x' },
    ]);
    expect(await everything(URI)).toMatchObject([
      { code: 'missing-put', range: { start: { line: 29 } } },
    ]);
    client.change(URI, 3, [
      { range: { start: { line: 0, character: 4 }, end: { line: 0, character: 5 } }, text: '' },
    ]);
    expect(await everything(URI)).toMatchObject([
      { code: 'missing-put', range: { start: { line: 29 } } },
    ]);
  });

  it('edits outside of the text', async () => {
    client = await share();
    client.open(URI, LEAKY);
    client.change(URI, 2, [
      {
        range: { start: { line: 9_999, character: 3 }, end: { line: 99_999, character: 7 } },
        text: '\n',
      },
    ]);
    client.change(URI, 3, [
      {
        range: { start: { line: 0, character: 9_999 }, end: { line: 0, character: 99_999 } },
        text: ' ',
      },
    ]);
    expect(await everything(URI)).toMatchObject([
      { code: 'missing-put', range: { start: { line: 28 } } },
    ]);
  });
});

describe('a document that goes away', () => {
  describe('while the files around it are read', () => {
    const uri = 'memfs:///w/foo.c';
    /**
     * Starts a server whose client answers for files only after `release`, or only for `held` if
     * that is given.
     */
    async function startHeld(
      files: Readonly<Record<string, string>> = {},
      held?: string,
      capabilities?: ClientCapabilities,
    ): Promise<{ asked: Promise<void>; release(): void }> {
      let release: () => void = () => undefined;
      let arrived: () => void = () => undefined;
      const released = new Promise<void>((done) => {
        release = done;
      });
      const asked = new Promise<void>((done) => {
        arrived = done;
      });
      client = own = await startClient({
        ...(capabilities && { capabilities }),
        initializationOptions: { fileRequests: true },
        prepare: (connection) => {
          connection.onRequest('vfioLifecycle/readFile', async ({ uri: path }: { uri: string }) => {
            if (held === undefined || held === path) {
              arrived();
              await released;
            }
            return { text: files[path] ?? null };
          });
        },
      });
      return { asked, release };
    }

    it('is changed: the client is to come again', async () => {
      const { asked, release } = await startHeld();
      client!.open(uri, LEAKY);
      const pending = client!.pull(uri).catch((error: { code: number; data: unknown }) => ({
        code: error.code,
        data: error.data,
      }));
      await asked;
      client!.change(uri, 2, [{ text: LEAKY.replace('foo_probe', 'foo_bind') }]);
      release();
      expect(await pending).toEqual({ code: -32802, data: { retriggerRequest: true } });
      client!.change(uri, 3, [{ text: LEAKY }]);
      expect((await client!.diagnostics(uri)).map((one) => one.code)).toEqual(['missing-put']);
    });

    // Never a report of the old text for a document that is gone, nor an error: VS Code's client
    // would never pull the document again.
    it('is closed: an empty report, and the right one when it is opened again', async () => {
      const { asked, release } = await startHeld();
      client!.open(uri, LEAKY);
      const pending = client!.diagnostics(uri);
      await asked;
      client!.close(uri);
      release();
      expect(await pending).toEqual([]);
      client!.open(uri, LEAKY);
      expect((await client!.diagnostics(uri)).map((one) => one.code)).toEqual(['missing-put']);
    });

    it('is cancelled: the answer for that', async () => {
      const { asked, release } = await startHeld();
      client!.open(uri, LEAKY);
      const source = new CancellationTokenSource();
      const pending = client!.connection
        .sendRequest(DocumentDiagnosticRequest.type, { textDocument: { uri } }, source.token)
        .catch((error: { code: number }) => error.code);
      await asked;
      source.cancel();
      release();
      expect(await pending).toBe(-32800);
    });

    it.each([
      ['by pull', undefined],
      ['by push', {}],
    ])(
      'is analysed with the text that a header of it has got meanwhile, %s',
      async (_, capabilities) => {
        const drop = (body: string): string =>
          `static inline void foo_drop(struct foo *foo)\n{\n${body}}\n`;
        const source = LEAKY.replace(
          '\tif (ret)\n\t\treturn ret;',
          '\tif (ret) {\n\t\tfoo_drop(foo);\n\t\treturn ret;\n\t}',
        ).replace(
          'static void foo_release',
          '#include "drop.h"\n#include "slow.h"\nstatic void foo_release',
        );
        const slow = 'memfs:///w/slow.h';
        const header = 'memfs:///w/drop.h';
        const { asked, release } = await startHeld(
          { [slow]: '', [header]: drop('') },
          slow,
          capabilities,
        );
        client!.open(uri, source);
        const pending =
          capabilities === undefined
            ? client!.diagnostics(uri)
            : client!.pushed(uri).then((one) => one.diagnostics);
        await asked;
        // Nothing says yet that the source reads this header.
        client!.open(header, drop('\tvfio_put_device(&foo->vdev);\n'));
        release();
        expect(await pending).toEqual([]);
      },
    );
  });
});

describe('a hostile workspace', () => {
  it('includes that loop, leave the workspace or do not exist', async () => {
    folder = temporaryFolder({
      'w/a.h': '#include "b.h"\n',
      'w/b.h': '#include "a.h"\n#include "b.h"\n#include "foo.c"\n',
      'secret.h': '#define vfio_put_device(x) secret(x)\n',
      'w/Makefile': 'foo-y := foo.o ../../secret.o /etc/passwd.o foo.o\nx-y := $(x-y) foo.o \\',
    });
    const includes =
      '#include "a.h"\n#include "../secret.h"\n#include "/etc/passwd"\n#include "none.h"\n#include ""\n#include "\n';
    client = own = await startClient({ workspaceFolders: [folder.uriOf('w')] });
    const uri = folder.uriOf('w/foo.c');
    client.open(uri, includes + LEAKY);
    expect((await everything(uri)).map((one) => one.code)).toEqual(['missing-put']);
  });

  it('a kernel version that does not parse', async () => {
    const statuses: unknown[] = [];
    client = own = await startClient({
      initializationOptions: { settings: { targetKernel: '6.x; rm -rf' } },
      prepare: (connection) =>
        connection.onNotification('vfioLifecycle/status', (status) => void statuses.push(status)),
    });
    client.open(URI, LEAKY);
    expect((await everything(URI)).map((one) => one.code)).toEqual(['missing-put']);
    expect(statuses).toMatchObject([
      {
        kernel: '6.1',
        reason:
          'the default: no kernel tree around the file; "6.x; rm -rf" is not a kernel version such as 6.1 or 6.12',
        uri: URI,
      },
    ]);
  });

  it('requests that make no sense', async () => {
    client = await share();
    client.open(URI, LEAKY);
    await expect(client.connection.sendRequest('vfioLifecycle/none', {})).rejects.toThrow();
    await expect(
      client.connection.sendRequest('textDocument/hover', {
        textDocument: { uri: 'no uri' },
        position: { line: -1, character: 1e9 },
      }),
    ).resolves.toBeNull();
    await client.connection.sendRequest('textDocument/codeAction', {}).catch(() => undefined);
    expect((await client.diagnostics(URI)).map((one) => one.code)).toEqual(['missing-put']);
  });
});
