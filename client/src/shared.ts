/** Sets the extension up in any host: its commands, and the watch that starts the server. */
import * as vscode from 'vscode';
import {
  APPLY_CONVERSION,
  convertDriver,
  convertOffered,
  explainRefused,
  type ConversionData,
} from './convert.ts';
import { changedSources } from './check-changes.ts';
import { createWorkspaceCheck } from './check-workspace.ts';
import { convertFolder } from './convert-folder.ts';
import { createDriver, type DriverChoice } from './create-driver.ts';
import { SHOW_DOCUMENTATION, showDocumentation } from './documentation.ts';
import { followDrivers } from './drivers.ts';
import { OPEN_EXAMPLE, openExample } from './example.ts';
import { editMentionsVfio, mentionsVfio } from './gate.ts';
import { LIFE_CYCLE_VIEW, SHOW_LIFE_CYCLE } from './life-cycle/command.ts';
import type { LifeCycleView } from './life-cycle/view.ts';
import { copyReport, pickKernel, reportIssue, showMenu } from './menu.ts';
import { EXPLAIN_REFUSAL, type RefusedData } from './refusal.ts';
import { createReview } from './review.ts';
import { say } from './say.ts';
import { REPORT_AS, reportRuleAs } from './severity.ts';
import type { CreateClient, Session } from './session.ts';
import type { RealPath } from './files.ts';
import { createWalk } from './walk.ts';

/** What `activate` returns: for the project's own tests. */
export interface Api {
  /** The server that runs or is about to, undefined where nothing was started. */
  readonly session: Promise<Session> | undefined;
}

/**
 * Sets the extension up: commands, and a watch over C documents that starts the server with the
 * first one that mentions VFIO.
 * Until then nothing is started and the language client is not even loaded.
 * @param realPath where there is a disk.
 */
