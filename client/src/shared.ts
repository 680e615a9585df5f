import * as vscode from 'vscode';
import { convertDriver } from './convert.ts';
import { editMentionsVfio, mentionsVfio } from './gate.ts';
import type { CreateClient, Session } from './session.ts';

/** What `activate` returns: for the project's own tests. */
export interface Api {
  /** The server that runs or is about to, undefined where nothing was started. Resolves to undefined when the start failed. */
  readonly session: Promise<Session | undefined> | undefined;
}

/**
 * Sets the extension up: commands, and a watch over C documents that starts the server with the first one that mentions VFIO.
 * Until then nothing is started and the language client is not even loaded.
 */
export function activate(context: vscode.ExtensionContext, createClient: CreateClient): Api {
  let session: Promise<Session | undefined> | undefined;
  let channel: vscode.LogOutputChannel | undefined;
  const output = (): vscode.LogOutputChannel => (channel ??= vscode.window.createOutputChannel('VFIO Lifecycle', { log: true }));

  const start = async (): Promise<Session | undefined> => {
    if (enabled() === 'off') return undefined;
    return session ??= open(createClient, context.extensionUri, output());
  };
  const stop = async (): Promise<void> => {
    const running = session;
    session = undefined;
    await (await running)?.stop();
  };
  const startIfWanted = (): void => {
    if (session === undefined && vscode.workspace.textDocuments.some(wantsServer)) void start();
  };

  context.subscriptions.push(
    { dispose: stop },
    { dispose: () => channel?.dispose() },
    vscode.workspace.onDidOpenTextDocument((document) => {
      if (session === undefined && wantsServer(document)) void start();
    }),
    vscode.workspace.onDidChangeTextDocument((event) => {
      if (session === undefined && isC(event.document) && enabled() === 'auto' && editMentionsVfio(event)) void start();
    }),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (!event.affectsConfiguration('vfioLifecycle.enable')) return;
      if (enabled() === 'off') await stop();
      else startIfWanted();
    }),
    vscode.commands.registerCommand('vfioLifecycle.restart', async () => {
      await stop();
      await start();
    }),
    vscode.commands.registerCommand('vfioLifecycle.showOutput', () => output().show()),
    vscode.commands.registerCommand('vfioLifecycle.convertDriver', async () => {
      const running = await start();
      if (running) await convertDriver(running.client);
    }),
  );
  startIfWanted();
  return { get session() { return session; } };
}

async function open(createClient: CreateClient, extension: vscode.Uri, output: vscode.LogOutputChannel): Promise<Session | undefined> {
  const { startSession } = await import('./session.ts');
  // The status item and the output channel have told the user by the time this rejects.
  return startSession(createClient, extension, output).catch(() => undefined);
}

function wantsServer(document: vscode.TextDocument): boolean {
  if (!isC(document)) return false;
  const setting = enabled();
  return setting === 'on' || (setting === 'auto' && mentionsVfio(document.getText()));
}

function isC(document: vscode.TextDocument): boolean {
  return document.languageId === 'c';
}

function enabled(): 'auto' | 'on' | 'off' {
  return vscode.workspace.getConfiguration('vfioLifecycle').get('enable', 'auto');
}
