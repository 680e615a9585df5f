/** The picture of a life cycle beside its driver, and the walk along a finding's path. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { setup, suite, suiteSetup, suiteTeardown, test } from 'mocha';
import type { Frame, Page } from 'playwright-core';
import * as vscode from 'vscode';
import {
  clickUntil,
  find,
  inWindow,
  open,
  pressInQuestion,
  pressUntil,
  questionBox,
  revert,
  rule,
  until,
} from './support.ts';

/** What axe-core answers, as far as it is read here. */
interface AxeAnswer {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
  readonly passes: readonly unknown[];
}

suite('the life cycle', () => {
  let page: Page;
  let document: vscode.TextDocument;

  inWindow((connected) => {
    page = connected;
  });
  suiteSetup(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    document = await open('mistakes.c', { preview: false });
    await until('the mistakes', () => ours().length === 3);
    await vscode.commands.executeCommand('vfioLifecycle.showLifeCycle');
  });
  // Each test begins at the top: what a press leads to is somewhere else.
  setup(async () => {
    const editor = await vscode.window.showTextDocument(document, vscode.ViewColumn.One);
    editor.selection = new vscode.Selection(0, 0, 0, 0);
  });
  suiteTeardown(async () => {
    await revert(document);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  const ours = (): vscode.Diagnostic[] =>
    vscode.languages.getDiagnostics(document.uri).filter(({ source }) => source === 'vfio');
  const caretLine = (): number | undefined =>
    vscode.window.visibleTextEditors.find((editor) => editor.document === document)?.selection
      .active.line;
  const view = (): Promise<Frame> =>
    until('the view', async () => {
      for (const frame of page.frames()) {
        if (
          (await frame
            .locator('svg.life')
            .count()
            .catch(() => 0)) > 0
        )
          return frame;
      }
      return undefined;
    });

  test('is drawn from the allocation to the free, with the finding on its way', async () => {
    const frame = await view();
    const texts = (await frame.locator('svg.life .title').allTextContents()).join('\n');
    for (const part of ['vfio_alloc_device()', '.open_device', 'vfio_put_device()', '.release'])
      ok(texts.includes(part), `${part} in ${texts}`);
    equal(await frame.locator('svg.life .way.found').count(), 1);
  });

  test('leads to the line of a step, with the mouse and with the keys', async () => {
    const frame = await view();
    const registration = find(document, 'vfio_register_emulated_iommu_dev').start.line;
    const box = frame.locator('svg.life g[role=button]', { hasText: 'opens the device to' });
    await clickUntil('the line', box, () => caretLine() === registration);
    const first = frame.locator('svg.life g[role=button][data-place]').first();
    await pressUntil(
      'the allocation',
      () => caretLine() === find(document, 'vfio_alloc_device(').start.line,
      () => first.press('Enter'),
    );
  });

  test('marks the function at the caret', async () => {
    const frame = await view();
    const editor = await vscode.window.showTextDocument(document, vscode.ViewColumn.One);
    const { start } = find(document, 'vfio_unregister_group_dev');
    editor.selection = new vscode.Selection(start, start);
    await until('the marks', async () => {
      const marked = await frame.locator('svg.life g.here').allTextContents();
      return marked.length > 0 && marked.every((text) => text.includes('lamp_remove()'));
    });
  });

  test('walks the path of a finding, and the text follows', async () => {
    const frame = await view();
    const steps = ours().find((one) => rule(one) === 'missing-put')?.relatedInformation ?? [];
    ok(steps.length > 1);
    let leads = frame.locator('svg.life .way.found');
    for (const { location } of steps) {
      await clickUntil('the step', leads, () => caretLine() === location.range.start.line);
      leads = frame.locator('[data-do=next]');
    }
    const last = find(document, 'return ret').start.line;
    await clickUntil('the finding', leads, () => caretLine() === last);
    await until('the end', () => frame.locator('[data-do=next]').isDisabled());
    await vscode.commands.executeCommand('vfioLifecycle.previousStep');
    await until('the step before', () => caretLine() === steps.at(-1)!.location.range.start.line);
    await vscode.commands.executeCommand('vfioLifecycle.endWalk');
  });

  test('walks the finding at the caret by a command', async () => {
    const editor = await vscode.window.showTextDocument(document, vscode.ViewColumn.One);
    const finding = ours().find((one) => rule(one) === 'missing-put')!;
    editor.selection = new vscode.Selection(finding.range.start, finding.range.start);
    await vscode.commands.executeCommand('vfioLifecycle.walkPath');
    const first = finding.relatedInformation![0]!.location.range.start.line;
    await until('the first step', () => caretLine() === first);
    await page.locator('.statusbar-item', { hasText: '1 of 3' }).waitFor();
    await vscode.commands.executeCommand('vfioLifecycle.endWalk');
    await page.locator('.statusbar-item', { hasText: '1 of 3' }).waitFor({ state: 'detached' });
  });

  test('follows the text', async () => {
    const frame = await view();
    const edit = new vscode.WorkspaceEdit();
    const returned = find(document, 'return ret;').start;
    const indent = document.lineAt(returned.line).text.slice(0, returned.character);
    edit.insert(document.uri, returned, `{\n${indent}vfio_put_device(&lamp->vdev);\n${indent}`);
    edit.insert(document.uri, find(document, 'return ret;').end, '\n\t}');
    await vscode.workspace.applyEdit(edit);
    await frame.locator('svg.life .way.found').waitFor({ state: 'detached' });
    await revert(document);
    await frame.locator('svg.life .way.found').waitFor();
  });

  for (const theme of [
    'Default Light Modern',
    'Default Dark Modern',
    'Default High Contrast',
    'Default High Contrast Light',
  ]) {
    test(`axe-core finds nothing in ${theme}`, async () => {
      const settings = vscode.workspace.getConfiguration('workbench');
      await settings.update('colorTheme', theme, vscode.ConfigurationTarget.Global);
      const frame = await view();
      await frame.locator('details summary').click();
      const axe = process.env.HOST_SUITE_AXE;
      ok(axe, 'the path of axe-core');
      await frame.evaluate(readFileSync(axe, 'utf8'));
      const answer = await frame.evaluate<AxeAnswer>('axe.run(document)');
      ok(answer.passes.length > 5);
      deepEqual(
        answer.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`)),
        [],
      );
      await settings.update('colorTheme', undefined, vscode.ConfigurationTarget.Global);
    });
  }

  test('is copied as a text for Mermaid', async () => {
    await vscode.env.clipboard.writeText('');
    const copy = (await view()).locator('[data-do=mermaid]');
    await clickUntil('the text', copy, async () => (await vscode.env.clipboard.readText()) !== '');
    match(await vscode.env.clipboard.readText(), /^flowchart [^]*lamp_probe/m);
  });

  test('is saved as a file of its own', async () => {
    const save = (await view()).locator('[data-do=svg]');
    const box = questionBox(page);
    await clickUntil(
      'the name',
      save,
      async () => (await box.isVisible()) && (await box.inputValue()).endsWith('.svg'),
    );
    const file = await box.inputValue();
    const saved = page.locator('.statusbar-item', { hasText: 'the picture is saved' });
    await pressInQuestion(page, 'Enter', () => saved.isVisible());
    const text = readFileSync(file, 'utf8');
    rmSync(file);
    match(text, /^<svg[^]*vfio_alloc_device\(\)[^]*<\/svg>\s*$/);
    // Nothing in a file can be clicked on.
    equal(text.includes('role="button"'), false);
  });
});
