/** A new driver, asked for by bus, name and kernel, and written into a folder of its own. */
import * as vscode from 'vscode';
import type { BaseLanguageClient } from 'vscode-languageclient';
import { say } from './say.ts';

const command = 'vfio-lifecycle.newDriver';
const title = 'Create Driver';

/** What a person chooses; what is given to the command is not asked for. */
export interface DriverChoice {
  readonly bus: string;
  readonly name: string;
  readonly kernel: string;
  /** The URI of the folder that the driver, or its folder, is made in. */
  readonly folder: string;
}

/** What the server answers when it is asked for nothing in particular. */
interface Choices {
  readonly busses: readonly {
    readonly id: string;
    readonly label: string;
    readonly detail: string;
  }[];
  readonly kernels: readonly string[];
}

type Driver =
  | {
      readonly module: string;
      readonly files: readonly { readonly name: string; readonly text: string }[];
    }
  | { readonly problem: string };

/** Asks for what is not given, writes the driver and opens it where it wants to be filled in. */
export async function createDriver(
  client: BaseLanguageClient,
  given: Partial<DriverChoice> = {},
): Promise<void> {
  const choice = await choose(client, given);
  if (choice === undefined) return;
  const driver = await ask<Driver>(client, choice);
  if ('problem' in driver) return say(`no driver was created: ${driver.problem}`);
  try {
    const target = await targetIn(vscode.Uri.parse(choice.folder), driver.module);
    await write(target, driver.files);
    await open(vscode.Uri.joinPath(target, driver.files[0]!.name));
    say(`created ${driver.files.map(({ name }) => name).join(', ')}`);
  } catch (error) {
    say(`no driver was created: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function ask<Answer>(client: BaseLanguageClient, request?: object): Promise<Answer> {
  const given = request === undefined ? [] : [request];
  return client.sendRequest<Answer>('workspace/executeCommand', { command, arguments: given });
}

/** Three questions in the place where VS Code asks, then the folder where none is open. */
async function choose(
  client: BaseLanguageClient,
  given: Partial<DriverChoice>,
): Promise<DriverChoice | undefined> {
  const { busses, kernels } = await ask<Choices>(client);
  const bus =
    given.bus ??
    (
      await vscode.window.showQuickPick(busses, {
        title: `${title} (1/3)`,
        placeHolder: 'What the device is',
      })
    )?.id;
  if (bus === undefined) return undefined;
  const name = given.name ?? (await askName(client, bus, kernels));
  if (name === undefined) return undefined;
  const kernel =
    given.kernel ??
    (await vscode.window.showQuickPick(kernels, {
      title: `${title} (3/3)`,
      placeHolder: 'The kernel that the driver is for',
    }));
  if (kernel === undefined) return undefined;
  const folder = given.folder ?? (await askFolder())?.toString();
  return folder === undefined ? undefined : { bus, name, kernel, folder };
}

/** The name, which the server judges while it is typed. */
async function askName(
  client: BaseLanguageClient,
  bus: string,
  kernels: readonly string[],
): Promise<string | undefined> {
  return vscode.window.showInputBox({
    title: `${title} (2/3)`,
    prompt: 'What the functions of the driver begin with, such as foo',
    validateInput: async (name) => {
      if (name === '') return undefined;
      const driver = await ask<Driver>(client, { bus, name, kernel: kernels[0] ?? '' });
      return 'problem' in driver ? driver.problem : undefined;
    },
  });
}

async function askFolder(): Promise<vscode.Uri | undefined> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  if (folders.length === 1) return folders[0]!.uri;
  if (folders.length > 1) return (await vscode.window.showWorkspaceFolderPick())?.uri;
  const chosen = await vscode.window.showOpenDialog({
    title: 'The folder for the driver',
    canSelectFiles: false,
    canSelectFolders: true,
    openLabel: 'Create Driver Here',
  });
  return chosen?.[0];
}

/** An empty folder is the driver's own; in another one it gets a folder. */
async function targetIn(folder: vscode.Uri, module: string): Promise<vscode.Uri> {
  const entries = await vscode.workspace.fs.readDirectory(folder);
  const isEmpty = entries.every(([name]) => name.startsWith('.'));
  if (isEmpty) return folder;
  if (entries.some(([name]) => name === module))
    throw new Error(`there is something of the name ${module} already`);
  const target = vscode.Uri.joinPath(folder, module);
  await vscode.workspace.fs.createDirectory(target);
  return target;
}

async function write(
  folder: vscode.Uri,
  files: readonly { readonly name: string; readonly text: string }[],
): Promise<void> {
  for (const { name, text } of files) {
    const uri = vscode.Uri.joinPath(folder, name);
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
  }
}

/** At the first line that a person has to change. */
async function open(source: vscode.Uri): Promise<void> {
  const document = await vscode.workspace.openTextDocument(source);
  const place = Math.max(0, document.getText().search(/0xffff|"vendor,|_REGION_SIZE\t/));
  const at = document.positionAt(place);
  const editor = await vscode.window.showTextDocument(document, { preview: false });
  editor.selection = new vscode.Selection(at, at);
  editor.revealRange(editor.selection, vscode.TextEditorRevealType.InCenter);
}
