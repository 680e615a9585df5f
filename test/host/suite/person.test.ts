import { equal, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, suiteSetup, test } from 'mocha';
import type { Page } from 'playwright-core';
import * as vscode from 'vscode';
import {
  inWindow,
  open,
  openProblems,
  pressUntil,
  questionBox,
  takeFromLightBulb,
  until,
  withoutStickyScroll,
  writeAnswer,
} from './support.ts';

suite('a person in the user interface', () => {
  let page: Page;

  inWindow((connected) => {
    page = connected;
  });
  suiteSetup(withoutStickyScroll);

  test('sees the squiggle and the problem, reads the hover, converts by the light bulb and saves', async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    const document = await open('old_model.c');
    await openProblems(page, 'removed-api');

    // The code is below the first screen: the person goes there, now that the panel has taken its
    // part of the window.
    const call = page.locator('.view-line span', { hasText: /^vfio_init_group_dev$/ });
    const line =
      document
        .getText()
        .split('\n')
        .findIndex((text) => text.includes('vfio_init_group_dev(')) + 1;
    await pressUntil(
      'the line',
      () => vscode.window.activeTextEditor?.selection.active.line === line - 1,
      async () => {
        await page.keyboard.press('Control+1');
        await page.keyboard.press('Control+g');
        await writeAnswer(page, `:${line}`);
        await questionBox(page).press('Enter');
      },
    );
    await page.locator('.squiggly-error').first().waitFor();

    // The text may still move, and a mouse that rests where a word comes to has not hovered over
    // it.
    const hover = page.locator('.monaco-hover-content', { hasText: 'vfio_init_group_dev' }).first();
    await until('the hover', async () => {
      await page.mouse.move(0, 0);
      await call.hover();
      return hover.waitFor({ timeout: 3_000 }).then(
        () => true,
        () => false,
      );
    });
    await page.keyboard.press('Escape');

    await call.click();
    await takeFromLightBulb(page, 'vfio_alloc_device', () => document.isDirty);
    await page.locator('.squiggly-error').first().waitFor({ state: 'detached' });
    // The squiggle goes with its text; what is found in the new text comes later. The notes of the
    // conversion stay.
    await until('no problems', () =>
      vscode.languages.getDiagnostics(document.uri).every(({ source }) => source !== 'vfio'),
    );

    await pressUntil(
      'the file to be saved',
      () => !document.isDirty,
      () => page.keyboard.press('Control+s'),
    );
    const expected = process.env.HOST_SUITE_EXPECTED;
    ok(expected, 'the path of the expected text');
    equal(readFileSync(document.fileName, 'utf8'), readFileSync(expected, 'utf8'));
  });
});
