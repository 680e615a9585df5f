/**
 * The example drivers of the package, opened as texts of a person's own: files of the package
 * cannot be written.
 */
import * as vscode from 'vscode';
import { say } from './say.ts';

interface Example extends vscode.QuickPickItem {
  readonly file: string;
  /** What the caret is put on. */
  readonly place: string;
}

const examples: readonly Example[] = [
  {
    file: 'mistakes.c',
    place: '!lamp',
    label: 'A driver with three mistakes',
    detail: 'mistakes.c: follow the path to each of them',
  },
  {
    file: 'old_model.c',
    place: 'vfio_init_group_dev',
    label: 'A driver of the old model',
    detail: 'old_model.c: convert it to vfio_alloc_device()',
  },
];

/**
 * Opens an example as an untitled text, which belongs to no folder and to no module: it can be
 * changed, converted and thrown away.
 */
export async function openExample(extension: vscode.Uri, file?: string): Promise<void> {
  const wanted =
    examples.find((one) => one.file === file) ??
    (await vscode.window.showQuickPick(examples, { title: 'Open Example Driver' }));
  if (wanted === undefined) return;
  try {
    const source = vscode.Uri.joinPath(extension, 'examples/driver', wanted.file);
    await show(wanted, new TextDecoder().decode(await vscode.workspace.fs.readFile(source)));
  } catch (error) {
    say(`the example cannot be opened: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/**
 * Shows the text from the start also where it is open and was changed: undo brings the changes
 * back.
 */
async function show({ file, place }: Example, text: string): Promise<void> {
  const document = await openUntitled(file, text);
  if (document.getText() !== text) {
    const edit = new vscode.WorkspaceEdit();
    edit.replace(document.uri, new vscode.Range(0, 0, document.lineCount, 0), text);
    await vscode.workspace.applyEdit(edit);
  }
  const at = document.positionAt(text.indexOf(place));
  const editor = await vscode.window.showTextDocument(document, { preview: false });
  editor.selection = new vscode.Selection(at, at);
  editor.revealRange(editor.selection, vscode.TextEditorRevealType.InCenter);
}

/** By its name, or by VS Code's where a file of that name is at the root of the file system. */
async function openUntitled(file: string, content: string): Promise<vscode.TextDocument> {
  try {
    return await vscode.workspace.openTextDocument(
      vscode.Uri.from({ scheme: 'untitled', path: file }),
    );
  } catch {
    return vscode.workspace.openTextDocument({ language: 'c', content });
  }
}
