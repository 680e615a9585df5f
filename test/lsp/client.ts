import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  createProtocolConnection,
  DidChangeTextDocumentNotification,
  DidCloseTextDocumentNotification,
  DidOpenTextDocumentNotification,
  DocumentDiagnosticRequest,
  ExitNotification,
  InitializedNotification,
  InitializeRequest,
  PublishDiagnosticsNotification,
  ShutdownRequest,
  StreamMessageReader,
  StreamMessageWriter,
  type ClientCapabilities,
  type Diagnostic,
  type DocumentDiagnosticReport,
  type InitializeResult,
  type ProtocolConnection,
  type PublishDiagnosticsParams,
} from 'vscode-languageserver-protocol/node';
import { afterAll, afterEach, expect } from 'vitest';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));

/** Everything that a modern client can do. */
export const FULL: ClientCapabilities = {
  textDocument: {
    diagnostic: { relatedDocumentSupport: false },
    publishDiagnostics: {
      relatedInformation: true,
      codeDescriptionSupport: true,
      tagSupport: { valueSet: [1, 2] },
      versionSupport: true,
    },
    hover: { contentFormat: ['markdown', 'plaintext'] },
    codeAction: {
      codeActionLiteralSupport: {
        codeActionKind: { valueSet: ['quickfix', 'refactor', 'source'] },
      },
      disabledSupport: true,
      isPreferredSupport: true,
      dataSupport: true,
      resolveSupport: { properties: ['edit'] },
    },
  },
  workspace: { workspaceEdit: { documentChanges: true }, diagnostics: { refreshSupport: true } },
};

/** A real server process and a client that speaks to it over stdio. */
export interface TestClient {
  readonly connection: ProtocolConnection;
  readonly result: InitializeResult;
  readonly process: ChildProcess;
  open(uri: string, text: string, version?: number): void;
  /** Whole text, or one range of it. */
  change(
    uri: string,
    version: number,
    changes: readonly (
      | { text: string }
      | {
          range: {
            start: { line: number; character: number };
            end: { line: number; character: number };
          };
          text: string;
        }
    )[],
  ): void;
  close(uri: string): void;
  pull(uri: string, previousResultId?: string): Promise<DocumentDiagnosticReport>;
  /** The items of a full report. */
  diagnostics(uri: string): Promise<Diagnostic[]>;
  /** The next push for a document that `accept` takes; pushes that came before the call count. */
  pushed(
    uri: string,
    accept?: (params: PublishDiagnosticsParams) => boolean,
  ): Promise<PublishDiagnosticsParams>;
  /** Shuts the server down and gives its exit status. */
  stop(): Promise<number | null>;
}

export interface ClientOptions {
  readonly capabilities?: ClientCapabilities;
  readonly initializationOptions?: unknown;
  readonly workspaceFolders?: readonly string[];
  /** The program and its arguments instead of dist/server.cjs --stdio. */
  readonly command?: readonly string[];
  /** Runs before the first message, to register handlers. */
  readonly prepare?: (connection: ProtocolConnection) => void;
}

export async function startClient(options: ClientOptions = {}): Promise<TestClient> {
  const child = spawn(
    process.execPath,
    [...(options.command ?? [`${DIST}server.cjs`, '--stdio'])],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const connection = createProtocolConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  const pushes: PublishDiagnosticsParams[] = [];
  let wake: () => void = () => undefined;
  connection.onNotification(PublishDiagnosticsNotification.type, (params) => {
    pushes.push(params);
    wake();
  });
  options.prepare?.(connection);
  connection.listen();
  // Without this a server that cannot start would be a test that hangs.
  const failed = new Promise<never>((_, reject) =>
    child.on('exit', (status) =>
      reject(new Error(`the server ended with status ${status} before it was initialised`)),
    ),
  );
  failed.catch(() => undefined);
  const folders = options.workspaceFolders?.map((uri) => ({ uri, name: uri })) ?? null;
  const result = await Promise.race([
    failed,
    connection.sendRequest(InitializeRequest.type, {
      processId: process.pid,
      rootUri: folders?.[0]?.uri ?? null,
      workspaceFolders: folders,
      capabilities: options.capabilities ?? FULL,
      // A test asks at once, unless it is about the waiting.
      initializationOptions:
        options.initializationOptions === null
          ? null
          : { waitWhileTyping: false, ...options.initializationOptions },
    }),
  ]);
  await connection.sendNotification(InitializedNotification.type, {});
  const exited = new Promise<number | null>((done) => child.on('exit', done));
  const pull = (uri: string, previousResultId?: string): Promise<DocumentDiagnosticReport> =>
    connection.sendRequest(DocumentDiagnosticRequest.type, {
      textDocument: { uri },
      ...(previousResultId !== undefined && { previousResultId }),
    });

  return {
    connection,
    result,
    process: child,
    pull,
    open: (uri, text, version = 1) =>
      void connection.sendNotification(DidOpenTextDocumentNotification.type, {
        textDocument: { uri, languageId: 'c', version, text },
      }),
    change: (uri, version, changes) =>
      void connection.sendNotification(DidChangeTextDocumentNotification.type, {
        textDocument: { uri, version },
        contentChanges: [...changes],
      }),
    close: (uri) =>
      void connection.sendNotification(DidCloseTextDocumentNotification.type, {
        textDocument: { uri },
      }),
    async diagnostics(uri) {
      const report = await pull(uri);
      if (report.kind !== 'full') throw new Error(`not a full report: ${JSON.stringify(report)}`);
      return report.items;
    },
    async pushed(uri, accept = () => true) {
      for (;;) {
        const found = pushes.findIndex((one) => one.uri === uri && accept(one));
        if (found >= 0) return pushes.splice(0, found + 1).at(-1)!;
        await new Promise<void>((done) => {
          wake = done;
        });
      }
    },
    async stop() {
      await connection.sendRequest(ShutdownRequest.type);
      await connection.sendNotification(ExitNotification.type);
      return exited;
    },
  };
}

/** Handlers belong to one test. */
export type SharedOptions = Omit<ClientOptions, 'prepare'>;

/**
 * Starts servers that the tests of a file share, one for each kind of client: for tests that only
 * open documents, ask and change them. What a test has opened is closed after it, and each server
 * has to outlive each test, and to end well after the last.
 */
export function sharedServers(): (options?: SharedOptions) => Promise<TestClient> {
  const servers = new Map<string, { client: TestClient; opened: Set<string> }>();
  afterEach(() => {
    for (const [kind, { client, opened }] of servers) {
      const { exitCode, signalCode } = client.process;
      // The tests behind this one get a new one: they are not to fail for it.
      if (exitCode !== null || signalCode !== null) servers.delete(kind);
      else for (const uri of opened) client.close(uri);
      expect([exitCode, signalCode], 'how the server ended').toEqual([null, null]);
      opened.clear();
    }
  });
  afterAll(async () => {
    for (const { client } of servers.values()) expect(await client.stop()).toBe(0);
  });
  return async (options = {}) => {
    const kind = JSON.stringify(options);
    const server = servers.get(kind) ?? { client: await startClient(options), opened: new Set() };
    servers.set(kind, server);
    const { client, opened } = server;
    return {
      ...client,
      open: (uri, text, version) => {
        opened.add(uri);
        client.open(uri, text, version);
      },
      close: (uri) => {
        opened.delete(uri);
        client.close(uri);
      },
    };
  };
}
