/** Which open texts are of C and mention VFIO: for menus, which belong to these alone. */
import * as vscode from 'vscode';
import { editMentionsVfio, mentionsVfio } from './gate.ts';

/** The key of menus: the URIs of the texts, for `resource in vfioLifecycle.drivers`. */
const key = 'vfioLifecycle.drivers';

/** Keeps the key. A text stays in it until it is closed. */
export function followDrivers(): vscode.Disposable {
  const drivers = new Map<string, vscode.Uri>();
  const tell = (): void => {
    // As URIs, not as text: the window of a remote knows its files by other names than we do.
    void vscode.commands.executeCommand('setContext', key, [...drivers.values()]);
  };
  const add = ({ uri }: vscode.TextDocument): void => {
    drivers.set(uri.toString(), uri);
    tell();
  };
  const look = (document: vscode.TextDocument): void => {
    if (document.languageId === 'c' && mentionsVfio(document.getText())) add(document);
  };
  vscode.workspace.textDocuments.forEach(look);
  return vscode.Disposable.from(
    vscode.workspace.onDidOpenTextDocument(look),
    vscode.workspace.onDidChangeTextDocument((event) => {
      const { document } = event;
      if (document.languageId !== 'c' || drivers.has(document.uri.toString())) return;
      if (editMentionsVfio(event)) add(document);
    }),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => {
      if (drivers.delete(uri.toString())) tell();
    }),
  );
}
