/**
 * What a person meets first: the walkthrough, the example drivers, and a menu that is only there
 * for drivers.
 */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, suiteSetup, test } from 'mocha';
import type { Page } from 'playwright-core';
import * as vscode from 'vscode';
import {
  clickUntil,
  convertDriver,
  find,
  inWindow,
  open,
  pressUntil,
  rule,
  until,
  withoutStickyScroll,
} from './support.ts';

suite('the first steps', () => {
  let page: Page;

  inWindow((connected) => {
    page = connected;
  });
  suiteSetup(withoutStickyScroll);

  test('the walkthrough has six steps, each with a picture', async () => {
    await openWalkthrough();
    const steps = page.locator('.getting-started-step');
    await until('the steps', async () => (await steps.count()) === 6);
    for (let i = 0; i < 6; i++) {
      const picture = page.locator('.getting-started-media img').first();
      await clickUntil(
        `the picture of step ${i + 1}`,
        steps.nth(i),
        async () =>
          (await steps.nth(i).getAttribute('class'))?.includes('expanded') === true &&
          (await picture.count()) > 0 &&
          picture.evaluate((image: { naturalWidth: number }) => image.naturalWidth > 100),
      );
    }
  });

  test('the first button opens the example beside, at its first mistake', async () => {
    await openWalkthrough();
    const button = page.locator('.monaco-button', { hasText: 'Open Example Driver' });
    await clickUntil('the first step', page.locator('.getting-started-step').first(), () =>
      button.isVisible(),
    );
    await clickUntil('the example', button, () => vscode.window.activeTextEditor !== undefined);
    const { document } = vscode.window.activeTextEditor!;
    equal(document.uri.toString(), 'untitled:mistakes.c');
    const rules = () => vscode.languages.getDiagnostics(document.uri).map(rule).sort();
    await until('the mistakes', () => rules().length === 3);
    deepEqual(rules(), ['missing-put', 'null-check-on-alloc', 'use-after-put']);
    equal(
      vscode.window.activeTextEditor?.selection.active.line,
      find(document, '!lamp').start.line,
    );
  });

  test('the old example is converted, and comes back as it was', async () => {
    await vscode.commands.executeCommand('vfioLifecycle.openExampleDriver', 'old_model.c');
    const document = await until('the example', () => vscode.window.activeTextEditor?.document);
    const before = document.getText();
    const expected = process.env.HOST_SUITE_EXPECTED;
    ok(expected, 'the path of the expected text');
    const { done } = await convertDriver(() => document.getText() !== before);
    equal(document.getText(), readFileSync(expected, 'utf8'));
    await done;
    await vscode.commands.executeCommand('vfioLifecycle.openExampleDriver', 'old_model.c');
    equal(document.getText(), before);
  });

  test('the context menu of a driver converts it, and that of other C files says nothing of it', async () => {
    const withDriver = await itemsOfContextMenu('old_model.c');
    ok(withDriver.includes('Convert This Driver'), withDriver.join());
    const without = await itemsOfContextMenu('plain.c');
    ok(without.length > 0 && !without.includes('Convert This Driver'), without.join());
  });

  async function openWalkthrough(): Promise<void> {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await vscode.commands.executeCommand(
      'workbench.action.openWalkthrough',
      'vfio-lifecycle.vfio-lifecycle#firstSteps',
    );
  }

  async function itemsOfContextMenu(name: string): Promise<string[]> {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await open(name);
    const {
      x: left,
      y: top,
      width,
      height,
    } = await until('the editor', () =>
      page.locator('.editor-instance .monaco-editor').first().boundingBox(),
    );
    const middle = [left + width / 2, top + height / 2] as const;
    const items = page.locator('.monaco-menu .action-label');
    await pressUntil(
      'the menu',
      () => items.first().isVisible(),
      () => page.mouse.click(...middle, { button: 'right' }),
    );
    const labels = await items.allInnerTexts();
    await page.keyboard.press('Escape');
    // The menu took the release of the button, without which the editor shows no hover any more: it
    // hears that of the next click.
    await page.mouse.click(...middle);
    return labels.map((label) => label.trim());
  }
});
