import { deepEqual, ok } from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { suiteSetup, suiteTeardown, teardown } from 'mocha';
import { chromium, type Locator, type Page } from 'playwright-core';
import * as vscode from 'vscode';
import type { Api } from '../../../client/src/shared.ts';

/** Only ends what hangs, in milliseconds: a machine that others use too may be slow. */
export const LIMIT = 120_000;

/**
 * Waits until `look` finds something. It polls, because the editor tells of few of its changes; it
 * fails after a generous time.
 */
export async function until<T>(
  what: string,
  look: () => T | undefined | Thenable<T | undefined>,
): Promise<NonNullable<T>> {
  const end = Date.now() + LIMIT;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== null && found !== false) return found;
    if (Date.now() > end) throw new Error(`timed out waiting for ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}

/** The extension under test, once VS Code has activated it by itself. */
export async function activated(): Promise<vscode.Extension<Api>> {
  return until('activation', () => {
    const extension = vscode.extensions.getExtension<Api>('vfio-lifecycle.vfio-lifecycle');
    return extension?.isActive ? extension : undefined;
  });
}

/**
 * Opens a file of the test's workspace in an editor. With `preview: false` it stays open when the
 * next is opened.
 */
export async function open(
  name: string,
  options: { readonly preview?: boolean } = {},
): Promise<vscode.TextDocument> {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  ok(folder, 'the suite runs in a folder');
  const document = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder.uri, name));
  await vscode.window.showTextDocument(document, options);
  return document;
}

/** Puts a document back to what is on disk. */
export async function revert(document: vscode.TextDocument): Promise<void> {
  await vscode.window.showTextDocument(document);
  await vscode.commands.executeCommand('workbench.action.files.revert');
}

/** The range of the first occurrence of a text. */
export function find(document: vscode.TextDocument, text: string): vscode.Range {
  const at = document.getText().indexOf(text);
  ok(at >= 0, `${document.fileName} has no ${text}`);
  return new vscode.Range(document.positionAt(at), document.positionAt(at + text.length));
}

/** A diagnostic's rule. */
export function rule(diagnostic: vscode.Diagnostic): unknown {
  return typeof diagnostic.code === 'object' ? diagnostic.code.value : diagnostic.code;
}

/**
 * Processes of the language server that this extension host started. Linux only; elsewhere there is
 * no such list without a tool.
 */
export function serverProcesses(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((id) => {
      try {
        const parent = /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1];
        return (
          Number(parent) === process.pid &&
          readFileSync(`/proc/${id}/cmdline`, 'utf8').includes('server.cjs')
        );
      } catch {
        return false; // It ended while we looked.
      }
    });
}

/**
 * The very window that this suite runs in, over the DevTools protocol: the port is a flag of VS
 * Code and of its stand-in.
 */
async function connectToWindow(): Promise<{ readonly page: Page; close(): Promise<void> }> {
  const browser = await chromium.connectOverCDP(
    `http://127.0.0.1:${process.env.HOST_SUITE_DEBUG_PORT}`,
    { timeout: LIMIT },
  );
  for (const page of browser.contexts().flatMap((context) => context.pages())) {
    if ((await page.locator('.monaco-workbench').count()) === 0) continue;
    page.setDefaultTimeout(LIMIT);
    return { page, close: () => browser.close() };
  }
  throw new Error('no page is the workbench');
}

/**
 * Connects a suite to the window that it runs in, from its first test to its last, and keeps a
 * picture of what a failed test saw last. Called in `suite`.
 */
export function inWindow(use: (page: Page) => void): void {
  let connection: Awaited<ReturnType<typeof connectToWindow>> | undefined;
  suiteSetup(async () => {
    connection = await connectToWindow();
    use(connection.page);
  });
  teardown(async function () {
    const { HOST_SUITE_SCREENSHOT: file } = process.env;
    if (this.currentTest?.state !== 'failed' || connection === undefined) return;
    // A picture stays on the machine that made it: the log has what the editor says, also what it
    // no longer shows.
    await vscode.commands.executeCommand('notifications.showList');
    const said = await connection.page.locator('.notifications-center, .statusbar').allInnerTexts();
    await vscode.commands.executeCommand('notifications.hideList');
    console.log(`the editor says: ${said.join(' ').replace(/\s+/g, ' ')}`);
    if (file !== undefined) await connection.page.screenshot({ path: file });
  });
  suiteTeardown(() => connection?.close());
}

/**
 * Takes the head of a function that stays on the screen away: it lies over the line, and over the
 * light bulb, that is scrolled to the top.
 */
export async function withoutStickyScroll(): Promise<void> {
  await vscode.workspace.getConfiguration('editor').update('stickyScroll.enabled', false);
}

/**
 * Clicks on the first call of a function, so that the cursor is there. The document is in the
 * active editor.
 */
