/**
 * The status item and its menu: the target kernel, where it comes from, and what a report needs.
 */
import { equal, match, ok } from 'node:assert/strict';
import { suite, suiteSetup, suiteTeardown, test } from 'mocha';
import type { Page } from 'playwright-core';
import * as vscode from 'vscode';
import {
  answerRow,
  clickUntil,
  inWindow,
  open,
  pickAnswer,
  pressUntil,
  rule,
  until,
  writeAnswer,
} from './support.ts';

suite('the status item', () => {
  let page: Page;
  const setting = (): unknown =>
    vscode.workspace.getConfiguration('vfioLifecycle').inspect('targetKernel')?.workspaceValue;
  const rules = (document: vscode.TextDocument): unknown[] =>
    vscode.languages.getDiagnostics(document.uri).map(rule);
  const entry = (text: string) => answerRow(page, text);

  inWindow((connected) => {
    page = connected;
  });
  suiteSetup(() => vscode.commands.executeCommand('workbench.action.closeAllEditors'));
  suiteTeardown(async () => {
    await vscode.commands.executeCommand('workbench.action.closeQuickOpen');
    await vscode.workspace.getConfiguration('vfioLifecycle').update('targetKernel', undefined);
  });

  /**
   * The menu of the status item, as a person comes to it: the braces in the status bar, then what
   * the item offers.
   */
  async function openMenu(): Promise<void> {
    const braces = page.locator('.statusbar-item[id="status.languageStatus"]').first();
    const item = page.locator('.hover-language-status > .element', { hasText: 'VFIO' });
    await pressUntil(
      'the menu',
      () => entry('Target Kernel…').isVisible(),
      async () => {
        await page.mouse.move(0, 0);
        await braces.hover({ timeout: 10_000 });
        await item.locator('a', { hasText: 'Options…' }).click({ timeout: 10_000 });
      },
    );
  }

  test('leads to the kernels, says what each brings, and writes the one that is picked', async () => {
    const document = await open('old_model.c');
    await until('removed-api', () => rules(document).includes('removed-api'));
    await openMenu();
    match(
      await entry('Target Kernel…').innerText(),
      /Linux 6\.1\b[^]*no kernel tree around the file/,
    );
    await clickUntil('the kernels', entry('Target Kernel…'), () => entry('As found').isVisible());
    match(
      await entry('As found').innerText(),
      /Linux 6\.1\b[^]*the default: no kernel tree around the file/,
    );
    await writeAnswer(page, '6.6');
    await until('what 6.6 brings', async () =>
      /\.detach_ioas/.test(await entry('.detach_ioas').innerText()),
    );
    await writeAnswer(page, '6.0');
    await clickUntil('the setting', entry('6.0'), () => setting() === '6.0');
    await until('what 6.0 has', () => !rules(document).includes('removed-api'));
  });

  test('says where the target comes from, and goes back to what is found', async () => {
    const document = await open('old_model.c');
    await openMenu();
    await until('where it comes from', async () =>
      /Linux 6\.0[^]*from the setting/.test(await entry('Target Kernel…').innerText()),
    );
    await clickUntil('the kernels', entry('Target Kernel…'), () => entry('As found').isVisible());
    match(await entry('As found').innerText(), /Linux 6\.1\b/);
    await clickUntil('no setting', entry('As found'), () => setting() === undefined);
    await until('removed-api', () => rules(document).includes('removed-api'));
  });

  test('copies what a report of a bug needs', async () => {
    const document = await open('old_model.c');
    await until('diagnostics', () => rules(document).includes('removed-api'));
    await openMenu();
    await pickAnswer(page, 'Copy Report for a Bug');
    const report = await until('the report', async () => {
      const text = await vscode.env.clipboard.readText();
      return text.includes('VFIO Lifecycle') && text.includes('target:') ? text : undefined;
    });
    const { version } = vscode.extensions.getExtension('vfio-lifecycle.vfio-lifecycle')!
      .packageJSON as { version: string };
    ok(
      report.startsWith(`VFIO Lifecycle ${version} in ${vscode.env.appName} ${vscode.version}`),
      report,
    );
    match(report, /^file: old_model\.c$/m);
    match(report, /^target: Linux 6\.1, the default/m);
    match(report, /^settings: \{/m);
    match(report, /^- line \d+: .* \[removed-api\]$/m);
    equal(report.includes(document.uri.path), false, 'it names no folder of the person');
  });
});
