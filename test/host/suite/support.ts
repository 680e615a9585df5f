import { deepEqual, ok } from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setup, suiteSetup, suiteTeardown, teardown } from 'mocha';
import { chromium, type Locator, type Page } from 'playwright-core';
import * as vscode from 'vscode';
import type { Api } from '../../../client/src/shared.ts';

/** Only ends what hangs, in milliseconds: a machine that others use too may be slow. */
export const LIMIT = 120_000;

/** How long a press may take to show, in milliseconds, before it is made again. */
const PATIENCE = 10_000;

/** What a press is for, and whether it is there. */
type Happened = () => boolean | Promise<boolean>;

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
    await pause();
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 50);
  });
}

/** Whether something happens in the time that is given to it. */
async function comesSoon(happened: Happened, patience = PATIENCE): Promise<boolean> {
  const end = Date.now() + patience;
  while (!(await happened())) {
    if (Date.now() > end) return false;
    await pause();
  }
  return true;
}

/**
 * Presses until what it is for has happened. A slow editor loses presses: it draws a list again
 * between the press and the release of a button, or what is pressed has nobody yet who listens.
 */
export async function pressUntil(
  what: string,
  happened: Happened,
  press: () => Thenable<unknown>,
): Promise<void> {
  await until(what, async () => {
    if (await happened()) return true;
    try {
      await press();
    } catch {
      // It went while it was looked for.
    }
    return comesSoon(happened);
  });
}

