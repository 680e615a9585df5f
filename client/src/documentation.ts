/** The page of a rule, shown as a page and not as the text that it is made from. */
import * as vscode from 'vscode';

/** The command that shows the page of the rule it is given. */
export const SHOW_DOCUMENTATION = 'vfioLifecycle.showDocumentation';

/** The source of our diagnostics. */
const source = 'vfio';

/** Shows the page of a rule beside the code, or as text where this VS Code cannot show Markdown. */
export async function showDocumentation(extension: vscode.Uri, rule: string): Promise<void> {
  const page = vscode.Uri.joinPath(extension, 'docs/rules', `${rule}.md`);
  try {
    await vscode.commands.executeCommand('markdown.showPreviewToSide', page);
  } catch {
    // The extension that shows it can be switched off.
    await vscode.commands.executeCommand('vscode.open', page);
  }
}

/** Lets the rule that a diagnostic names lead to the rule's page. */
export function linkDocumentation(diagnostic: vscode.Diagnostic): void {
  const rule = ruleOf(diagnostic);
  if (rule === undefined || typeof diagnostic.code !== 'object') return;
  const target = vscode.Uri.from({ scheme: 'command', path: SHOW_DOCUMENTATION, query: JSON.stringify([rule]) });
  diagnostic.code = { ...diagnostic.code, target };
}

/** An action for each rule that the diagnostics name. */
export function documentationActions(diagnostics: readonly vscode.Diagnostic[]): vscode.CodeAction[] {
  const rules = new Set(diagnostics.map(ruleOf).filter((rule) => rule !== undefined));
  return [...rules].map((rule) => {
    const title = `Show documentation of ${rule}`;
    const action = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
    action.command = { title, command: SHOW_DOCUMENTATION, arguments: [rule] };
    action.diagnostics = diagnostics.filter((diagnostic) => ruleOf(diagnostic) === rule);
    return action;
  });
}

function ruleOf({ source: from, code }: vscode.Diagnostic): string | undefined {
  if (from !== source || code === undefined) return undefined;
  return String(typeof code === 'object' ? code.value : code);
}