export function activate(
  context: vscode.ExtensionContext,
  createClient: CreateClient,
  realPath?: RealPath,
): Api {
  let session: Promise<Session> | undefined;
  let ending: Promise<void> = Promise.resolve();
  let channel: vscode.LogOutputChannel | undefined;
  const output = (): vscode.LogOutputChannel =>
    (channel ??= vscode.window.createOutputChannel('VFIO Lifecycle', { log: true }));

  const review = createReview(output);
  const check = createWorkspaceCheck(output);
  const walk = createWalk();
  let lifeCycle: LifeCycleView | undefined;

  const start = async (): Promise<Session | undefined> => {
    if (enabled() === 'off') return undefined;
    void vscode.commands.executeCommand('setContext', 'vfioLifecycle.isRunning', true);
    return (session ??= open(ending, { createClient, realPath }, context.extension, output()));
  };
  // One session at a time: the next waits for the end of the one before, whose status item has the
  // same name.
  const stop = (): Promise<void> => {
    const running = session;
    session = undefined;
    void vscode.commands.executeCommand('setContext', 'vfioLifecycle.isRunning', false);
    if (running !== undefined) ending = running.then((one) => one.stop());
    return ending;
  };
  /** For a command of the user's, which is not to do nothing without a word. */
  const startOnDemand = async (): Promise<Session | undefined> => {
    const running = await start();
    if (running === undefined) say('switched off by the setting vfioLifecycle.enable');
    else if (running.client === undefined) say('the server could not start; see the output');
    return running;
  };
  /** The picture and what lays it out are loaded when somebody asks for it. */
  const loadLifeCycle = async (): Promise<LifeCycleView> => {
    const { createLifeCycleView } = await import('./life-cycle/view.ts');
    return (lifeCycle ??= createLifeCycleView(
      context.extensionUri,
      walk,
      async () => (await session)?.client,
    ));
  };
  const showLifeCycle = async (): Promise<void> => {
    const client = (await startOnDemand())?.client;
    if (client) await (await loadLifeCycle()).show(client);
  };
  const startIfWanted = (): void => {
    if (session === undefined && vscode.workspace.textDocuments.some(wantsServer)) void start();
  };

  context.subscriptions.push(
    { dispose: stop },
    { dispose: () => channel?.dispose() },
    review,
    check,
    walk,
    { dispose: () => lifeCycle?.dispose() },
    followDrivers(),
    vscode.workspace.onDidOpenTextDocument((document) => {
      if (session === undefined && wantsServer(document)) void start();
    }),
    vscode.workspace.onDidChangeTextDocument((event) => {
      if (
        session === undefined &&
        isC(event.document) &&
        enabled() === 'auto' &&
        editMentionsVfio(event)
      )
        void start();
    }),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (!event.affectsConfiguration('vfioLifecycle.enable')) return;
      if (enabled() === 'off') await stop();
      else startIfWanted();
    }),
    vscode.commands.registerCommand('vfioLifecycle.restart', async () => {
      await stop();
      await startOnDemand();
    }),
    vscode.commands.registerCommand('vfioLifecycle.showMenu', async () =>
      showMenu(await session, check.isRunning()),
    ),
    vscode.commands.registerCommand('vfioLifecycle.pickKernel', async () => {
      const running = await startOnDemand();
      if (running?.client) await pickKernel(running.client, running.activeStatus());
    }),
    vscode.commands.registerCommand('vfioLifecycle.copyReport', async () => {
      const { version } = context.extension.packageJSON as { readonly version: string };
      await copyReport(version, (await session)?.activeStatus());
    }),
    vscode.commands.registerCommand('vfioLifecycle.reportIssue', async () =>
      reportIssue(context.extension, (await session)?.activeStatus()),
    ),
    vscode.commands.registerCommand('vfioLifecycle.showRules', () =>
      showDocumentation(context.extensionUri, 'rules/README.md'),
    ),
    vscode.commands.registerCommand('vfioLifecycle.showOutput', () => output().show()),
    vscode.commands.registerCommand(OPEN_EXAMPLE, (file?: string) =>
      openExample(context.extensionUri, file),
    ),
    vscode.commands.registerCommand(REPORT_AS, reportRuleAs),
    vscode.commands.registerCommand(SHOW_DOCUMENTATION, (page: string) =>
      showDocumentation(context.extensionUri, page),
    ),
    vscode.commands.registerCommand('vfioLifecycle.checkWorkspace', async () => {
      const client = (await startOnDemand())?.client;
      if (client) await check.run(client);
    }),
    vscode.commands.registerCommand('vfioLifecycle.checkChanges', async () => {
      const client = (await startOnDemand())?.client;
      const uris = client && (await changedSources());
      if (uris?.length === 0) say('no C file has changed');
      else if (uris) await check.run(client, uris);
    }),
    vscode.commands.registerCommand('vfioLifecycle.cancelCheck', () => check.cancel()),
    vscode.commands.registerCommand('vfioLifecycle.convertDriver', async () => {
      const client = (await startOnDemand())?.client;
      if (client) await convertDriver(client, output(), review);
    }),
    vscode.commands.registerCommand('vfioLifecycle.convertAndFold', async () => {
      const client = (await startOnDemand())?.client;
      if (client) await convertDriver(client, output(), review, { does: 'offer', style: 'fold' });
    }),
    vscode.commands.registerCommand('vfioLifecycle.previewConversion', async () => {
      const client = (await startOnDemand())?.client;
      if (client) await convertDriver(client, output(), review, { does: 'show' });
    }),
    vscode.commands.registerCommand('vfioLifecycle.convertFolder', async (folder?: vscode.Uri) => {
      const client = (await startOnDemand())?.client;
      if (client) await convertFolder(client, review, output(), folder);
    }),
    vscode.commands.registerCommand(
      'vfioLifecycle.createDriver',
      async (given?: Partial<DriverChoice>) => {
        const client = (await startOnDemand())?.client;
        if (client) await createDriver(client, given);
      },
    ),
    vscode.commands.registerCommand(SHOW_LIFE_CYCLE, showLifeCycle),
    vscode.window.registerWebviewPanelSerializer(LIFE_CYCLE_VIEW, {
      async deserializeWebviewPanel(panel, state) {
        await start();
        await (await loadLifeCycle()).restore(panel, state);
      },
    }),
    vscode.commands.registerCommand(APPLY_CONVERSION, async (data: ConversionData) => {
      const client = (await startOnDemand())?.client;
      if (client) await convertOffered(client, data, output(), review);
    }),
    vscode.commands.registerCommand(EXPLAIN_REFUSAL, async (data: RefusedData) => {
      const client = (await startOnDemand())?.client;
      if (client) await explainRefused(client, data, output(), review);
    }),
  );
  startIfWanted();
  return {
    get session() {
      return session;
    },
  };
}

interface Host {
  readonly createClient: CreateClient;
  readonly realPath: RealPath | undefined;
}

async function open(
  ending: Promise<void>,
  { createClient, realPath }: Host,
  extension: vscode.Extension<unknown>,
  output: vscode.LogOutputChannel,
): Promise<Session> {
  const { startSession } = await import('./session.ts');
  await ending;
  const { version } = extension.packageJSON as { readonly version: string };
  output.info(`VFIO Lifecycle ${version} in ${vscode.env.appName} ${vscode.version}`);
  return startSession(createClient, extension.extensionUri, output, realPath);
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
