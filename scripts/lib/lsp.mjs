// A small client of the language server over stdio, for the benchmarks and the random edits.
import { spawn } from 'node:child_process';
import rpc from 'vscode-jsonrpc/node';

/** What an editor with pull diagnostics and lazily resolved actions says of itself. */
const capabilities = {
  textDocument: {
    diagnostic: { relatedInformation: true, codeDescriptionSupport: true },
    hover: { contentFormat: ['markdown'] },
    codeAction: {
      codeActionLiteralSupport: { codeActionKind: { valueSet: [] } },
      resolveSupport: { properties: ['edit'] },
      dataSupport: true,
    },
  },
  workspace: { diagnostics: { refreshSupport: true } },
};

/**
 * Starts `server` (a path) with `--stdio`, or another `command` (a list), and waits until it is
 * initialized. `stop` ends it.
 */
export async function startServer(
  server,
  {
    rootUri = null,
    settings = {},
    command: [program, ...args] = [process.execPath, server, '--stdio'],
    folder,
    log = 'inherit',
    // What is measured and compared is all that is found, and not what an editor shows between keys.
    initializationOptions = { settings, waitWhileTyping: false },
  } = {},
) {
  const process_ = spawn(program, args, { stdio: ['pipe', 'pipe', log], cwd: folder });
  const connection = rpc.createMessageConnection(
    new rpc.StreamMessageReader(process_.stdout),
    new rpc.StreamMessageWriter(process_.stdin),
  );
  let refreshed = () => {};
  const pushed = new Map();
  connection.onRequest('workspace/diagnostic/refresh', () => refreshed());
  connection.onNotification('textDocument/publishDiagnostics', ({ uri, version }) => {
    const awaited = pushed.get(uri);
    if (awaited && (version ?? awaited.version) >= awaited.version) awaited.resolve();
  });
  connection.listen();
  const { capabilities: offered } = await connection.sendRequest('initialize', {
    processId: process.pid,
    rootUri,
    capabilities,
    initializationOptions,
    workspaceFolders: rootUri ? [{ uri: rootUri, name: 'workspace' }] : null,
  });
  await connection.sendNotification('initialized', {});
  const ended = new Promise((resolve) => {
    process_.once('exit', resolve);
  });
  return {
    pid: process_.pid,
    /** What the server says that it can do. */
    offered,
    open: (uri, text) =>
      connection.sendNotification('textDocument/didOpen', {
        textDocument: { uri, languageId: 'c', version: 1, text },
      }),
    change: (uri, version, contentChanges) =>
      connection.sendNotification('textDocument/didChange', {
        textDocument: { uri, version },
        contentChanges,
      }),
    close: (uri) => connection.sendNotification('textDocument/didClose', { textDocument: { uri } }),
    ask: (method, parameters) => connection.sendRequest(method, parameters),
    /** The server's next request that diagnostics be asked for again. */
    refreshed: () =>
      new Promise((resolve) => {
        refreshed = resolve;
      }),
    /** The diagnostics that the server pushes next for a document in this version or a later one. */
    pushed: (uri, version) =>
      new Promise((resolve) => {
        pushed.set(uri, { version, resolve });
      }),
    diagnostics: (uri) =>
      connection.sendRequest('textDocument/diagnostic', { textDocument: { uri } }),
    async stop() {
      await connection.sendRequest('shutdown');
      await connection.sendNotification('exit');
      await ended;
    },
  };
}
