/** What a person has to look at after a conversion stands at its lines. */
import { deepEqual, ok } from 'node:assert/strict';
import path from 'node:path';
import { suite, suiteSetup, test } from 'mocha';
import type { Page } from 'playwright-core';
import * as vscode from 'vscode';
import {
  answerRow,
  askToConvert,
  bytesOf,
  clickUntil,
  find,
  folder,
  inWindow,
  open,
  openLightBulb,
  pickAnswer,
  restore,
  rule,
  until,
  uriOf,
  withoutStickyScroll,
  written,
} from './support.ts';

/** A note as `line text: message`. */
async function notesIn(name: string): Promise<string[]> {
  const document = await vscode.workspace.openTextDocument(uriOf(name));
  const own = vscode.languages
    .getDiagnostics(document.uri)
    .filter((one) => one.source === 'VFIO Lifecycle');
  return own.map(({ range, message }) => `${document.getText(range)}: ${message}`);
}

suite('the notes of a conversion', () => {
  let page: Page;

  inWindow((connected) => {
    page = connected;
  });
  suiteSetup(withoutStickyScroll);

  test('of several files: one message, and a finding at its line that moves with it and goes when it is edited', async () => {
    const files = ['dock/dock_main.c', 'dock/dock_dev.c', 'dock/dock.h'];
    const before = bytesOf(folder(), files);
    await convert('dock/dock_main.c', 'minimal');
    await written(files);
    await vscode.commands.executeCommand('notifications.showList');
    await page
      .locator('.notifications-center .notification-list-item', {
        hasText: 'Converted 3 files; 2 things to look at',
      })
      .waitFor();

    const header = await open('dock/dock.h', { preview: false });
    const expected = [
      'struct dock {: `vdev` is now the first member of struct dock: its layout changes for everything that uses it.',
    ];
    deepEqual(await notesIn('dock/dock.h'), expected);
    const [finding] = vscode.languages.getDiagnostics(header.uri);
    ok(finding?.severity === vscode.DiagnosticSeverity.Information);
    deepEqual(rule(finding), 'conversion-note');
    await edit(header, new vscode.Position(0, 0), '/* one */\n/* two */\n');
    deepEqual(await notesIn('dock/dock.h'), expected);
    await edit(header, find(header, 'struct dock {').end, ' /* seen */');
    deepEqual(await notesIn('dock/dock.h'), []);
    await restore(before);
  });

  test('are listed with links, go one by one, and with the conversion when it is undone', async () => {
    const before = bytesOf(folder(), ['old_model.c']);
    await convert('old_model.c', 'fold');
    const document = vscode.window.activeTextEditor!.document;
    const all = await until('the notes', async () => {
      const found = await notesIn('old_model.c');
      return found.length > 0 ? found : undefined;
    });
    await showsLinks();

    // Each note can be dismissed where it stands.
    const at = vscode.languages
      .getDiagnostics(document.uri)
      .find(({ source }) => source === 'VFIO Lifecycle')!.range;
    await clickLine(document, at.start.line);
    const row = await openLightBulb(page, 'Dismiss this note');
    await picture('conversion-notes.png');
    await clickUntil(
      'one note less',
      row,
      async () => (await notesIn('old_model.c')).length === all.length - 1,
    );

    await vscode.commands.executeCommand('undo');
    deepEqual(await notesIn('old_model.c'), []);
    await vscode.commands.executeCommand('redo');
    deepEqual(await notesIn('old_model.c'), all);
    await vscode.commands.executeCommand('undo');
    await restore(before);
  });

  async function convert(name: string, style: 'minimal' | 'fold'): Promise<void> {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await open(name, { preview: false });
    const wanted = style === 'fold' ? 'folding state' : 'vfio_alloc_device';
    await askToConvert(page, wanted, () => answerRow(page, 'Cancel').isVisible());
    await pickAnswer(page, 'Apply');
    await until('the conversion', () => vscode.window.activeTextEditor?.document.isDirty);
  }

  async function edit(
    document: vscode.TextDocument,
    at: vscode.Position,
    text: string,
  ): Promise<void> {
    const change = new vscode.WorkspaceEdit();
    change.insert(document.uri, at, text);
    ok(await vscode.workspace.applyEdit(change));
  }

  /** The output names the file and the line of a note, and takes that for a link. */
  async function showsLinks(): Promise<void> {
    await vscode.commands.executeCommand('vfioLifecycle.showOutput');
    const line = page
      .locator('.output-view-container .view-line, .pane-body .view-line', {
        hasText: /old_model\.c:\d+:\s/,
      })
      .first();
    await line.locator('.detected-link').first().waitFor();
    await picture('conversion-output.png');
    await vscode.commands.executeCommand('workbench.action.closePanel');
  }

  async function clickLine(document: vscode.TextDocument, line: number): Promise<void> {
    const editor = await vscode.window.showTextDocument(document);
    const at = new vscode.Position(
      line,
      document.lineAt(line).firstNonWhitespaceCharacterIndex + 1,
    );
    editor.selection = new vscode.Selection(at, at);
    editor.revealRange(new vscode.Range(at, at), vscode.TextEditorRevealType.InCenter);
  }

  /** Keeps what is on the screen for a person to look at. */
  async function picture(name: string): Promise<void> {
    const { HOST_SUITE_PICTURES: pictures } = process.env;
    if (pictures !== undefined) await page.screenshot({ path: path.join(pictures, name) });
  }
});
