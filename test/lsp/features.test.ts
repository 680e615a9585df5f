/** What an editor asks while a person reads and writes: completion, signatures, other ends, hints. */
import { afterEach, describe, expect, it } from 'vitest';
import {
  CodeLensRequest,
  CodeLensResolveRequest,
  CompletionRequest,
  CompletionResolveRequest,
  DidChangeTextDocumentNotification,
  DocumentLinkRequest,
  InlayHintRequest,
  LogMessageNotification,
  MessageType,
  ReferencesRequest,
  SignatureHelpRequest,
  type ClientCapabilities,
  type CompletionItem,
  type LogMessageParams,
  type Position,
} from 'vscode-languageserver-protocol/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { BAR_H, LEAKY, OLD } from '../support/drivers.ts';
import { FULL, sharedServers, startClient, type TestClient } from './client.ts';

const URI = 'untitled:foo.c';
const OLD_ALONE = OLD.replace('#include "bar.h"\n', BAR_H);
const EVERYTHING: ClientCapabilities = {
  ...FULL,
  textDocument: {
    ...FULL.textDocument,
    completion: {
      completionItem: {
        snippetSupport: true,
        documentationFormat: ['markdown'],
        resolveSupport: { properties: ['additionalTextEdits', 'documentation'] },
      },
    },
    signatureHelp: {
      signatureInformation: {
        documentationFormat: ['markdown'],
        parameterInformation: { labelOffsetSupport: true },
      },
    },
    references: {},
    documentLink: {},
    inlayHint: {},
    codeLens: {},
  },
};
const share = sharedServers();
let own: TestClient | undefined;

afterEach(async () => {
  await own?.stop();
  own = undefined;
});

async function start(text: string, settings: object = {}): Promise<TestClient> {
  const client = await share({
    capabilities: EVERYTHING,
    initializationOptions: { settings },
  });
  client.open(URI, text);
  return client;
}

/** The position of the first `place`, and of what is behind it with `length`. */
function at(text: string, place: string, length = 0): Position {
  return TextDocument.create(URI, 'c', 0, text).positionAt(text.indexOf(place) + length);
}

const textDocument = { uri: URI };

