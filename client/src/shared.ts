/**
 * What the extension is before it has anything to do, in any host: the names of its commands, and
 * the watch that starts the server. All else is loaded when it is wanted.
 */
import * as vscode from 'vscode';
import { COMMANDS } from './command-names.ts';
import type { Commands } from './commands.ts';
import { followDrivers } from './drivers.ts';
import type { RealPath } from './files.ts';
import { editMentionsVfio, mentionsVfio } from './gate.ts';
import { LIFE_CYCLE_VIEW } from './life-cycle/name.ts';
import type { Parts } from './parts.ts';
import { say } from './say.ts';
import type { CreateClient, Session } from './session.ts';

/** What `activate` returns: for the project's own tests. */
export interface Api {
  /** The server that runs or is about to, undefined where nothing was started. */
  readonly session: Promise<Session> | undefined;
}

/** What differs from host to host. */
export interface Host {
  readonly parts: () => Promise<Parts>;
  readonly createClient: CreateClient;
  /** Where there is a disk. */
  readonly realPath?: RealPath;
}

/** The one server of the extension, and where it writes. */
export interface Running {
  /** Undefined where nothing was started. */
  readonly session: Promise<Session> | undefined;
  readonly output: vscode.LogOutputChannel;
  /** Undefined where the settings switch it off. */
  start(): Promise<Session | undefined>;
  /** The same for a command of the user's, which is not to do nothing without a word. */
  startOnDemand(): Promise<Session | undefined>;
  stop(): Promise<void>;
  dispose(): void;
}

/**
 * Sets the extension up: its commands, and a watch over C documents that starts the server with the
 * first one that mentions VFIO. Until then nothing is started and nothing else is even loaded.
 * Resolves with the watch: what is open is read only when the editor, which may be about to start
 * other extensions, has had its turn.
 */
export async function activate(context: vscode.ExtensionContext, host: Host): Promise<Api> {
  const running = createRunning(context, host);
  let loading: Promise<Commands> | undefined;
  const load = async (): Promise<Commands> => {
    const { createCommands } = await (await host.parts()).loadCommands();
    const commands = createCommands(context, running);
    context.subscriptions.push(commands);
    return commands;
  };
  const commands = (): Promise<Commands> => (loading ??= load());
  const registered = COMMANDS.map((name) =>
    vscode.commands.registerCommand(name, async (...given: unknown[]) =>
      (await commands()).run(name, given),
    ),
  );
  const view = vscode.window.registerWebviewPanelSerializer(LIFE_CYCLE_VIEW, {
    async deserializeWebviewPanel(panel, state) {
      await running.start();
      await (await commands()).restoreLifeCycle(panel, state);
    },
  });
  context.subscriptions.push(running, ...registered, view);
  await new Promise((resume) => {
    setTimeout(resume);
  });
  context.subscriptions.push(followDrivers(), startWhenWanted(running));
  return {
    get session() {
      return running.session;
    },
  };
}

function createRunning(
  { extension }: vscode.ExtensionContext,
  { parts, createClient, realPath }: Host,
): Running {
  let session: Promise<Session> | undefined;
  let ending: Promise<void> = Promise.resolve();
  let channel: vscode.LogOutputChannel | undefined;

  const open = async (output: vscode.LogOutputChannel): Promise<Session> => {
    const { startSession } = await (await parts()).loadSession();
    // One session at a time: the next waits for the end of the one before, whose status item has
    // the same name.
    await ending;
    const { version } = extension.packageJSON as { readonly version: string };
    output.info(`VFIO Lifecycle ${version} in ${vscode.env.appName} ${vscode.version}`);
    return startSession(createClient, extension.extensionUri, output, realPath);
  };
  const running: Running = {
    get session() {
      return session;
    },
    get output() {
      return (channel ??= vscode.window.createOutputChannel('VFIO Lifecycle', { log: true }));
    },
    async start() {
      if (enabled() === 'off') return undefined;
      void vscode.commands.executeCommand('setContext', 'vfioLifecycle.isRunning', true);
      return (session ??= open(running.output));
    },
    async startOnDemand() {
      const started = await running.start();
      if (started === undefined) say('switched off by the setting vfioLifecycle.enable');
      else if (started.client === undefined) say('the server could not start; see the output');
      return started;
    },
    stop() {
      const stopped = session;
      session = undefined;
      void vscode.commands.executeCommand('setContext', 'vfioLifecycle.isRunning', false);
      if (stopped !== undefined) ending = stopped.then((one) => one.stop());
      return ending;
    },
    dispose() {
      void running.stop().then(() => channel?.dispose());
    },
  };
  return running;
}

/** Starts the server where an open document, or what is typed into one, asks for it. */
function startWhenWanted(running: Running): vscode.Disposable {
  const startIfWanted = (): void => {
    if (running.session === undefined && vscode.workspace.textDocuments.some(wantsServer))
      void running.start();
  };
  startIfWanted();
  return vscode.Disposable.from(
    vscode.workspace.onDidOpenTextDocument((document) => {
      if (running.session === undefined && wantsServer(document)) void running.start();
    }),
    vscode.workspace.onDidChangeTextDocument((event) => {
      if (
        running.session === undefined &&
        isC(event.document) &&
        enabled() === 'auto' &&
        editMentionsVfio(event)
      )
        void running.start();
    }),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (!event.affectsConfiguration('vfioLifecycle.enable')) return;
      if (enabled() === 'off') await running.stop();
      else startIfWanted();
    }),
  );
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
