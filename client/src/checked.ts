/**
 * Findings of files that were checked without being open. The server publishes them; the editor
 * pulls those of a document that it shows, and then
 * these are left out, or each problem would be there twice.
 */
import * as vscode from 'vscode';
import type { BaseLanguageClient } from 'vscode-languageclient';

/** Writes findings where Problems reads them. */
type Show = (uri: vscode.Uri, diagnostics: vscode.Diagnostic[]) => void;

/** FileChangeType.Deleted of the protocol. */
const deleted = 3;

export interface CheckedFindings extends vscode.Disposable {
  /** New findings of a file from the server. */
  published(uri: vscode.Uri, diagnostics: vscode.Diagnostic[]): void;
  /** The findings of a document were pulled, and are about to be shown. */
  pulled(uri: vscode.Uri): void;
  /** Follows the tabs of the client that runs from now on, with no findings yet. */
  follow(client: BaseLanguageClient): void;
}

export function createCheckedFindings(): CheckedFindings {
  const found = new Map<
    string,
    { readonly uri: vscode.Uri; readonly diagnostics: vscode.Diagnostic[] }
  >();
  const pulled = new Set<string>();
  let show: Show = () => undefined;
  let running: BaseLanguageClient | undefined;
  let following: vscode.Disposable[] = [];
  let deletions: vscode.FileSystemWatcher | undefined;

  /** The editor does not show a file any more: what was found in it counts again. */
  const closed = (uri: vscode.Uri): void => {
    const key = uri.toString();
    const known = pulled.delete(key) ? found.get(key) : undefined;
    if (known !== undefined) show(known.uri, known.diagnostics);
  };
  /** VS Code tells of a folder that was deleted, not of the files in it. */
  const tellOfFolder = (uri: vscode.Uri): void => {
    const inside = `${uri.toString()}/`;
    if (running === undefined || ![...found.keys()].some((key) => key.startsWith(inside))) return;
    const change = { uri: running.code2ProtocolConverter.asUri(uri), type: deleted };
    void running.sendNotification('workspace/didChangeWatchedFiles', { changes: [change] });
  };
  const watchDeletions = (): void => {
    if (deletions !== undefined) return;
    deletions = vscode.workspace.createFileSystemWatcher('**/*', true, true, false);
    following.push(deletions, deletions.onDidDelete(tellOfFolder));
  };
  const stop = (): void => {
    vscode.Disposable.from(...following).dispose();
    following = [];
    deletions = undefined;
    found.clear();
    pulled.clear();
  };

  return {
    published(uri, diagnostics) {
      const key = uri.toString();
      if (diagnostics.length > 0) found.set(key, { uri, diagnostics });
      else found.delete(key);
      watchDeletions();
      show(uri, pulled.has(key) ? [] : diagnostics);
    },
    pulled(uri) {
      const key = uri.toString();
      if (pulled.has(key)) return;
      pulled.add(key);
      // The task's findings of closed files have the same owner: they go too.
      show(uri, []);
    },
    follow(client) {
      stop();
      running = client;
      show = (uri, diagnostics) => client.diagnostics?.set(uri, diagnostics);
      following = [
        client.visibleDocuments.onClose((uris) => uris.forEach(closed)),
        vscode.workspace.onDidCloseTextDocument(({ uri }) => closed(uri)),
      ];
    },
    dispose: stop,
  };
}
