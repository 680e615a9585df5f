/** Which open texts are of C and mention VFIO: for menus, which belong to these alone. */
import * as vscode from 'vscode';
import { editMentionsVfio, mentionsVfio } from './gate.ts';

/** The key of menus: the URIs of the texts, for `resource in vfioLifecycle.drivers`. */
const key = 'vfioLifecycle.drivers';

/**
 * So long after a part of a driver was deleted is looked whether it still is one, in milliseconds:
 * nobody opens a menu sooner.
 */
const pause = 300;

/** Keeps the key. */
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
  const remove = ({ uri }: vscode.TextDocument): void => {
    if (drivers.delete(uri.toString())) tell();
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const lookAgain = (document: vscode.TextDocument): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (!mentionsVfio(document.getText())) remove(document);
    }, pause);
  };
  vscode.workspace.textDocuments.forEach(look);
  return vscode.Disposable.from(
    vscode.workspace.onDidOpenTextDocument(look),
    vscode.workspace.onDidChangeTextDocument((event) => {
      const { document } = event;
      if (document.languageId !== 'c') return;
      if (!drivers.has(document.uri.toString())) {
        if (editMentionsVfio(event)) add(document);
      } else if (event.contentChanges.some(({ rangeLength }) => rangeLength > 0))
        lookAgain(document);
    }),
    vscode.workspace.onDidCloseTextDocument(remove),
    { dispose: () => clearTimeout(timer) },
  );
}