/** Clicks until what it is for has happened. */
export function clickUntil(what: string, target: Locator, happened: Happened): Promise<void> {
  return pressUntil(what, happened, () => target.click({ timeout: PATIENCE }));
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
 * Connects a suite to the window that it runs in, from its first test to its last. A test that failed
 * leaves a picture of what it saw last, and all is put back, so that it may run once more: what a
 * person does can go wrong on a busy machine. Called in `suite`.
 */
export function inWindow(
  use: (page: Page) => void,
  { retries = 1 }: { readonly retries?: number } = {},
): void {
  let connection: Awaited<ReturnType<typeof connectToWindow>> | undefined;
  let before: ReadonlyMap<string, string | undefined> = new Map();
  suiteSetup(async function () {
    for (const test of this.test?.parent?.tests ?? []) test.retries(retries);
    connection = await connectToWindow();
    use(connection.page);
  });
  setup(() => {
    before = contentsOf(folder());
  });
  teardown(async function () {
    // A test that is to run again has not failed yet.
    if (this.currentTest?.isPassed() !== false || connection === undefined) return;
    try {
      await tellWhatIsSeen(connection.page);
      await putBack(connection.page, before);
    } catch (error) {
      // A hook that throws ends its suite, and hides what failed.
      console.log(`the window is not as it was: ${String(error)}`);
    }
  });
  suiteTeardown(() => connection?.close());
}

/**
 * A picture stays on the machine that made it: the log has what the editor says, also what it no
 * longer shows.
 */
async function tellWhatIsSeen(page: Page): Promise<void> {
  const { HOST_SUITE_SCREENSHOT: file } = process.env;
  if (file !== undefined) await page.screenshot({ path: file, timeout: PATIENCE });
  const asked = await page.locator('.quick-input-widget:visible').allInnerTexts();
  await vscode.commands.executeCommand('notifications.showList');
  const said = await page.locator('.notifications-center, .statusbar').allInnerTexts();
  await vscode.commands.executeCommand('notifications.hideList');
  console.log(`the editor says: ${[...said, ...asked].join(' ').replace(/\s+/g, ' ')}`);
}

/** All that is under a folder, by its names: files with their bytes, folders with nothing. */
function contentsOf(root: string): Map<string, string | undefined> {
  const names = readdirSync(root, { recursive: true }).map(String);
  return new Map(
    names.map((name) => {
      const file = path.join(root, name);
      const isFile = statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
      return [name, isFile ? readFileSync(file, 'latin1') : undefined];
    }),
  );
}

/** Leaves what a test left open, and puts the files of the workspace back to what they were. */
async function putBack(page: Page, before: ReadonlyMap<string, string | undefined>): Promise<void> {
  for (let i = 0; i < 3; i++) await page.keyboard.press('Escape');
  for (const command of [
    'workbench.action.closeQuickOpen',
    'workbench.action.closePanel',
    'notifications.clearAll',
    'vfioLifecycle.discardShownConversion',
    'vfioLifecycle.endWalk',
  ])
    await vscode.commands.executeCommand(command);
  const now = contentsOf(folder());
  for (const name of now.keys())
    if (!before.has(name)) rmSync(path.join(folder(), name), { recursive: true, force: true });
  for (const [name, bytes] of before) {
    const file = path.join(folder(), name);
    if (bytes === undefined) mkdirSync(file, { recursive: true });
    else if (now.get(name) !== bytes) writeFileSync(file, bytes, 'latin1');
  }
  for (const document of vscode.workspace.textDocuments) {
    const name = path.relative(folder(), document.fileName);
    if (document.isDirty && before.has(name)) await revert(document);
  }
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
  const call = page.locator('.view-line span').getByText(name, { exact: true }).last();
  const editor = (): vscode.TextEditor | undefined => {
    const active = vscode.window.activeTextEditor;
    return active?.document === document ? active : undefined;
  };
  ok(editor(), 'the document is in the active editor');
  await pressUntil(
    'the cursor',
    () => editor()?.selection.active.line === start.line,
    async () => {
      editor()?.revealRange(new vscode.Range(start, start), vscode.TextEditorRevealType.InCenter);
      await call.click({ timeout: PATIENCE });
    },
  );
}

/** The rows of the menu of the light bulb. */
function menuRows(page: Page): Locator {
  return page.locator('.action-widget .monaco-list-row');
}

/**
 * Opens the menu of the light bulb of the line that the cursor is in, and gives its row with a text.
 * An editor that asks on its own is answered before all is planned, and asks again when it is: a
 * menu that was opened in between is opened again.
 */
export async function openLightBulb(page: Page, text: string): Promise<Locator> {
  const row = menuRows(page).filter({ hasText: text }).first();
  await until(`"${text}" in the light bulb`, async () => {
    await pressLightBulb(page);
    if (await row.isVisible()) return true;
    await leaveMenu(page);
    return false;
  });
  return row;
}

/**
 * Takes a row of the menu of the light bulb until what it is for has happened: a menu that is drawn
 * again takes no click, and one that loses the focus is gone. What was taken has more time than a
 * press, because it is not to be taken twice: a conversion is proved first.
 */
export async function takeFromLightBulb(
  page: Page,
  text: string,
  happened: Happened,
): Promise<void> {
  const row = menuRows(page).filter({ hasText: text }).first();
  const isGone = async (): Promise<boolean> => !(await row.isVisible());
  await until(`what "${text}" of the light bulb does`, async () => {
    if (await happened()) return true;
    if (await isGone()) {
      await pressLightBulb(page);
      if (await isGone()) {
        await leaveMenu(page);
        return false;
      }
    }
    await row.click({ timeout: PATIENCE }).catch(() => {}); // It went while it was looked for.
    return (await comesSoon(isGone)) && comesSoon(happened, LIMIT / 3);
  });
}

/**
 * Presses the light bulb once, and waits for its menu. The bulb is drawn in the text or in the
 * margin, and moves between them: the one that is not in use stays in the page, hidden.
 */
async function pressLightBulb(page: Page): Promise<void> {
  await lightBulb(page)
    .click({ timeout: PATIENCE })
    .catch(async () => {
      // What a person does where no bulb is in sight is the key for it, in the editor.
      await vscode.commands.executeCommand('workbench.action.focusActiveEditorGroup');
      await page.keyboard.press('Control+.');
    });
  await menuRows(page)
    .first()
    .waitFor({ timeout: PATIENCE })
    .catch(() => {}); // The menu was not opened.
}

/** Leaves the menu of the light bulb. Where there is none, the key would end something else. */
async function leaveMenu(page: Page): Promise<void> {
  if (await menuRows(page).first().isVisible()) await page.keyboard.press('Escape');
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

/** What a question offers. */
export function answerRow(page: Page, name: string): Locator {
  return page.locator('.quick-input-widget .monaco-list-row:visible', { hasText: name }).first();
}

/** The line of a question that takes text. */
export function questionBox(page: Page): Locator {
  return page.locator('.quick-input-widget .quick-input-box input:visible').first();
}

/**
 * Clicks on an answer until the question is gone: a list that is drawn again between the press and
 * the release of the button takes no click.
 */
export async function pickAnswer(page: Page, name: string): Promise<void> {
  const row = answerRow(page, name);
  await row.waitFor();
  await clickUntil(
    `an end of the question at "${name}"`,
    row,
    async () => !(await row.isVisible()),
  );
}

/** Writes into a question, in place of what is there. */
export async function writeAnswer(page: Page, text: string): Promise<void> {
  const box = questionBox(page);
  await pressUntil(
    `"${text}" in the question`,
    async () => (await box.isVisible()) && (await box.inputValue()) === text,
    () => box.fill(text, { timeout: PATIENCE }),
  );
}

/** Presses a key in a question until what it is for has happened: the focus may be elsewhere. */
export function pressInQuestion(page: Page, key: string, happened: Happened): Promise<void> {
  return pressUntil(`what ${key} is for`, happened, () =>
    questionBox(page).press(key, { timeout: PATIENCE }),
  );
}

/** Leaves the question that offers something. */
export function leaveQuestion(page: Page, row: Locator): Promise<void> {
  return pressInQuestion(page, 'Escape', async () => !(await row.isVisible()));
}

/**
 * Runs a command of ours by its title in the palette. An editor that opens late takes the focus,
 * which ends a palette.
 */
export async function runByTitle(page: Page, title: string): Promise<void> {
  const text = `VFIO Lifecycle: ${title}`;
  const row = page
    .locator('.quick-input-widget .monaco-list-row.focused')
    .filter({ has: page.getByText(text, { exact: true }) });
  await pressUntil(
    `"${title}" in the palette`,
    () => row.isVisible(),
    async () => {
      await page.keyboard.press('F1');
      await questionBox(page).fill(`>${text}`, { timeout: PATIENCE });
    },
  );
  await pressInQuestion(page, 'Enter', async () => !(await row.isVisible()));
}

/**
 * Runs the conversion command and picks a style, where there are several, until what it is for has
 * happened. An editor that opens late ends the list of styles: then the command is run again.
 */
export async function askToConvert(page: Page, style: string, happened: Happened): Promise<void> {
  const row = answerRow(page, style);
  let isRunning = false;
  const end = (): void => {
    isRunning = false;
  };
  await until('the conversion', async () => {
    if (await happened()) return true;
    // The question that comes next has rows with the same text.
    if ((await row.isVisible()) && !(await happened())) {
      await row.click({ timeout: PATIENCE }).catch(() => {}); // It went while it was looked for.
      await comesSoon(async () => (await happened()) || !(await row.isVisible()));
    } else if (!isRunning) {
      isRunning = true;
      vscode.commands.executeCommand('vfioLifecycle.convertDriver').then(end, end);
    }
    return false;
  });
}

/** Opens the problems by their key, until one of them is there. */
export function openProblems(page: Page, text: string): Promise<void> {
  const row = page.locator('.markers-panel .monaco-list-row', { hasText: text }).first();
  return pressUntil(
    `${text} in the problems`,
    () => row.isVisible(),
    () => page.keyboard.press('Control+Shift+M'),
  );
}

/** Whether a tab with such a label is open. */
export function hasTab(label: string): boolean {
  return vscode.window.tabGroups.all
    .flatMap((group) => group.tabs)
    .some((tab) => tab.label === label);
}
