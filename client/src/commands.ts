/** What the commands do. It is loaded when the first one is run. */
import * as vscode from 'vscode';
import type { BaseLanguageClient } from 'vscode-languageclient';
import { changedSources } from './check-changes.ts';
import { createWorkspaceCheck, type WorkspaceCheck } from './check-workspace.ts';
import type { CommandName } from './command-names.ts';
import { convertDriver, convertOffered, explainRefused, type ConversionData } from './convert.ts';
import { convertFolder } from './convert-folder.ts';
import { createDriver, type DriverChoice } from './create-driver.ts';
import { showDocumentation } from './documentation.ts';
import { openExample } from './example.ts';
import type { LifeCycleView } from './life-cycle/view.ts';
import { copyReport, pickKernel, reportIssue, showMenu } from './menu.ts';
import type { RefusedData } from './refusal.ts';
import { createReview, type Review } from './review.ts';
import { say } from './say.ts';
import { reportRuleAs } from './severity.ts';
import type { Running } from './shared.ts';
import { createWalk, walkFinding, type Walk } from './walk.ts';

/** The commands with all that they share. */
export interface Commands extends vscode.Disposable {
  run(name: CommandName, given: readonly unknown[]): unknown;
  /** Goes on with the view of a window that was loaded again. */
  restoreLifeCycle(panel: vscode.WebviewPanel, state: unknown): Promise<void>;
}

type Table<Name extends CommandName> = Readonly<Record<Name, (...given: never[]) => unknown>>;

/** What several commands use. */
interface Shared {
  readonly running: Running;
  readonly extension: vscode.Extension<unknown>;
  readonly review: Review;
  readonly check: WorkspaceCheck;
  readonly walk: Walk;
  /** A command that needs the server, which is started for it. */
  withClient<Given extends unknown[]>(
    does: (client: BaseLanguageClient, ...given: Given) => unknown,
  ): (...given: Given) => Promise<void>;
}

export function createCommands(context: vscode.ExtensionContext, running: Running): Commands {
  const shared: Shared = {
    running,
    extension: context.extension,
    review: createReview(() => running.output),
    check: createWorkspaceCheck(() => running.output),
    walk: createWalk(),
    withClient:
      (does) =>
      async (...given) => {
        const client = (await running.startOnDemand())?.client;
        if (client) await does(client, ...given);
      },
  };
  const { review, check, walk, withClient } = shared;
  let lifeCycle: LifeCycleView | undefined;
  /** The picture and what lays it out are loaded when somebody asks for it. */
  const loadLifeCycle = async (): Promise<LifeCycleView> => {
    const { createLifeCycleView } = await import('./life-cycle/view.ts');
    return (lifeCycle ??= createLifeCycleView(
      context.extensionUri,
      walk,
      async () => (await running.session)?.client,
    ));
  };
  const table: Table<CommandName> = {
    ...conversions(shared),
    ...checks(shared),
    ...walking(shared),
    ...help(shared),
    'vfioLifecycle.showLifeCycle': withClient(async (client) =>
      (await loadLifeCycle()).show(client),
    ),
  };
  return {
    run: (name, given) => (table[name] as (...all: readonly unknown[]) => unknown)(...given),
    restoreLifeCycle: async (panel, state) => (await loadLifeCycle()).restore(panel, state),
    dispose() {
      vscode.Disposable.from(review, check, walk).dispose();
      lifeCycle?.dispose();
    },
  };
}

function conversions({ running, review, withClient }: Shared) {
  return {
    'vfioLifecycle.convertDriver': withClient((client) =>
      convertDriver(client, running.output, review),
    ),
    'vfioLifecycle.convertAndFold': withClient((client) =>
      convertDriver(client, running.output, review, { does: 'offer', style: 'fold' }),
    ),
    'vfioLifecycle.previewConversion': withClient((client) =>
      convertDriver(client, running.output, review, { does: 'show' }),
    ),
    'vfioLifecycle.applyShownConversion': () => review.applyShown(),
    'vfioLifecycle.discardShownConversion': () => review.discardShown(),
    'vfioLifecycle.convertFolder': withClient((client, folder?: vscode.Uri) =>
      convertFolder(client, review, running.output, folder),
    ),
    'vfioLifecycle.applyConversion': withClient((client, data: ConversionData) =>
      convertOffered(client, data, running.output, review),
    ),
    'vfioLifecycle.explainRefusal': withClient((client, data: RefusedData) =>
      explainRefused(client, data, running.output, review),
    ),
    // The explorer gives the folder that its menu is of.
    'vfioLifecycle.createDriver': withClient((client, given?: Partial<DriverChoice> | vscode.Uri) =>
      createDriver(client, given instanceof vscode.Uri ? { folder: `${given}` } : given),
    ),
  };
}

function checks({ check, withClient }: Shared) {
  return {
    'vfioLifecycle.checkWorkspace': withClient((client) => check.run(client)),
    'vfioLifecycle.checkChanges': withClient(async (client) => {
      const uris = await changedSources();
      if (uris?.length === 0) say('no C file has changed');
      else if (uris) await check.run(client, uris);
    }),
    'vfioLifecycle.cancelCheck': () => check.cancel(),
    'vfioLifecycle.reportRuleAs': reportRuleAs,
  };
}

function walking({ walk }: Shared) {
  return {
    'vfioLifecycle.walkPath': (uri?: vscode.Uri, finding?: vscode.Diagnostic) =>
      walkFinding(walk, uri, finding),
    'vfioLifecycle.nextStep': () => walk.go(1),
    'vfioLifecycle.previousStep': () => walk.go(-1),
    'vfioLifecycle.endWalk': () => walk.end(),
  };
}

function help({ running, extension, check }: Shared) {
  const { extensionUri } = extension;
  return {
    'vfioLifecycle.showMenu': async () => showMenu(await running.session, check.isRunning()),
    'vfioLifecycle.pickKernel': async () => {
      const started = await running.startOnDemand();
      if (started?.client) await pickKernel(started.client, started.activeStatus());
    },
    'vfioLifecycle.copyReport': async () => {
      const { version } = extension.packageJSON as { readonly version: string };
      await copyReport(version, (await running.session)?.activeStatus());
    },
    'vfioLifecycle.reportIssue': async () =>
      reportIssue(extension, (await running.session)?.activeStatus()),
    'vfioLifecycle.showRules': () => showDocumentation(extensionUri, 'rules/README.md'),
    'vfioLifecycle.showDocumentation': (page: string) => showDocumentation(extensionUri, page),
    'vfioLifecycle.openExampleDriver': (file?: string) => openExample(extensionUri, file),
    'vfioLifecycle.showOutput': () => running.output.show(),
    'vfioLifecycle.restart': async () => {
      await running.stop();
      await running.startOnDemand();
    },
  };
}
