/** Serves one client, in Node or in a web worker. */
import {
  CodeLensRefreshRequest,
  DidChangeConfigurationNotification,
  DidChangeWatchedFilesNotification,
  ErrorCodes,
  PositionEncodingKind,
  ResponseError,
  TextDocuments,
  TextDocumentSyncKind,
  type CancellationToken,
  type Connection,
  type InitializeParams,
  type InitializeResult,
} from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { createEngine } from '../engine/analyse.ts';
import { describeKernels } from '../engine/project/target.ts';
import { loadParser } from '../engine/pipeline.ts';
import { codeLenses, resolveCodeLens } from './code-lens.ts';
import { completion, COMPLETION_TRIGGERS, resolveCompletion } from './completion.ts';
import { documentLinks } from './document-links.ts';
import { inlayHints } from './inlay-hints.ts';
import { references } from './other-ends.ts';
import { signatureHelp, SIGNATURE_TRIGGERS } from './signature-help.ts';
import { readClient, type Client } from './client.ts';
import { codeActions, KINDS, resolveCodeAction } from './code-actions.ts';
import { COMMAND_NAMES, createCommands, executeCommand } from './commands.ts';
import { CONVERSION_REQUEST, wholeConversion, type ConversionData } from './conversion.ts';
import { PATCH_REQUEST, patchOf, type PatchRequest } from './patch.ts';
import { REFUSAL_REQUEST, refusalOf } from './refusal.ts';
import { createDiagnostics } from './diagnostics.ts';
import { clientFileSystem, type HostFiles } from './files.ts';
import { hover } from './hover.ts';
import { createMissingAnswers } from './missing.ts';
import { createSession } from './session.ts';
import { createWorkspaceCheck } from './workspace-check.ts';

/** What differs between a Node process and a web worker. */
export interface Host {
  /**
   * The bytes of the two wasm modules. Called once, while the client still waits for the answer to
   * its first message.
   */
  loadWasm(params: InitializeParams): Promise<{ runtime: Uint8Array; grammar: Uint8Array }>;
  /**
   * Files by URI when the client does not offer its own; undefined where only the client has any.
   */
  readonly files: HostFiles | undefined;
  /** A pause in which what has arrived is handled. */
  rest(): Promise<void>;
  /** The folder of the rule pages as a URI with a trailing slash. */
  readonly docs: string | undefined;
}

