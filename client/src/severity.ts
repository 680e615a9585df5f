/**
 * How a rule is reported, as the settings file of the tree says it: `.vfio-lifecycle.json`, which
 * the command line reads too.
 */
import * as vscode from 'vscode';
import { REPORT_AS } from './command-names.ts';
import { ruleOf } from './documentation.ts';
import { say } from './say.ts';
import { withSeverity } from './settings-text.ts';

const fileName = '.vfio-lifecycle.json';
const severities = ['error', 'warning', 'information', 'hint', 'off'] as const;

/** An action for each rule that the diagnostics name. */
export function severityActions(
  uri: vscode.Uri,
  diagnostics: readonly vscode.Diagnostic[],
): vscode.CodeAction[] {
  const rules = new Set(diagnostics.map(ruleOf).filter((rule) => rule !== undefined));
  return [...rules].map((rule) => {
    const title = `Report ${rule} as…`;
    const action = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
    action.command = { title, command: REPORT_AS, arguments: [rule, uri.toString()] };
    return action;
  });
}

/**
 * Asks for a severity and writes it into the nearest settings file, or a new one at the root of the
 * workspace folder.
 */
export async function reportRuleAs(rule: string, uri: string): Promise<void> {
  const document = vscode.Uri.parse(uri);
  const file = await nearest(document);
  const shown = vscode.workspace.asRelativePath(file.uri);
  const title = `Report ${rule} as`;
  const picked = await vscode.window.showQuickPick([...severities], {
    title,
    placeHolder: `for all who use ${shown}`,
  });
  if (picked === undefined) return;
  const text = withSeverity(file.text, rule, picked);
  if (text === undefined) {
    await vscode.window.showTextDocument(file.uri);
    return say(`${shown} is no JSON object: correct it first`);
  }
  await write(file, text);
  say(`${rule} is reported as ${picked}: ${shown}`);
}

interface SettingsFile {
  readonly uri: vscode.Uri;
  /** Undefined where there is none yet. */
  readonly text: string | undefined;
}

/**
 * The file that counts for a document: in its folder or above it up to the root, where it would be
 * made.
 */
async function nearest(document: vscode.Uri): Promise<SettingsFile> {
  const root =
    vscode.workspace.getWorkspaceFolder(document)?.uri ?? vscode.Uri.joinPath(document, '..');
  for (
    let folder = vscode.Uri.joinPath(document, '..');
    folder.path.length >= root.path.length;
    folder = vscode.Uri.joinPath(folder, '..')
  ) {
    const uri = vscode.Uri.joinPath(folder, fileName);
    const text = await read(uri);
    if (text !== undefined) return { uri, text };
    if (folder.path === root.path || folder.path === '/') break;
  }
  return { uri: vscode.Uri.joinPath(root, fileName), text: undefined };
}

/** What an editor has of a file counts before what is saved. */
async function read(uri: vscode.Uri): Promise<string | undefined> {
  try {
    await vscode.workspace.fs.stat(uri);
    return (await vscode.workspace.openTextDocument(uri)).getText();
  } catch {
    return undefined;
  }
}

async function write({ uri, text }: SettingsFile, after: string): Promise<void> {
  if (text === undefined) {
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(after));
    return;
  }
  const document = await vscode.workspace.openTextDocument(uri);
  const edit = new vscode.WorkspaceEdit();
  edit.replace(uri, new vscode.Range(0, 0, document.lineCount, 0), after);
  await vscode.workspace.applyEdit(edit);
  await document.save();
}
