/** The page of a rule is shown as a page, from the light bulb and from the rule's name. */
import { suite, suiteSetup, test } from 'mocha';
import type { Page } from 'playwright-core';
import * as vscode from 'vscode';
import {
  clickCall,
  clickUntil,
  hasTab,
  inWindow,
  open,
  takeFromLightBulb,
  until,
  withoutStickyScroll,
} from './support.ts';

suite('the documentation of a rule', () => {
  let page: Page;

  inWindow((connected) => {
    page = connected;
  });
  suiteSetup(withoutStickyScroll);

  test('is a page that the light bulb leads to', async () => {
    await openDriver();
    await takeFromLightBulb(page, 'Show documentation of removed-api', showsPage);
  });

  test('is a page that the name of the rule leads to', async () => {
    await openDriver();
    await vscode.commands.executeCommand('workbench.action.showErrorsWarnings');
    await vscode.commands.executeCommand('workbench.actions.view.problems');
    const row = page.locator('.markers-panel .monaco-list-row', { hasText: 'removed-api' }).first();
    await clickUntil('the page', row.locator('a', { hasText: 'removed-api' }), showsPage);
    await vscode.commands.executeCommand('workbench.action.closePanel');
  });

  async function openDriver(): Promise<void> {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    const document = await open('old_model.c', { preview: false });
    await until('diagnostics', () => vscode.languages.getDiagnostics(document.uri).length > 0);
    await clickCall(page, document, 'vfio_init_group_dev');
  }

  function showsPage(): boolean {
    return hasTab('Preview removed-api.md');
  }
});