/** Serves one client on `connection` until it goes. */
export function startServer(connection: Connection, host: Host): void {
  const documents = new TextDocuments(TextDocument);
  let stop: () => void = () => undefined;
  let isInitialised = false;

  connection.onInitialize((params): InitializeResult => {
    if (isInitialised)
      throw new ResponseError(ErrorCodes.InvalidRequest, 'the server is initialised already');
    isInitialised = true;
    const client = readClient(params);
    // Not awaited: the client gets its answer while the parser compiles.
    const engine = host
      .loadWasm(params)
      .then(loadParser)
      .then((parser) => createEngine(parser));
    engine.catch((error: unknown) =>
      connection.console.error(`the parser could not be loaded: ${String(error)}`),
    );
    const files =
      client.fileRequests || !host.files
        ? clientFileSystem(connection, host.files?.mentioning)
        : host.files;
    const session = createSession(
      connection,
      client,
      documents,
      engine,
      files,
      host.docs,
      host.rest,
    );
    const check = createWorkspaceCheck(session);
    const diagnostics = createDiagnostics(session, (uri) => check.shows(uri));
    const missing = createMissingAnswers(session, diagnostics.comeAgain);
    stop = () => {
      check.stop();
      session.stop();
    };

    const tellReaders = (changed: string): void => {
      const readers = documents
        .all()
        .filter(({ uri }) => uri !== changed && session.reads(uri, changed));
      for (const { uri } of readers) diagnostics.push(uri);
      if (readers.length > 0) diagnostics.refreshSoon();
    };
    // An opened document counts as changed too.
    documents.onDidChangeContent(({ document: { uri } }) => {
      diagnostics.changed(uri);
      tellReaders(uri);
    });
    documents.onDidClose(({ document: { uri } }) => {
      session.closed(uri);
      diagnostics.closed(uri);
      check.closed(uri);
      tellReaders(uri);
    });
    connection.languages.diagnostics.on((request, token) => diagnostics.pull(request, token));
    connection.onHover((request, token) => hover(session, request, token));
    connection.onCompletion((request, token) => completion(session, request, token));
    connection.onCompletionResolve((item, token) => resolveCompletion(session, item, token));
    connection.onSignatureHelp((request, token) => signatureHelp(session, request, token));
    connection.onReferences((request, token) => references(session, request, token));
    connection.onDocumentLinks((request, token) => documentLinks(session, request, token));
    connection.languages.inlayHint.on((request, token) => inlayHints(session, request, token));
    connection.onCodeLens((request, token) => codeLenses(session, request, token));
    connection.onCodeLensResolve((lens, token) => resolveCodeLens(session, lens, token));
    connection.onCodeAction((request, token) => codeActions(session, missing, request, token));
    connection.onCodeActionResolve((request, token) => resolveCodeAction(session, request, token));
    connection.onRequest(
      CONVERSION_REQUEST,
      (data: Partial<ConversionData> | null, token: CancellationToken) =>
        wholeConversion(session, data, token),
    );
    connection.onRequest(PATCH_REQUEST, (data: PatchRequest | null) => patchOf(data));
    connection.onRequest(
      REFUSAL_REQUEST,
      (data: Partial<ConversionData> | null, token: CancellationToken) =>
        refusalOf(session, data, token),
    );
    const commands = createCommands(session, check);
    connection.onExecuteCommand((params, token, progress) =>
      executeCommand(commands, params, token, progress),
    );
    connection.onRequest('vfioLifecycle/kernels', async ({ uri }: { uri?: string }) => {
      const found = uri === undefined ? undefined : await session.foundKernel(uri);
      return {
        kernels: describeKernels(),
        ...(found && { found: { kernel: found.text, reason: found.reason } }),
      };
    });
    connection.onDidChangeWatchedFiles(({ changes }) => {
      const uris = changes.map((change) => change.uri);
      session.invalidate(uris);
      check.changed(uris);
      // A save of an open document tells nothing new.
      if (changes.some((change) => !documents.get(change.uri))) diagnostics.refresh();
    });
    connection.onDidChangeConfiguration(({ settings }) => {
      session.settingsChanged(settings);
      diagnostics.refresh();
      refreshShown(connection, client);
      check.settingsChanged();
    });
    connection.onInitialized(() =>
      afterInitialized(connection, client, (folders) => {
        session.setFolders(folders);
        diagnostics.refresh();
      }),
    );

    return {
      capabilities: {
        positionEncoding: PositionEncodingKind.UTF16,
        textDocumentSync: TextDocumentSyncKind.Incremental,
        hoverProvider: true,
        // VS Code's client would make a command of its own of it, which our client has already.
        ...(!client.fileRequests && {
          executeCommandProvider: { commands: [...COMMAND_NAMES], workDoneProgress: true },
        }),
        codeActionProvider: { codeActionKinds: KINDS, resolveProvider: client.resolveEdits },
        ...(client.completion && {
          completionProvider: {
            triggerCharacters: COMPLETION_TRIGGERS,
            resolveProvider: client.resolvesItems,
          },
        }),
        ...(client.signatureHelp && {
          signatureHelpProvider: { triggerCharacters: SIGNATURE_TRIGGERS },
        }),
        ...(client.references && { referencesProvider: true }),
        ...(client.documentLinks && { documentLinkProvider: { resolveProvider: false } }),
        ...(client.inlayHints && { inlayHintProvider: true }),
        ...(client.codeLens && { codeLensProvider: { resolveProvider: true } }),
        ...(client.pullDiagnostics && {
          diagnosticProvider: {
            identifier: 'vfio',
            interFileDependencies: true,
            workspaceDiagnostics: false,
          },
        }),
        workspace: {
          workspaceFolders: { supported: true, changeNotifications: client.workspaceFolders },
        },
      },
      serverInfo: { name: 'vfio-lifecycle' },
    };
  });
  connection.onShutdown(() => stop());
  documents.listen(connection);
  connection.listen();
}

/** Asks for what the settings show or hide. */
function refreshShown(connection: Connection, client: Client): void {
  const ignore = (): undefined => undefined;
  if (client.refreshInlayHints) void connection.languages.inlayHint.refresh().catch(ignore);
  if (client.refreshCodeLens)
    void connection.sendRequest(CodeLensRefreshRequest.type).catch(ignore);
}

function afterInitialized(
  connection: Connection,
  client: Client,
  setFolders: (folders: readonly string[]) => void,
): void {
  const ignore = (): undefined => undefined;
  if (client.watchConfiguration)
    void connection.client
      .register(DidChangeConfigurationNotification.type, { section: 'vfioLifecycle' })
      .catch(ignore);
  // Our own client, which is the one that answers file requests, watches by itself.
  if (client.watchFiles && !client.fileRequests) {
    const watchers = [
      { globPattern: '**/*.[ch]' },
      {
        globPattern: '**/{*.mk,Makefile,GNUmakefile,Kbuild,dkms.conf,.vfio-lifecycle.json}',
      },
    ];
    void connection.client
      .register(DidChangeWatchedFilesNotification.type, { watchers })
      .catch(ignore);
  }
  if (client.workspaceFolders) {
    connection.workspace.onDidChangeWorkspaceFolders(() => {
      void connection.workspace
        .getWorkspaceFolders()
        .then((folders) => setFolders((folders ?? []).map((folder) => folder.uri)), ignore);
    });
  }
}
