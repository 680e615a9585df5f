/** One server and everything that lives as long as it does. */
import * as vscode from 'vscode';
import {
  CloseAction,
  ErrorAction,
  RevealOutputChannelOn,
  State,
  vsdiag,
} from 'vscode-languageclient';
import type {
  BaseLanguageClient,
  ErrorHandler,
  LanguageClientOptions,
} from 'vscode-languageclient';
import { createCheckedFindings } from './checked.ts';
import { APPLY_CONVERSION, EXPLAIN_REFUSAL, SHOW_LIFE_CYCLE } from './command-names.ts';
import { documentationActions, linkDocumentation } from './documentation.ts';
import { answerFileRequests, type RealPath } from './files.ts';
import { createOffers } from './offers.ts';
import { severityActions } from './severity.ts';
import { walkActions } from './walk.ts';
import { createStatus, type KernelStatus, type Status } from './status.ts';

/** Makes a language client for this host: a Node process or a web worker. */
export type CreateClient = (options: LanguageClientOptions) => Promise<BaseLanguageClient>;

/**
 * One server with everything that lives as long as it does, or what tells the user that there is
 * none.
 */
export interface Session {
  /** Undefined when the server could not start. */
  readonly client: BaseLanguageClient | undefined;
  /** What is known of the document in the active editor. */
  activeStatus(): KernelStatus | undefined;
  /** Ends the server and takes everything away; resolves when it is gone. Never rejects. */
  stop(): Promise<void>;
}

/**
 * A server that ends by itself more often than this in three minutes stays down until the user
 * restarts it.
 */
const restarts = 4;
const restartWindow = 3 * 60 * 1000;

/** Files that other files' analysis reads: a change of one is told to the server. */
const watched = '**/{*.[ch],*.mk,Makefile,GNUmakefile,Kbuild,dkms.conf,.vfio-lifecycle.json}';

/**
 * Starts a server. Never rejects: when it cannot start, the status item and the output channel say
 * why until the session is stopped.
 */
export async function startSession(
  createClient: CreateClient,
  extension: vscode.Uri,
  output: vscode.LogOutputChannel,
  realPath: RealPath | undefined,
): Promise<Session> {
  const selector = documentSelector();
  const status = createStatus(selector);
  const watcher = vscode.workspace.createFileSystemWatcher(watched);
  const offers = createOffers();
  const checked = createCheckedFindings();
  const owned: vscode.Disposable[] = [status, watcher, offers, checked];
  status.starting();
  try {
    const client: BaseLanguageClient = await createClient({
      documentSelector: selector,
      outputChannel: output,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      diagnosticPullOptions: { onChange: true, onFocus: true },
      synchronize: { fileEvents: watcher },
      initializationOptions: {
        fileRequests: true,
        hidesChecked: true,
        conversionCommand: APPLY_CONVERSION,
        refusalCommand: EXPLAIN_REFUSAL,
        lifeCycleCommand: SHOW_LIFE_CYCLE,
        docs: vscode.Uri.joinPath(extension, 'docs/rules').toString(),
      },
      middleware: {
        provideCodeActions: async (document, range, context, token, next) => {
          const actions = (await next(document, range, context, token)) ?? [];
          const isFix =
            context.only === undefined || context.only.contains(vscode.CodeActionKind.QuickFix);
          const { diagnostics } = context;
          const more = isFix
            ? [
                ...walkActions(document.uri, diagnostics),
                ...severityActions(document.uri, diagnostics),
                ...documentationActions(diagnostics),
              ]
            : [];
          return [...actions, ...more].map(offers.named);
        },
        provideDiagnostics: async (document, previousResultId, token, next) => {
          const report = await next(document, previousResultId, token);
          if (report?.kind === vsdiag.DocumentDiagnosticReportKind.full)
            report.items.forEach(linkDocumentation);
          const uri = document instanceof vscode.Uri ? document : document.uri;
          if (client.visibleDocuments.isVisible(uri)) checked.pulled(uri);
          return report;
        },
        handleDiagnostics: (uri, diagnostics) => {
          diagnostics.forEach(linkDocumentation);
          checked.published(uri, diagnostics);
        },
      },
      errorHandler: silentErrorHandler(status),
      initializationFailedHandler: () => false,
    });
    owned.push(
      answerFileRequests(client, realPath),
      client.onNotification('vfioLifecycle/status', (kernel: KernelStatus) =>
        status.running(kernel),
      ),
      client.onNotification(
        'vfioLifecycle/notice',
        (notice: { uri: string; text: string | null }) => status.notice(notice),
      ),
      client.onDidChangeState(({ newState }) => {
        if (newState === State.Starting) {
          status.starting();
          checked.follow(client);
        } else if (newState === State.Running) {
          status.started();
        }
      }),
    );
    await client.start();
    return { client, activeStatus: status.active, stop: () => stop(client, owned, output) };
  } catch (error) {
    output.error(String(error));
    status.failed('it could not start; see the output');
    return {
      client: undefined,
      activeStatus: status.active,
      stop: () => stop(undefined, owned, output),
    };
  }
}

async function stop(
  client: BaseLanguageClient | undefined,
  owned: readonly vscode.Disposable[],
  output: vscode.LogOutputChannel,
): Promise<void> {
  try {
    // A client that is about to start its server anew after a crash cannot be stopped before that
    // is done: it would go on unseen.
    if (client?.needsStop()) await client.start();
    await client?.dispose();
  } catch (error) {
    output.error(String(error));
  }
  for (const one of owned) one.dispose();
}

/**
 * C documents a person edits, on whatever file system. The old side of a diff (`git:` and the like)
 * is not one of them: it cannot be written.
 * VS Code takes a `.h` for C++ unless told otherwise; the server must know what is typed into a
 * header, or it would judge, and edit, what is saved.
 */
function documentSelector(): { language: string; scheme: string; pattern?: string }[] {
  const { fs, textDocuments, workspaceFolders = [] } = vscode.workspace;
  const open = textDocuments
    .map((document) => document.uri.scheme)
    .filter((scheme) => fs.isWritableFileSystem(scheme));
  const schemes = new Set([
    'file',
    'untitled',
    ...workspaceFolders.map((folder) => folder.uri.scheme),
    ...open,
  ]);
  return [...schemes].flatMap((scheme) => [
    { language: 'c', scheme },
    { language: 'cpp', scheme, pattern: '**/*.h' },
  ]);
}

/** The default handler tells of a lost server in a pop-up; this one tells in the status item. */
function silentErrorHandler(status: Status): ErrorHandler {
  let ends: number[] = [];
  return {
    error: () => ({ action: ErrorAction.Continue, handled: true }),
    closed() {
      const now = Date.now();
      ends = [...ends.filter((time) => now - time < restartWindow), now];
      if (ends.length <= restarts) return { action: CloseAction.Restart, handled: true };
      status.failed(`it ended ${ends.length} times in three minutes; see the output`);
      return { action: CloseAction.DoNotRestart, handled: true };
    },
  };
}
