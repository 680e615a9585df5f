import * as vscode from 'vscode';
import type { BaseLanguageClient } from 'vscode-languageclient';

/** Answers the server's questions about files, so that it reads a virtual workspace and a local disk in the same way. */
export function answerFileRequests(client: BaseLanguageClient): vscode.Disposable {
  return vscode.Disposable.from(
    client.onRequest('vfioLifecycle/readFile', async ({ uri }: { uri: string }) => ({ text: await readFile(uri) })),
    client.onRequest('vfioLifecycle/readDirectory', async ({ uri }: { uri: string }) => ({ entries: await readDirectory(uri) })),
  );
}

/** The text of a file, or null where there is none that can be read. */
async function readFile(uri: string): Promise<string | null> {
  try {
    return new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.parse(uri)));
  } catch {
    return null;
  }
}

/** The names in a folder, folders with a trailing slash; none where it cannot be read. */
async function readDirectory(uri: string): Promise<string[]> {
  try {
    const entries = await vscode.workspace.fs.readDirectory(vscode.Uri.parse(uri));
    // The type is a set of bits: a link to a folder is a folder too.
    return entries.map(([name, type]) => (type & vscode.FileType.Directory ? `${name}/` : name));
  } catch {
    return [];
  }
}
