/** Every command as a person runs it: by its title in the palette, and what is to be seen then. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { suite, suiteSetup, suiteTeardown, test } from 'mocha';
import type { Locator, Page } from 'playwright-core';
import * as vscode from 'vscode';
import {
  activated,
  answerRow,
  find,
  inWindow,
  leaveQuestion,
  open,
  pickAnswer,
  rule,
  runByTitle,
  until,
} from './support.ts';

interface Contribution {
  readonly command: string;
  readonly title: string;
}

/** Those that are there only while something goes on. */
const whileIt = new Set([
  'Cancel the Check of the Workspace',
  'Next Step of the Path',
  'Previous Step of the Path',
  'End the Walk',
  'Apply the Whole Conversion',
  'Discard the Conversion',
]);

/** Those that need a driver in the active editor. */
const ofDriver = new Set([
  'Convert This Driver',
  'Convert This Driver and Fold',
  'Preview Conversion',
  'Show Life Cycle',
  'Walk the Path of a Finding',
]);

suite('the palette', () => {
  let page: Page;
  const widget = (): Locator => page.locator('.quick-input-widget');
  const titles = (): string[] => {
    const { contributes } = vscode.extensions.getExtension('vfio-lifecycle.vfio-lifecycle')!
      .packageJSON as { contributes: { commands: Contribution[] } };
    return contributes.commands.map(({ title }) => title);
  };

  inWindow((connected) => {
    page = connected;
  });
  suiteSetup(() => vscode.commands.executeCommand('workbench.action.closeAllEditors'));
  suiteTeardown(async () => {
    await vscode.commands.executeCommand('notifications.clearAll');
    await vscode.commands.executeCommand('workbench.action.closePanel');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  const run = (title: string): Promise<void> => runByTitle(page, title);

  /** Which titles of ours the palette offers: all that the arrow comes to. */
  async function offered(): Promise<string[]> {
    await page.keyboard.press('F1');
    await widget().waitFor();
    await page.keyboard.type('VFIO Lifecycle: ');
    // The lists of questions that were asked before are still there, out of sight.
    const focused = page
      .locator('.quick-input-widget .monaco-list-row.focused .label-name:visible')
      .first();
    await focused.filter({ hasText: 'VFIO Lifecycle: ' }).waitFor();
    // It has blanks that do not break.
    const read = async (): Promise<string> => (await focused.innerText()).replace(/\s+/g, ' ');
    const found = new Set<string>();
    for (;;) {
      const label = await read();
      if (!label.startsWith('VFIO Lifecycle: ') || found.has(label)) break;
      found.add(label);
      await page.keyboard.press('ArrowDown');
      await until('the next row', async () => (await read()) !== label);
    }
    await page.keyboard.press('Escape');
    return [...found].map((label) => label.slice('VFIO Lifecycle: '.length)).sort();
  }

  async function mistakes(): Promise<vscode.TextDocument> {
    const document = await open('mistakes.c', { preview: false });
    await until(
      'the mistakes',
      () => vscode.languages.getDiagnostics(document.uri).map(rule).length === 3,
    );
    return document;
  }

  const statusBar = (text: string | RegExp): Promise<void> =>
    page.locator('.statusbar-item', { hasText: text }).first().waitFor();
  const caretLine = (): number | undefined => vscode.window.activeTextEditor?.selection.active.line;

  /** The differences, with what a person answers in the title of the editor. */
  async function isShown(answer: string): Promise<void> {
    await page.locator('.tab', { hasText: 'Conversion of old_model.c' }).waitFor();
    await page.getByRole('button', { name: answer }).first().waitFor();
  }

  test('offers what can be done, with a driver and without', async () => {
    deepEqual(
      await offered(),
      titles()
        .filter((title) => !whileIt.has(title) && !ofDriver.has(title))
        .sort(),
    );
    await mistakes();
    deepEqual(
      await offered(),
      titles()
        .filter((title) => !whileIt.has(title))
        .sort(),
    );
  });

  test('Walk the Path of a Finding, and its steps, which are there until the end', async () => {
    const document = await mistakes();
    const finding = vscode.languages
      .getDiagnostics(document.uri)
      .find((one) => rule(one) === 'missing-put')!;
    const lines = finding.relatedInformation!.map(({ location }) => location.range.start.line);
    vscode.window.activeTextEditor!.selection = new vscode.Selection(
      finding.range.start,
      finding.range.start,
    );
    await run('Walk the Path of a Finding');
    await statusBar('1 of 3');
    await run('Next Step of the Path');
    await statusBar('2 of 3');
    equal(caretLine(), lines[1]);
    await run('Previous Step of the Path');
    await statusBar('1 of 3');
    equal(caretLine(), lines[0]);
    await run('End the Walk');
    await page.locator('.statusbar-item', { hasText: '1 of 3' }).waitFor({ state: 'detached' });
  });

  test('Walk the Path of a Finding asks which, where the caret is at none', async () => {
    const document = await mistakes();
    vscode.window.activeTextEditor!.selection = new vscode.Selection(0, 0, 0, 0);
    await run('Walk the Path of a Finding');
    await answerRow(page, 'null-check-on-alloc').waitFor();
    await pickAnswer(page, 'missing-put');
    await statusBar('1 of 3');
    equal(caretLine(), find(document, 'vfio_alloc_device(').start.line);
    await run('End the Walk');
  });

  test('Convert This Driver and Fold, and Apply the Whole Conversion', async () => {
    const document = await open('old_model.c', { preview: false });
    const before = document.getText();
    await run('Convert This Driver and Fold');
    await pickAnswer(page, 'Show Changes');
    await isShown('Apply the Whole Conversion');
    await run('Apply the Whole Conversion');
    await until('the conversion', () => document.getText().includes('.init'));
    await vscode.commands.executeCommand('notifications.clearAll');
    await vscode.window.showTextDocument(document);
    await vscode.commands.executeCommand('undo');
    equal(document.getText(), before);
  });

  test('Discard the Conversion', async () => {
    const document = await open('old_model.c', { preview: false });
    const before = document.getText();
    await run('Preview Conversion');
    await pickAnswer(page, 'vfio_alloc_device');
    await isShown('Discard the Conversion');
    await run('Discard the Conversion');
    await page
      .locator('.tab', { hasText: 'Conversion of old_model.c' })
      .waitFor({ state: 'detached' });
    equal(document.getText(), before);
  });

  test('Show Output, Documentation of the Rules and Options…', async () => {
    await run('Show Output');
    await page
      .locator('.part.panel .output-view-container, .part.panel .pane-body')
      .first()
      .waitFor();
    await vscode.commands.executeCommand('workbench.action.closePanel');
    await run('Documentation of the Rules');
    await page.locator('.tab', { hasText: 'README.md' }).first().waitFor();
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
    await run('Options…');
    await answerRow(page, 'Target Kernel…').waitFor();
    await leaveQuestion(page, answerRow(page, 'Target Kernel…'));
  });

  test('Copy Report for a Bug', async () => {
    await mistakes();
    await vscode.env.clipboard.writeText('');
    await run('Copy Report for a Bug');
    await statusBar('the report is on the clipboard');
    match(await vscode.env.clipboard.readText(), /^file: mistakes\.c$/m);
  });

  test('Report Issue…, where it is opened as a page', async () => {
    await mistakes();
    await vscode.env.clipboard.writeText('');
    await run('Report Issue…');
    // A window under test asks nothing before it opens a page.
    await statusBar('to be pasted into the issue');
    const report = await vscode.env.clipboard.readText();
    match(report, /^file: mistakes\.c$/m);
    match(report, /^- line \d+: .* \[missing-put\]$/m);
  });

  test('Restart Server', async () => {
    const session = (await activated()).exports.session;
    await run('Restart Server');
    await until('another server', async () => {
      const now = (await activated()).exports.session;
      return now !== undefined && now !== session && (await now).client?.isRunning();
    });
    ok(await mistakes());
  });
});
