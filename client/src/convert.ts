import * as vscode from 'vscode';

const kind = vscode.CodeActionKind.RefactorRewrite.append('vfio');

/** Enough for every action of a file: each is resolved, so that its edit or the reason against it is known. */
const resolveCount = 50;

/**
 * Offers the conversions of the active file: one is applied at once, of several the user picks, and where there is none the
 * status bar says why. The edit is one step to undo.
 */
export async function convertDriver(): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  if (document === undefined) return;
  const whole = new vscode.Range(0, 0, document.lineCount, 0);
  const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
    'vscode.executeCodeActionProvider', document.uri, whole, kind.value, resolveCount,
  );
  const possible = distinct(actions.filter((action) => action.disabled === undefined && action.edit !== undefined));
  const chosen = possible.length > 1 ? await pick(possible) : possible[0];
  if (chosen?.edit !== undefined) await vscode.workspace.applyEdit(chosen.edit);
  else if (possible.length === 0) say(actions.find((action) => action.disabled)?.disabled?.reason ?? 'nothing to convert in this file');
}

/** A device is offered once for each function that it goes through; its conversion is the same from each. */
function distinct(actions: readonly vscode.CodeAction[]): vscode.CodeAction[] {
  return [...new Map(actions.map((action) => [JSON.stringify(action.edit?.entries()), action])).values()];
}

async function pick(actions: readonly vscode.CodeAction[]): Promise<vscode.CodeAction | undefined> {
  const items = actions.map((action) => ({ label: action.title, action }));
  return (await vscode.window.showQuickPick(items))?.action;
}

function say(what: string): void {
  vscode.window.setStatusBarMessage(`VFIO Lifecycle: ${what}`, 10_000);
}
