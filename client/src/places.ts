/** Places in files as the output has them. */
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
