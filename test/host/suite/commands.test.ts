/** What a person asks for by a command: a new driver, a folder of conversions, a preview. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { suite, suiteSetup, test } from 'mocha';
import type { Page } from 'playwright-core';
import * as vscode from 'vscode';
import { answerRow, inWindow, open, revert, until } from './support.ts';

suite('commands', () => {
  let page: Page;
  const root = (): string => vscode.workspace.workspaceFolders![0]!.uri.fsPath;

  inWindow((connected) => {
    page = connected;
  });
  suiteSetup(() => vscode.commands.executeCommand('workbench.action.closeAllEditors'));

  test('a new driver is written into a folder, opened, and has nothing to report', async () => {
    const folder = path.join(root(), 'fresh');
    mkdirSync(folder);
    const given = {
      bus: 'pci',
      name: 'kiln',
      kernel: '6.12',
      folder: vscode.Uri.file(folder).toString(),
    };
    await vscode.commands.executeCommand('vfioLifecycle.createDriver', given);
    deepEqual(readdirSync(folder).sort(), ['Kconfig', 'Makefile', 'kiln_vfio_pci.c']);
    const editor = vscode.window.activeTextEditor!;
    equal(path.basename(editor.document.fileName), 'kiln_vfio_pci.c');
    ok(editor.document.lineAt(editor.selection.active.line).text.includes('VENDOR_ID'));
    // A second one gets a folder of its own, and nothing is written over.
    await vscode.commands.executeCommand('vfioLifecycle.createDriver', given);
    ok(existsSync(path.join(folder, 'kiln_vfio_pci', 'kiln_vfio_pci.c')));
    deepEqual(
      vscode.languages
        .getDiagnostics()
        .filter(([uri]) => uri.fsPath.startsWith(folder))
        .flatMap(([, found]) => found),
      [],
    );
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    rmSync(folder, { recursive: true });
  });

  test('a new driver is asked for by bus, name and kernel', async () => {
    const folder = path.join(root(), 'asked');
    mkdirSync(folder);
    const done = vscode.commands.executeCommand('vfioLifecycle.createDriver', {
      folder: vscode.Uri.file(folder).toString(),
    });
    await answerRow(page, 'Mediated device').click();
    await page.locator('.quick-input-widget', { hasText: '(2/3)' }).waitFor();
    await page.keyboard.type('2kiln');
    await page.locator('.quick-input-message', { hasText: 'small letters' }).waitFor();
    await page.keyboard.press('Control+a');
    await page.keyboard.type('kiln');
    await page.keyboard.press('Enter');
    await answerRow(page, '6.12').click();
    await done;
    deepEqual(readdirSync(folder).sort(), ['Kconfig', 'Makefile', 'kiln_mdev.c']);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    rmSync(folder, { recursive: true });
  });

  test('a conversion is previewed with its notes, and nothing is written', async () => {
    const document = await open('old_model.c', { preview: false });
    const before = document.getText();
    const done = vscode.commands.executeCommand('vfioLifecycle.previewConversion');
    await answerRow(page, 'folding state').click();
    await done;
    const label = await until('the tab', () =>
      vscode.window.tabGroups.all
        .flatMap((group) => group.tabs)
        .map((tab) => tab.label)
        .find((text) => text.startsWith('Conversion of old_model.c')),
    );
    ok(label);
    await page.locator('.view-line', { hasText: 'To be looked at' }).first().waitFor();
    equal(document.getText(), before);
    await vscode.commands.executeCommand('vfioLifecycle.discardShownConversion');
  });

  test('all drivers of a folder are listed with a verdict and written as one edit', async () => {
    const document = await open('old_model.c', { preview: false });
    const before = document.getText();
    const done = vscode.commands.executeCommand(
      'vfioLifecycle.convertFolder',
      vscode.workspace.workspaceFolders![0]!.uri,
    );
    const row = page.locator('.quick-input-widget .monaco-list-row', { hasText: 'old_model.c' });
    await row.first().waitFor();
    ok((await row.first().innerText()).includes('converted'));
    await page.keyboard.press('Enter');
    await answerRow(page, 'Apply').click();
    await done;
    await until('the conversion', () => document.getText().includes('vfio_alloc_device'));
    await vscode.commands.executeCommand('notifications.clearAll');
    const changed = vscode.workspace.textDocuments.filter(({ isDirty }) => isDirty);
    ok(changed.length > 1);
    for (const one of changed) await revert(one);
    equal(document.getText(), before);
  });

  test('without git the check of the changes says so in the status bar', async () => {
    await vscode.commands.executeCommand('vfioLifecycle.checkChanges');
    await page
      .locator('.statusbar-item', { hasText: /no git here|no C file has changed/ })
      .waitFor();
  });
});
