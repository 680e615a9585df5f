/** What the server hears while it analyses what takes long. */
import { afterEach, describe, expect, it } from 'vitest';
import {
  CancellationTokenSource,
  DocumentDiagnosticRequest,
  ErrorCodes,
  InitializeRequest,
  LSPErrorCodes,
  ShutdownRequest,
} from 'vscode-languageserver-protocol/node';
import { LEAKY } from '../support/drivers.ts';
import { FULL, startClient, type TestClient } from './client.ts';

const URI = 'untitled:long.c';
let client: TestClient | undefined;

afterEach(() => {
  client?.process.kill();
  client = undefined;
});

const rows = Array.from(
  { length: 40 },
  () => '\tb[i] = vfio_alloc_device(foo, vdev, dev, &foo_ops);\n',
).join('');
/**
 * Each function is given up where its budget ends, all of them where that of the module does: many
 * thousands of pauses.
 */
const LONG = `${LEAKY}${Array.from({ length: 12 }, (_, i) => `static int long${i}(struct device *dev, struct foo **b, int i)\n{\n${rows}\treturn 0;\n}\n`).join('')}`;

const pull = (uri: string) =>
  client!.connection.sendRequest(DocumentDiagnosticRequest.type, { textDocument: { uri } });

describe('while a document is analysed that takes long', () => {
  it('a cancellation is heard, and the next document answered', async () => {
    client = await startClient();
    client.open(URI, LONG);
    client.open('untitled:short.c', LEAKY);
    const source = new CancellationTokenSource();
    const long = client.connection.sendRequest(
      DocumentDiagnosticRequest.type,
      { textDocument: { uri: URI } },
      source.token,
    );
    const short = client.diagnostics('untitled:short.c');
    source.cancel();
    await expect(long).rejects.toMatchObject({ code: LSPErrorCodes.RequestCancelled });
    expect((await short).map((one) => one.code)).toEqual(['missing-put']);
  });

  it('a newer text is heard, and the answer is for that', async () => {
    client = await startClient();
    client.open(URI, LONG);
    const long = pull(URI);
    client.change(URI, 2, [{ text: LEAKY }]);
    await expect(long).rejects.toMatchObject({ code: LSPErrorCodes.ServerCancelled });
    expect((await client.diagnostics(URI)).map((one) => one.code)).toEqual(['missing-put']);
  });

  it('shutdown is answered before it', async () => {
    client = await startClient();
    client.open(URI, LONG);
    const order: string[] = [];
    const long = pull(URI).then(
      () => order.push('answered'),
      () => order.push('ended'),
    );
    await client.connection.sendRequest(ShutdownRequest.type).then(() => order.push('shutdown'));
    await long;
    expect(order).toContain('shutdown');
    expect(order).not.toContain('answered');
  });

  it('the process is gone when its input is closed', async () => {
    let begin = (): void => undefined;
    // The server says for which kernel it analyses before it does so.
    const begun = new Promise<void>((done) => {
      begin = done;
    });
    client = await startClient({
      prepare: (connection) =>
        void connection.onNotification('vfioLifecycle/status', () => begin()),
    });
    client.open(URI, LONG);
    let isAnswered = false;
    pull(URI).then(
      () => {
        isAnswered = true;
      },
      () => undefined,
    );
    const { process } = client;
    const gone = new Promise((done) => process.on('exit', done));
    await begun;
    process.stdin!.end();
    await gone;
    expect(isAnswered).toBe(false);
  });
});

it('a second initialize is an error, and the server goes on', async () => {
  client = await startClient();
  const again = client.connection.sendRequest(InitializeRequest.type, {
    processId: null,
    rootUri: null,
    capabilities: FULL,
  });
  await expect(again).rejects.toMatchObject({ code: ErrorCodes.InvalidRequest });
  client.open(URI, LEAKY);
  expect((await client.diagnostics(URI)).map((one) => one.code)).toEqual(['missing-put']);
});
