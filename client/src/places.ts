/** Places in files: as the output has them, and how a person is brought to them. */
import * as vscode from 'vscode';

/**
 * A file and a line, zero-based, in a form that the output makes a link of: of a path it does so
 * for files of the workspace, else it takes
 * an address.
 */
export function placeText(uri: vscode.Uri, line: number): string {
  const isPath = uri.scheme === 'file' && vscode.workspace.getWorkspaceFolder(uri) !== undefined;
  return isPath ? `${uri.fsPath}:${line + 1}` : `${uri.toString()}#${line + 1}`;
}

/**
 * Shows a place where its file is shown already, else in the first column. Undefined where the file
 * cannot be opened.
 */
export async function reveal(
  uri: vscode.Uri,
  range: vscode.Range,
  preserveFocus = false,
): Promise<vscode.TextEditor | undefined> {
  const shown = vscode.window.visibleTextEditors.find(
    ({ document }) => document.uri.toString() === uri.toString(),
  );
  try {
    // Its beginning alone: a long line would scroll to the side.
    const selection = new vscode.Range(range.start, range.start);
    const editor = await vscode.window.showTextDocument(uri, {
      viewColumn: shown?.viewColumn ?? vscode.ViewColumn.One,
      preserveFocus,
      selection,
    });
    editor.revealRange(selection, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    return editor;
  } catch {
    return undefined;
  }
}