export async function clickCall(
  page: Page,
  document: vscode.TextDocument,
  name: string,
): Promise<void> {
  const { start } = find(document, `${name}(`);
  const editor = vscode.window.activeTextEditor;
  ok(editor?.document === document, 'the document is in the active editor');
  editor.revealRange(new vscode.Range(start, start), vscode.TextEditorRevealType.InCenter);
  await page.locator('.view-line span').getByText(name, { exact: true }).last().click();
  await until('the cursor', () => editor.selection.active.line === start.line);
}

/**
 * Opens the menu of the light bulb of the line that the cursor is in, and gives its row with a text.
 * An editor that asks on its own is answered before all is planned, and asks again when it is: a
 * menu that was opened in between is opened again. The bulb is drawn in the text or in the margin,
 * and moves between them: the one that is not in use stays in the page, hidden.
 */
export async function openLightBulb(page: Page, text: string): Promise<Locator> {
  const rows = page.locator('.action-widget .monaco-list-row');
  const row = rows.filter({ hasText: text }).first();
  await until(`"${text}" in the light bulb`, async () => {
    // What a person does where no bulb is in sight is the key for it.
    await lightBulb(page)
      .click({ timeout: 10_000 })
      .catch(() => page.keyboard.press('Control+.'));
    await rows
      .first()
      .waitFor({ timeout: 10_000 })
      .catch(() => {}); // The menu was not opened.
    if ((await row.count()) > 0) return true;
    await page.keyboard.press('Escape');
    return false;
  });
  return row;
}

/** The light bulb that is in sight. */
function lightBulb(page: Page): Locator {
  return page
    .locator('.lightBulbWidget:visible, [class*="codicon-gutter-lightbulb"]:visible')
    .first();
}

/** The code actions of a kind at a place, with their edits. */
export async function codeActions(
  document: vscode.TextDocument,
  range: vscode.Range,
  kind: string,
): Promise<vscode.CodeAction[]> {
  return vscode.commands.executeCommand(
    'vscode.executeCodeActionProvider',
    document.uri,
    range,
    kind,
    50,
  );
}

/**
 * Runs the conversion command; where it asks which of several, its first answer, which moves
 * nothing, is taken. Resolves once `converted` is true.
 */
export async function convertDriver(
  converted: () => boolean | Promise<boolean>,
): Promise<{ readonly done: Thenable<unknown> }> {
  const done = vscode.commands.executeCommand('vfioLifecycle.convertDriver');
  await until('the conversion', async () => {
    await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
    return converted();
  });
  // A promise as the result would be waited for here.
  return { done };
}

/** The folder of the workspace. */
export function folder(): string {
  return vscode.workspace.workspaceFolders![0]!.uri.fsPath;
}

/** A file of the workspace. */
export function uriOf(name: string): vscode.Uri {
  return vscode.Uri.joinPath(vscode.workspace.workspaceFolders![0]!.uri, name);
}

/** The bytes of files under a folder, by their names. */
export function bytesOf(root: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(path.join(root, name), 'latin1')]),
  );
}

/**
 * Waits for the edit, which leaves its documents unsaved, and saves them: also those whose editor
 * VS Code has yet to open.
 */
export async function written(names: readonly string[]): Promise<void> {
  const documents = await Promise.all(
    names.map((name) => vscode.workspace.openTextDocument(uriOf(name))),
  );
  await until('the conversion', () => documents.every((document) => document.isDirty));
  for (const document of documents) ok(await document.save());
}

/** Puts the files back as they were, in the editors too, and takes away what lies over them. */
export async function restore(files: Readonly<Record<string, string>>): Promise<void> {
  await vscode.commands.executeCommand('notifications.clearAll');
  for (const [name, text] of Object.entries(files)) {
    const document = await vscode.workspace.openTextDocument(uriOf(name));
    const edit = new vscode.WorkspaceEdit();
    edit.replace(document.uri, new vscode.Range(0, 0, document.lineCount, 0), text);
    await vscode.workspace.applyEdit(edit);
    await document.save();
  }
  deepEqual(bytesOf(folder(), Object.keys(files)), files);
}

/** What the question before a conversion offers. */
export function answerRow(page: Page, name: string): Locator {
  return page.locator('.quick-input-widget .monaco-list-row:visible', { hasText: name }).first();
}

/**
 * Clicks on an answer until the question is gone: a list that is drawn again between the press and
 * the release of the button takes no click.
 */
export async function pickAnswer(page: Page, name: string): Promise<void> {
  const row = answerRow(page, name);
  await row.waitFor();
  await until(`an end of the question at "${name}"`, async () => {
    await row.click({ timeout: 5_000 }).catch(() => {}); // It went while it was looked for.
    const gone = row.waitFor({ state: 'hidden', timeout: 5_000 });
    return gone.then(
      () => true,
      () => undefined,
    );
  });
}
