import * as vscode from 'vscode';
import type { BaseLanguageClient, CodeAction, WorkspaceEdit } from 'vscode-languageclient';
import { say } from './say.ts';

const kind = 'refactor.rewrite.vfio';

/**
 * Offers the conversions of the active file: one is applied at once, of several the user picks, and where there is none the
 * output says why, because a reason is longer than the status bar. The edit is one step to undo, over all the files that it changes; VS Code previews it when a part of it wants to be
 * confirmed. The server is asked directly, because the editor's own command for code actions drops what the edits are for.
 */
export async function convertDriver(client: BaseLanguageClient, output: vscode.LogOutputChannel): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  if (document === undefined) return;
  const whole = client.code2ProtocolConverter.asRange(new vscode.Range(0, 0, document.lineCount, 0));
  const textDocument = client.code2ProtocolConverter.asTextDocumentIdentifier(document);
  const offered = await client.sendRequest<CodeAction[] | null>('textDocument/codeAction', { textDocument, range: whole, context: { diagnostics: [], only: [kind] } }) ?? [];
  const actions = await Promise.all(offered.map((action) => resolved(client, action)));
  const possible = distinct(actions.filter((action) => action.disabled === undefined && action.edit !== undefined));
  const chosen = possible.length > 1 ? await pick(possible) : possible[0];
  if (chosen?.edit !== undefined) await apply(client, chosen.edit);
  else if (possible.length === 0) refuse(actions, output);
}

/** Tells why nothing was converted, without taking the focus from the text. */
function refuse(actions: readonly CodeAction[], output: vscode.LogOutputChannel): void {
  const reasons = new Set(actions.flatMap((action) => action.disabled?.reason ?? []));
  if (reasons.size === 0) return say('nothing to convert in this file');
  say('not converted; the output says why');
  for (const reason of reasons) output.info(`not converted: ${reason}`);
  output.show(true);
}

/** The action with its edit, or with the reason why it cannot be done after all. */
async function resolved(client: BaseLanguageClient, action: CodeAction): Promise<CodeAction> {
  if (action.disabled !== undefined || action.edit !== undefined) return action;
  try {
    return await client.sendRequest<CodeAction>('codeAction/resolve', action);
  } catch (error) {
    return { ...action, disabled: { reason: error instanceof Error ? error.message : String(error) } };
  }
}

async function apply(client: BaseLanguageClient, edit: WorkspaceEdit): Promise<void> {
  await vscode.workspace.applyEdit(await client.protocol2CodeConverter.asWorkspaceEdit(edit));
}

/** A device is offered once for each function that it goes through; its conversion is the same from each. */
function distinct(actions: readonly CodeAction[]): CodeAction[] {
  return [...new Map(actions.map((action) => [JSON.stringify(action.edit), action])).values()];
}

async function pick(actions: readonly CodeAction[]): Promise<CodeAction | undefined> {
  // What tells the styles of one conversion apart comes last in their titles, where the box would cut it off.
  const items = actions.map((action) => {
    const [label = '', ...more] = action.title.split(', ');
    return { label, detail: more.join(', '), action };
  });
  return (await vscode.window.showQuickPick(items))?.action;
}
