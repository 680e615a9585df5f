/**
 * The pages of rules and of what else there is to read, shown as pages and not as the text that
 * they are made from.
 */
import * as vscode from 'vscode';
import { SHOW_DOCUMENTATION } from './command-names.ts';

/** The source of our diagnostics. */
const source = 'vfio';

/**
 * Shows a page beside the code, at a heading where one is named, or as text where this VS Code
 * cannot show Markdown.
 */
export async function showDocumentation(extension: vscode.Uri, page: string): Promise<void> {
  const [path = '', fragment = ''] = page.split('#');
  const uri = vscode.Uri.joinPath(extension, 'docs', path).with({ fragment });
  try {
    await vscode.commands.executeCommand('markdown.showPreviewToSide', uri);
  } catch {
    // The extension that shows it can be switched off.
    await vscode.commands.executeCommand('vscode.open', uri);
  }
}

/** What a link to a page is where only an address can be. */
export function documentationLink(page: string): vscode.Uri {
  return vscode.Uri.from({
    scheme: 'command',
    path: SHOW_DOCUMENTATION,
    query: JSON.stringify([page]),
  });
}

/** Lets the rule that a diagnostic names lead to the rule's page. */
export function linkDocumentation(diagnostic: vscode.Diagnostic): void {
  const rule = ruleOf(diagnostic);
  if (rule === undefined || typeof diagnostic.code !== 'object') return;
  diagnostic.code = { ...diagnostic.code, target: documentationLink(pageOf(rule)) };
}

/** An action for each rule that the diagnostics name. */
export function documentationActions(
  diagnostics: readonly vscode.Diagnostic[],
): vscode.CodeAction[] {
  const rules = new Set(diagnostics.map(ruleOf).filter((rule) => rule !== undefined));
  return [...rules].map((rule) => {
    const title = `Show documentation of ${rule}`;
    const action = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
    action.command = { title, command: SHOW_DOCUMENTATION, arguments: [pageOf(rule)] };
    action.diagnostics = diagnostics.filter((diagnostic) => ruleOf(diagnostic) === rule);
    return action;
  });
}

function pageOf(rule: string): string {
  return `rules/${rule}.md`;
}

/** The rule of a diagnostic of ours; undefined for those of others. */
export function ruleOf({ source: from, code }: vscode.Diagnostic): string | undefined {
  if (from !== source || code === undefined) return undefined;
  return String(typeof code === 'object' ? code.value : code);
}