describe('what an editor asks of a driver', () => {
  it('is offered where the client has it', async () => {
    const { result } = await start('int vfio;');
    expect(result.capabilities).toMatchObject({
      completionProvider: { resolveProvider: true },
      signatureHelpProvider: {},
      referencesProvider: true,
      documentLinkProvider: {},
      inlayHintProvider: true,
      codeLensProvider: { resolveProvider: true },
    });
  });

  it('completes a member, and its function when it is chosen', async () => {
    const text = LEAKY.replace('\t.name = "foo",\n', '\t.name = "foo",\n\t.\n');
    const { connection } = await start(text);
    const position = at(text, '\t.\n', 2);
    const items = (await connection.sendRequest(CompletionRequest.type, {
      textDocument,
      position,
    })) as CompletionItem[];
    const item = items.find(({ label }) => label === '.init')!;
    expect(item).toMatchObject({
      detail: 'int (*init)(struct vfio_device *vdev);',
      textEdit: { newText: '.init = foo_init,' },
    });
    expect(item.additionalTextEdits).toBeUndefined();
    const whole = await connection.sendRequest(CompletionResolveRequest.type, item);
    expect(whole.additionalTextEdits).toMatchObject([
      { newText: 'static int foo_init(struct vfio_device *vdev)\n{\n\treturn 0;\n}\n\n' },
    ]);
    expect(whole.documentation).toMatchObject({ kind: 'markdown' });
  });

  it('completes the function too where the word was typed on in the list', async () => {
    const text = LEAKY.replace('\t.name = "foo",\n', '\t.name = "foo",\n\t.\n');
    const { connection } = await start(text);
    const position = at(text, '\t.\n', 2);
    const given = { textDocument, position };
    const items = (await connection.sendRequest(CompletionRequest.type, given)) as CompletionItem[];
    const item = items.find(({ label }) => label === '.init')!;
    const change = (typed: string, version: number): Promise<void> =>
      connection.sendNotification(DidChangeTextDocumentNotification.type, {
        textDocument: { uri: URI, version },
        contentChanges: [{ text: text.replace('\t.\n', `\t.${typed}\n`) }],
      });
    await change('ini', 2);
    const whole = await connection.sendRequest(CompletionResolveRequest.type, item);
    expect(whole.additionalTextEdits).toMatchObject([
      { newText: 'static int foo_init(struct vfio_device *vdev)\n{\n\treturn 0;\n}\n\n' },
    ]);
    // Another word is not that of the item.
    await change('open', 3);
    const other = await connection.sendRequest(CompletionResolveRequest.type, item);
    expect(other.additionalTextEdits).toBeUndefined();
  });

  it('shows the arguments of a call', async () => {
    const text = LEAKY.replace('&mdev->dev, &foo_ops);', '');
    const { connection } = await start(text);
    const help = await connection.sendRequest(SignatureHelpRequest.type, {
      textDocument,
      position: at(text, 'foo, vdev, ', 'foo, vdev, '.length),
    });
    expect(help).toMatchObject({
      activeParameter: 2,
      signatures: [{ label: '#define vfio_alloc_device(dev_struct, member, dev, ops)' }],
    });
    expect(help!.signatures[0]!.parameters![0]!.label).toEqual([26, 36]);
  });

  it('leads from an allocation to its put', async () => {
    const { connection } = await start(LEAKY);
    const found = await connection.sendRequest(ReferencesRequest.type, {
      textDocument,
      position: at(LEAKY, 'vfio_alloc_device'),
      context: { includeDeclaration: false },
    });
    expect(found).toMatchObject([{ uri: URI, range: { start: at(LEAKY, 'vfio_put_device') } }]);
  });

  it('links the rules of a suppression', async () => {
    const text = `/* vfio-lifecycle: allow(missing-put): a reason */\n${LEAKY}`;
    const { connection } = await start(text);
    const links = await connection.sendRequest(DocumentLinkRequest.type, { textDocument });
    expect(links).toMatchObject([{ range: { start: { line: 0, character: 25 } } }]);
    expect(links![0]!.target).toMatch(/\/docs\/rules\/missing-put\.md$/);
  });

  const all = { start: { line: 0, character: 0 }, end: { line: 60, character: 0 } };

  it('hints at nothing unless it is asked to', async () => {
    const { connection } = await start(LEAKY);
    expect(
      await connection.sendRequest(InlayHintRequest.type, { textDocument, range: all }),
    ).toEqual([]);
  });

  it('hints at what is owed when the setting says so', async () => {
    const { connection } = await start(LEAKY, { inlayHints: true });
    const hints = await connection.sendRequest(InlayHintRequest.type, { textDocument, range: all });
    expect(hints!.map(({ label, position }) => [position.line, label])).toContainEqual([
      28,
      '/* owed: vfio_put_device() */',
    ]);
  });

  it('has the conversion above an old probe, and nothing above another', async () => {
    const { connection, change } = await start(OLD_ALONE, { targetKernel: '6.1' });
    const lenses = (await connection.sendRequest(CodeLensRequest.type, { textDocument }))!;
    expect(lenses).toMatchObject([{ range: { start: at(OLD_ALONE, 'bar_probe') } }]);
    const whole = await connection.sendRequest(CodeLensResolveRequest.type, lenses[0]!);
    expect(whole.command).toMatchObject({
      title: 'Convert to vfio_alloc_device()',
      command: 'vfio-lifecycle.convert',
      arguments: [{ functionName: 'bar_probe' }],
    });
    change(URI, 2, [{ text: LEAKY }]);
    expect(await connection.sendRequest(CodeLensRequest.type, { textDocument })).toEqual([]);
  });

  it('counts above each function when the setting says so', async () => {
    const { connection } = await start(LEAKY, { codeLens: 'all' });
    const lenses = (await connection.sendRequest(CodeLensRequest.type, { textDocument }))!;
    expect(lenses.map(({ command }) => command?.title)).toContain('new model, 1 finding');
  });

  it('tells the time of each analysis once, at the level debug', async () => {
    const said: LogMessageParams[] = [];
    own = await startClient({
      capabilities: EVERYTHING,
      initializationOptions: { fileRequests: true },
      prepare: (connection) => {
        connection.onNotification(LogMessageNotification.type, (params) => {
          said.push(params);
        });
        connection.onRequest('vfioLifecycle/readFile', () => ({ text: null }));
        connection.onRequest('vfioLifecycle/readDirectory', () => ({ entries: [] }));
      },
    });
    own.open(URI, LEAKY);
    await own.pull(URI);
    await own.pull(URI);
    const times = said.filter(({ message }) => /version 1 analysed in \d+ ms$/.test(message));
    expect(times.map(({ type }) => type)).toEqual([MessageType.Debug]);
  });

  it('is nothing in a file without VFIO', async () => {
    const { connection } = await start('int f(void)\n{\n\tg(\n}\n', {
      inlayHints: true,
      codeLens: 'all',
    });
    const position = { line: 2, character: 3 };
    const answers = [
      await connection.sendRequest(CompletionRequest.type, { textDocument, position }),
      await connection.sendRequest(DocumentLinkRequest.type, { textDocument }),
      await connection.sendRequest(InlayHintRequest.type, { textDocument, range: all }),
      await connection.sendRequest(CodeLensRequest.type, { textDocument }),
    ];
    expect(answers).toEqual([[], [], [], []]);
    expect(
      await connection.sendRequest(SignatureHelpRequest.type, { textDocument, position }),
    ).toBeNull();
  });
});
