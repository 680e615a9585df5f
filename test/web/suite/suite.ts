/// <reference path="./globals.d.ts" />
// The web extension, used as a person would on the web: diagnostics, hover and a conversion over
// two files of a virtual file system.
import * as vscode from 'vscode';
import { createMemoryFiles } from './memory-files.ts';

/** Only ends what hangs, in milliseconds. */
const limit = 60_000;

/**
 * Called by VS Code in the web worker of extensions. The workspace is the suite's own file system,
 * so that it is there from the start.
 */
export function activate(context: vscode.ExtensionContext): void {
  context.subscriptions.push(
    vscode.workspace.registerFileSystemProvider('suite', createMemoryFiles(SUITE_FILES)),
  );
  void run();
}

async function run(): Promise<void> {
  await check('shows the three mistakes of the example', async () => {
    const document = await open('/mistakes.c');
    const rules = () =>
      vscode.languages
        .getDiagnostics(document.uri)
        .map(({ code }) => (typeof code === 'object' ? code.value : code))
        .sort()
        .join();
    await until('the mistakes', () => rules() === 'missing-put,null-check-on-alloc,use-after-put');
  });

  await check('tells of a function on hover', async () => {
    const document = await open('/mistakes.c');
    const place = document.positionAt(document.getText().indexOf('vfio_alloc_device('));
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
      'vscode.executeHoverProvider',
      document.uri,
      place,
    );
    const text = hovers
      .flatMap((hover) => hover.contents)
      .map((content) => (typeof content === 'string' ? content : content.value))
      .join('\n');
    if (!text.includes('vfio_alloc_device'))
      throw new Error(`the hover is ${JSON.stringify(text)}`);
  });

  await check('draws the life cycle beside the driver', async () => {
    await open('/mistakes.c');
    await vscode.commands.executeCommand('vfioLifecycle.showLifeCycle');
    const tabs = () => vscode.window.tabGroups.all.flatMap((group) => group.tabs);
    const isDrawn = () => tabs().some(({ label }) => label === 'Life Cycle of lamp_driver');
    await until('the picture', isDrawn);
    await vscode.window.tabGroups.close(tabs().filter(({ label }) => /^Life Cycle/.test(label)));
  });

  await check('converts a driver of two files as the command line does', async () => {
    await open('/dock/dock_main.c');
    const documents = await Promise.all(
      Object.keys(SUITE_CONVERTED).map((path) => vscode.workspace.openTextDocument(uriOf(path))),
    );
    const done = vscode.commands.executeCommand('vfioLifecycle.convertDriver');
    // It asks before it changes several files: the first answer is to do it.
    await until('the conversion', async () => {
      await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
      return documents.every(
        (document) => document.getText() === SUITE_CONVERTED[document.uri.path],
      );
    });
    await done;
  });

  await check('converts the drivers of a folder, which it finds without a search', async () => {
    const document = await open('/old_model.c');
    const done = vscode.commands.executeCommand('vfioLifecycle.convertFolder', uriOf('/'));
    // All that can be converted are chosen, and the first answer is to write them.
    await until('the conversion', async () => {
      await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
      return document.getText().includes('vfio_alloc_device');
    });
    await done;
  });

  await check('writes a new driver', async () => {
    const folder = uriOf('/').toString();
    const given = { bus: 'pci', name: 'kiln', kernel: '6.12', folder };
    await vscode.commands.executeCommand('vfioLifecycle.createDriver', given);
    const shown = vscode.window.activeTextEditor?.document.uri.path;
    if (shown !== '/kiln_vfio_pci/kiln_vfio_pci.c') throw new Error(`${shown} is shown`);
  });

  await check('opens the example driver, which travels with it', async () => {
    await vscode.commands.executeCommand('vfioLifecycle.openExampleDriver', 'mistakes.c');
    const example = vscode.window.activeTextEditor?.document;
    if (example?.isUntitled !== true) throw new Error(`${example?.uri.toString()} is shown`);
    await until('the mistakes', () => vscode.languages.getDiagnostics(example.uri).length === 3);
  });

  await report({ done: true });
}

async function check(name: string, test: () => Promise<void>): Promise<void> {
  try {
    await test();
    await report({ name });
  } catch (error) {
    await report({ name, problem: error instanceof Error ? error.message : String(error) });
  }
}

/** A result, or the end. */
async function report(result: {
  readonly name?: string;
  readonly problem?: string;
  readonly done?: boolean;
}): Promise<void> {
  await fetch(SUITE_RESULTS, { method: 'POST', body: JSON.stringify(result) });
}

function uriOf(path: string): vscode.Uri {
  return vscode.Uri.from({ scheme: 'suite', path });
}

async function open(path: string): Promise<vscode.TextDocument> {
  const document = await vscode.workspace.openTextDocument(uriOf(path));
  await vscode.window.showTextDocument(document);
  return document;
}

/** The editor tells of few of its changes, so this polls. */
async function until(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + limit;
  while (!(await look())) {
    if (Date.now() > end) throw new Error(`no sign of ${what}`);
    await new Promise((resume) => {
      setTimeout(resume, 100);
    });
  }
}
