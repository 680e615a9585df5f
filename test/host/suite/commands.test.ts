/** What a person asks for by a command: a new driver, a folder of conversions, a preview. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { suite, suiteSetup, test } from 'mocha';
import type { Locator, Page } from 'playwright-core';
import * as vscode from 'vscode';
import {
  answerRow,
  inWindow,
  leaveQuestion,
  open,
  pickAnswer,
  pressInQuestion,
  pressUntil,
  questionBox,
  revert,
  rule,
  until,
  writeAnswer,
} from './support.ts';

/** An entry of a list of questions with a line above it. */
const lineAbove = '.quick-input-list-separator-border';

suite('commands', () => {
  let page: Page;
  const root = (): string => vscode.workspace.workspaceFolders![0]!.uri.fsPath;

  const sentence = (text: string): Locator =>
    page.locator('.statusbar-item', { hasText: text }).first();
  const said = (text: string): Promise<void> => sentence(text).waitFor();
  /** What asks for the name of a driver comes second of three questions. */
  const askedForName = (): Locator => page.locator('.quick-input-widget', { hasText: '(2/3)' });

  inWindow((connected) => {
    page = connected;
  });
  suiteSetup(() => vscode.commands.executeCommand('workbench.action.closeAllEditors'));

  /** Answers the second question of a new driver. */
  async function answerName(name: string): Promise<void> {
    await writeAnswer(page, name);
    await pressInQuestion(page, 'Enter', async () => !(await askedForName().isVisible()));
  }

  /**
   * Takes what is chosen in the list of drivers. The rows of the question before are still there
   * under a list of several choices: its title tells which of them is asked.
   */
  function acceptList(): Promise<void> {
    const asked = page.locator('.quick-input-title', { hasText: 'can be converted' });
    return pressInQuestion(page, 'Enter', async () => !(await asked.isVisible()));
  }

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
    await pickAnswer(page, 'Mediated device');
    await askedForName().waitFor();
    await writeAnswer(page, '2kiln');
    await page.locator('.quick-input-message', { hasText: 'small letters' }).waitFor();
    await answerName('kiln');
    await pickAnswer(page, '6.12');
    await done;
    deepEqual(readdirSync(folder).sort(), ['Kconfig', 'Makefile', 'kiln_mdev.c']);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    rmSync(folder, { recursive: true });
  });

  test('a conversion is previewed with its notes, and nothing is written', async () => {
    const document = await open('old_model.c', { preview: false });
    const before = document.getText();
    const done = vscode.commands.executeCommand('vfioLifecycle.previewConversion');
    await pickAnswer(page, 'folding state');
    await done;
    // VS Code counts the files.
    match(await previewTitle(), /^Conversion of old_model\.c and notes( \(2 files\))?$/);
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
    await acceptList();
    await pickAnswer(page, 'Apply');
    await done;
    await until('the conversion', () => document.getText().includes('vfio_alloc_device'));
    await vscode.commands.executeCommand('notifications.clearAll');
    const changed = vscode.workspace.textDocuments.filter(({ isDirty }) => isDirty);
    ok(changed.length > 1);
    for (const one of changed) await revert(one);
    equal(document.getText(), before);
  });

  test('what cannot be converted is in the list with its reason, which leads to the place', async () => {
    const folder = path.join(root(), 'refused');
    mkdirSync(folder);
    const text = readFileSync(path.join(root(), 'old_model.c'), 'utf8');
    const file = path.join(folder, 'atomic.c');
    writeFileSync(file, text.replace('GFP_KERNEL', 'GFP_ATOMIC'));
    writeFileSync(path.join(folder, 'plain.c'), '#include <linux/vfio.h>\n');
    const done = vscode.commands.executeCommand(
      'vfioLifecycle.convertFolder',
      vscode.Uri.file(folder),
    );
    const row = answerRow(page, 'atomic.c');
    await row.waitFor();
    match(await row.innerText(), /not converted[^]*`GFP_ATOMIC`/);
    equal(await page.locator('.quick-input-widget', { hasText: 'plain.c' }).count(), 0);
    equal(await row.locator(lineAbove).count(), 0);
    await pressUntil(
      'the place',
      () => vscode.window.activeTextEditor?.document.uri.fsPath === file,
      async () => {
        await row.hover({ timeout: 10_000 });
        await row.locator('.codicon-go-to-file').click({ timeout: 10_000 });
      },
    );
    const editor = vscode.window.activeTextEditor!;
    ok(editor.document.lineAt(editor.selection.active.line).text.includes('GFP_ATOMIC'));
    await leaveQuestion(page, row);
    await done;
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    rmSync(folder, { recursive: true });
  });

  test('a line is between what can be converted and what cannot', async () => {
    const folder = path.join(root(), 'both');
    mkdirSync(folder);
    const text = readFileSync(path.join(root(), 'old_model.c'), 'utf8');
    writeFileSync(path.join(folder, 'atomic.c'), text.replace('GFP_KERNEL', 'GFP_ATOMIC'));
    writeFileSync(path.join(folder, 'meter.c'), text);
    const done = vscode.commands.executeCommand(
      'vfioLifecycle.convertFolder',
      vscode.Uri.file(folder),
    );
    await answerRow(page, 'meter.c').waitFor();
    equal(await answerRow(page, 'meter.c').locator(lineAbove).count(), 0);
    equal(await answerRow(page, 'atomic.c').locator(lineAbove).count(), 1);
    await leaveQuestion(page, answerRow(page, 'meter.c'));
    await done;
    rmSync(folder, { recursive: true });
  });

  test('the search for the drivers of a folder is cancelled, and nothing is asked', async () => {
    const folder = path.join(root(), 'many');
    mkdirSync(folder);
    // So many that the search goes on until the button is there.
    for (let i = 0; i < 60; i++)
      copyFileSync(path.join(root(), 'old_model.c'), path.join(folder, `meter${i}.c`));
    const done = vscode.commands.executeCommand(
      'vfioLifecycle.convertFolder',
      vscode.Uri.file(folder),
    );
    const search = page.locator('.notifications-center .notification-list-item', {
      hasText: 'looking for drivers',
    });
    await until('the search', async () => {
      await vscode.commands.executeCommand('notifications.showList');
      return (await search.count()) > 0;
    });
    const cancelled = sentence('the drivers were not converted: cancelled');
    // The button is drawn again with every step of the search, which is not to end before a press.
    const button = search.locator('.monaco-button', { hasText: 'Cancel' });
    await until('the end', async () => {
      await button.click({ timeout: 500 }).catch(() => {}); // It went while it was looked for.
      return cancelled.isVisible();
    });
    await done;
    equal(await answerRow(page, 'meter0.c').count(), 0);
    await vscode.commands.executeCommand('notifications.hideList');
    rmSync(folder, { recursive: true });
  });

  test('the menu of a folder in the explorer makes a driver there', async () => {
    const folder = path.join(root(), 'shelf');
    mkdirSync(folder);
    await vscode.commands.executeCommand('revealInExplorer', vscode.Uri.file(folder));
    const row = page.locator('.explorer-viewlet .monaco-list-row', { hasText: 'shelf' }).first();
    const item = page.locator('.monaco-menu .action-label', { hasText: 'Create Driver' });
    await pressUntil(
      'the question',
      () => answerRow(page, 'Mediated device').isVisible(),
      async () => {
        await row.click({ button: 'right', timeout: 10_000 });
        await item.click({ timeout: 10_000 });
      },
    );
    await pickAnswer(page, 'Mediated device');
    await askedForName().waitFor();
    await answerName('shelf');
    await pickAnswer(page, '6.12');
    await until('the driver', () => existsSync(path.join(folder, 'shelf_mdev.c')));
    await said('created shelf_mdev.c, Makefile, Kconfig');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    rmSync(folder, { recursive: true });
  });

  test('a folder without a driver has nothing to convert', async () => {
    const folder = path.join(root(), 'empty');
    mkdirSync(folder);
    await vscode.commands.executeCommand('vfioLifecycle.convertFolder', vscode.Uri.file(folder));
    await said('nothing to convert in this folder');
    rmSync(folder, { recursive: true });
  });

  test('New File… offers a driver', async () => {
    const done = vscode.commands.executeCommand('welcome.showNewFileEntries');
    await pickAnswer(page, 'Create Driver');
    const asked = page.locator('.quick-input-widget', { hasText: 'Create Driver (1/3)' });
    await asked.waitFor();
    await leaveQuestion(page, asked);
    await done;
  });

  test('the conversions of a folder are saved as one patch that git takes', async () => {
    const done = vscode.commands.executeCommand(
      'vfioLifecycle.convertFolder',
      vscode.Uri.file(path.join(root(), 'dock')),
    );
    await answerRow(page, 'dock_').waitFor();
    await acceptList();
    await pickAnswer(page, 'Save as Patch');
    const box = questionBox(page);
    await until('the name', async () => (await box.inputValue()).endsWith('.patch'));
    const patch = path.join(root(), 'dock/vfio-conversion.patch');
    await pressInQuestion(page, 'Enter', () => existsSync(patch));
    await done;
    git(path.join(root(), 'dock'), 'apply', '--check', patch);
    rmSync(patch);
  });

  test('the changes that git knows of are checked, and nothing else', async () => {
    await vscode.commands.executeCommand('vfioLifecycle.restart');
    const folder = path.join(root(), 'changed');
    mkdirSync(folder);
    for (const name of ['mistakes.c', 'old_model.c'])
      copyFileSync(path.join(root(), name), path.join(folder, name));
    git(folder, 'init');
    git(folder, 'add', '.');
    git(folder, '-c', 'user.name=A', '-c', 'user.email=a@example.org', 'commit', '-m', 'drivers');
    const found = (name: string): unknown[] =>
      vscode.languages.getDiagnostics(vscode.Uri.file(path.join(folder, name))).map(rule);
    const settings = vscode.workspace.getConfiguration('git');
    await settings.update('enabled', true, vscode.ConfigurationTarget.Global);
    await until('the repository', () => {
      const extension = vscode.extensions.getExtension<GitExtension>('vscode.git');
      const { enabled = false } = extension?.exports ?? {};
      return enabled && extension!.exports.getAPI(1).repositories.length > 0;
    });

    await vscode.commands.executeCommand('vfioLifecycle.checkChanges');
    await page.locator('.statusbar-item', { hasText: 'no C file has changed' }).waitFor();
    appendFileSync(path.join(folder, 'mistakes.c'), '\n');
    writeFileSync(path.join(folder, 'new.c'), readFileSync(path.join(folder, 'mistakes.c')));
    const done = vscode.commands.executeCommand('vfioLifecycle.checkChanges');
    await until('the findings', () => found('new.c').length === 3);
    deepEqual(found('mistakes.c').sort(), ['missing-put', 'null-check-on-alloc', 'use-after-put']);
    deepEqual(found('old_model.c'), []);
    await vscode.commands.executeCommand('notifications.clearAll');
    await done;

    // As the window began.
    await settings.update('enabled', false, vscode.ConfigurationTarget.Global);
    rmSync(folder, { recursive: true });
  });

  test('without git the check of the changes says so in the status bar', async () => {
    await vscode.commands.executeCommand('vfioLifecycle.checkChanges');
    await page.locator('.statusbar-item', { hasText: 'there is no git here' }).waitFor();
  });
});

/** What the tab of a preview says. */
function previewTitle(): Promise<string> {
  return until('the tab', () =>
    vscode.window.tabGroups.all
      .flatMap((group) => group.tabs)
      .map((tab) => tab.label)
      .find((text) => text.startsWith('Conversion of ')),
  );
}

/** What is used of VS Code's own git extension. */
interface GitExtension {
  readonly enabled: boolean;
  getAPI(version: 1): { readonly repositories: readonly unknown[] };
}

function git(cwd: string, ...given: string[]): void {
  execFileSync('git', given, { cwd, stdio: 'ignore' });
}
