/**
 * Why a driver cannot be converted is said where the caret is: the place, the sentence and the page
 * of its kind.
 */
import { equal, match } from 'node:assert/strict';
import path from 'node:path';
import { suite, suiteSetup, suiteTeardown, test } from 'mocha';
import type { Page } from 'playwright-core';
import * as vscode from 'vscode';
import {
  clickCall,
  clickUntil,
  find,
  hasTab,
  inWindow,
  open,
  openLightBulb,
  until,
  uriOf,
  withoutStickyScroll,
} from './support.ts';

suite('a conversion that is refused', () => {
  let page: Page;

  inWindow((connected) => {
    page = connected;
  });
  suiteSetup(async () => {
    await withoutStickyScroll();
    const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(uriOf('old_model.c')));
    await vscode.workspace.fs.writeFile(
      uriOf('atomic.c'),
      new TextEncoder().encode(text.replace('GFP_KERNEL', 'GFP_ATOMIC')),
    );
  });
  suiteTeardown(() => vscode.workspace.fs.delete(uriOf('atomic.c')));

  test('by the bulb: it goes to what stands in the way, and leads to the page of its kind', async () => {
    const document = await openRefused();
    await clickCall(page, document, 'vfio_init_group_dev');
    const row = await openLightBulb(page, 'Why can this driver not be converted?');
    await picture('refusal-bulb.png');
    await clickUntil('the obstacle', row, () => isAtObstacle(document));
    await vscode.commands.executeCommand('notifications.showList');
    const message = page.locator('.notifications-center .notification-list-item', {
      hasText: /Not converted: atomic\.c:\d+: `GFP_ATOMIC`/,
    });
    await message.waitFor();
    await picture('refusal-message.png');
    await clickUntil('the page', message.getByText('Show Documentation', { exact: true }), () =>
      hasTab('Preview refusals.md'),
    );
    await picture('refusal-page.png');
    await vscode.commands.executeCommand('notifications.clearAll');
  });

  test('by the command of the palette: the output has place and kind', async () => {
    const document = await openRefused();
    await vscode.commands.executeCommand('vfioLifecycle.convertDriver');
    await until('the obstacle', () => isAtObstacle(document));
    await vscode.commands.executeCommand('vfioLifecycle.showOutput');
    const said = page.locator('.output-view-container .view-lines, .pane-body .view-lines');
    await said
      .getByText(/\[unsuitable-allocation\]/)
      .first()
      .waitFor();
    match(await said.first().innerText(), /not\sconverted:\s[^]*atomic\.c:\d+:\s`GFP_ATOMIC`/);
    await vscode.commands.executeCommand('workbench.action.closePanel');
    await vscode.commands.executeCommand('notifications.clearAll');
  });

  test('the finding says it too, once it was worked out', async () => {
    const document = await openRefused();
    const related = await until('the related place', () =>
      vscode.languages
        .getDiagnostics(document.uri)
        .flatMap((one) => one.relatedInformation ?? [])
        .find(({ message }) =>
          message.startsWith('cannot be converted automatically: `GFP_ATOMIC`'),
        ),
    );
    equal(related.location.range.start.line, find(document, 'GFP_ATOMIC').start.line);
  });

  async function openRefused(): Promise<vscode.TextDocument> {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    const document = await open('atomic.c', { preview: false });
    await until('diagnostics', () => vscode.languages.getDiagnostics(document.uri).length > 0);
    return document;
  }

  function isAtObstacle(document: vscode.TextDocument): boolean {
    const { line } = find(document, 'GFP_ATOMIC').start;
    return vscode.window.activeTextEditor?.selection.start.line === line;
  }

  /** Keeps what is on the screen for a person to look at. */
  async function picture(name: string): Promise<void> {
    const { HOST_SUITE_PICTURES: pictures } = process.env;
    if (pictures !== undefined) await page.screenshot({ path: path.join(pictures, name) });
  }
});
