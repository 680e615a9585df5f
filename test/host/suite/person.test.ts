import { equal, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, suiteSetup, suiteTeardown, teardown, test } from 'mocha';
import { chromium, type Browser, type Page } from 'playwright-core';
import * as vscode from 'vscode';
import { open, until } from './support.ts';

// Drives the very window that this suite runs in, over the DevTools protocol: the port is a flag of VS Code and of its stand-in.
suite('a person in the user interface', () => {
  let browser: Browser;
  let page: Page;

  suiteSetup(async () => {
    browser = await chromium.connectOverCDP(`http://127.0.0.1:${process.env.HOST_SUITE_DEBUG_PORT}`);
    const pages = browser.contexts().flatMap((context) => context.pages());
    for (const one of pages) if (await one.locator('.monaco-workbench').count() > 0) page = one;
    ok(page, 'the page of the workbench');
  });
  // What the person saw last.
  teardown(async function () {
    const { HOST_SUITE_SCREENSHOT: file } = process.env;
    if (this.currentTest?.state === 'failed' && file !== undefined) await page?.screenshot({ path: file });
  });
  suiteTeardown(async () => { await browser?.close(); });

  test('sees the squiggle and the problem, reads the hover, converts by the light bulb and saves', async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    const document = await open('old_model.c');
    const call = page.locator('.view-line span', { hasText: /^vfio_init_group_dev$/ });
    // The code is below the first screen: the person goes there.
    await page.keyboard.press('Control+g');
    const line = document.getText().split('\n').findIndex((text) => text.includes('vfio_init_group_dev(')) + 1;
    await page.keyboard.type(String(line));
    await page.keyboard.press('Enter');
    await page.locator('.squiggly-error').first().waitFor();

    await page.keyboard.press('Control+Shift+M');
    await page.locator('.markers-panel .monaco-list-row', { hasText: 'removed-api' }).first().waitFor();

    await call.hover();
    await page.locator('.monaco-hover-content', { hasText: 'vfio_init_group_dev' }).first().waitFor();
    await page.keyboard.press('Escape');

    await call.click();
    await page.locator('.lightBulbWidget, [class*="codicon-gutter-lightbulb"]').first().click();
    await page.locator('.action-widget .monaco-list-row', { hasText: 'vfio_alloc_device' }).first().click();
    await until('the conversion', () => document.isDirty);
    await page.locator('.squiggly-error').first().waitFor({ state: 'detached' });

    await page.keyboard.press('Control+s');
    await until('the file to be saved', () => !document.isDirty);
    const expected = process.env.HOST_SUITE_EXPECTED;
    ok(expected, 'the path of the expected text');
    equal(readFileSync(document.fileName, 'utf8'), readFileSync(expected, 'utf8'));
    equal(vscode.languages.getDiagnostics(document.uri).length, 0);
  });
});
