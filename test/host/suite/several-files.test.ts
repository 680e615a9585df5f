import { deepEqual, ok } from 'node:assert/strict';
import path from 'node:path';
import { suite, suiteTeardown, test } from 'mocha';
import type { Page } from 'playwright-core';
import * as vscode from 'vscode';
import { inWindow, open, openProblems, rule, until } from './support.ts';

// A driver of several files lies in a folder of the workspace: hoist has mistakes that no one of
// its files shows.
suite('a driver of several files', () => {
  let page: Page;

  inWindow((connected) => {
    page = connected;
  });
  // The next suite is to find the window as it was.
  suiteTeardown(() => vscode.commands.executeCommand('workbench.action.closePanel'));

  /** Keeps what is on the screen for a person to look at. */
  async function picture(name: string): Promise<void> {
    const { HOST_SUITE_PICTURES: folder } = process.env;
    if (folder !== undefined) await page.screenshot({ path: path.join(folder, name) });
  }

  test('is analysed as one module: each mistake is a problem of the file that it stands in', async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    const documents: vscode.TextDocument[] = [];
    for (const name of ['device', 'probe', 'remove'])
      documents.push(await open(`hoist/hoist_${name}.c`, { preview: false }));
    const found = (): string[] =>
      documents.flatMap((document) =>
        vscode.languages
          .getDiagnostics(document.uri)
          .map(
            (one) =>
              `${path.basename(document.fileName)}: ${String(rule(one))}: ${document.lineAt(one.range.start).text.trim()}`,
          ),
      );
    await until('two problems', () => found().length >= 2);
    deepEqual(found(), [
      'hoist_probe.c: missing-put: return ret;',
      'hoist_remove.c: use-after-put: dev_info(&mdev->dev, "lifted %u times\\n", hoist->lifted);',
    ]);
    const [late] = vscode.languages.getDiagnostics(documents[2]!.uri);
    ok(late?.relatedInformation?.length, 'the way to the mistake');

    await openProblems(page, 'use-after-put');
    await page
      .locator('.markers-panel .monaco-list-row', { hasText: 'hoist_probe.c' })
      .first()
      .waitFor();
    await picture('several-files-problems.png');
  });
});
