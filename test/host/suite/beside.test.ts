/**
 * What the editor shows of a driver beside its text and while it is written: lenses, hints, the
 * hover's blocks, the other end, links, signatures and completion.
 */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { setup, suite, suiteSetup, suiteTeardown, test } from 'mocha';
import type { Locator, Page } from 'playwright-core';
import * as vscode from 'vscode';
import { clickUntil, find, inWindow, open, revert, until, withoutStickyScroll } from './support.ts';

suite('beside the code', () => {
  let page: Page;
  let document: vscode.TextDocument;
  const settings = (): vscode.WorkspaceConfiguration =>
    vscode.workspace.getConfiguration('vfioLifecycle');
  /** What a provider answers, as VS Code itself asks it. */
  const ask = <Answer>(command: string, ...given: unknown[]): Thenable<Answer> =>
    vscode.commands.executeCommand<Answer>(command, document.uri, ...given);

  const hoverAt = async (at: vscode.Position): Promise<string> => {
    const hovers = await ask<vscode.Hover[]>('vscode.executeHoverProvider', at);
    return hovers
      .flatMap(({ contents }) => contents)
      .map((content) => (typeof content === 'string' ? content : content.value))
      .join('\n');
  };
  const labelsAt = async (at: vscode.Position, typed: string): Promise<string[]> => {
    const { items } = await ask<vscode.CompletionList>(
      'vscode.executeCompletionItemProvider',
      at,
      typed,
    );
    return items.map(({ label }) => (typeof label === 'string' ? label : label.label));
  };

  /** Puts the caret behind a text, which is in the middle then, and waits until it is there. */
  const goBehind = async (text: string): Promise<void> => {
    const { end } = find(document, text);
    const editor = vscode.window.activeTextEditor!;
    editor.selection = new vscode.Selection(end, end);
    editor.revealRange(new vscode.Range(end, end), vscode.TextEditorRevealType.InCenter);
    // The status bar counts what is seen.
    const before = document.lineAt(end.line).text.slice(0, end.character);
    const tab = ' '.repeat(Number(editor.options.tabSize));
    const place = `Ln ${end.line + 1}, Col ${before.replaceAll('\t', tab).length + 1}`;
    await page.locator('.statusbar-item').getByText(place, { exact: true }).waitFor();
  };

  inWindow((connected) => {
    page = connected;
  });
  suiteSetup(withoutStickyScroll);
  suiteSetup(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    document = await open('mistakes.c', { preview: false });
    await until('the mistakes', () => vscode.languages.getDiagnostics(document.uri).length === 3);
  });
  // A test that failed may have left another.
  setup(async () => {
    document = await open('mistakes.c', { preview: false });
  });
  suiteTeardown(async () => {
    await settings().update('codeLens', undefined);
    await settings().update('inlayHints', undefined);
    await revert(document);
  });

  test('code lenses: findings and models on request, the conversion always', async () => {
    const titles = async (): Promise<(string | undefined)[]> =>
      (await ask<vscode.CodeLens[]>('vscode.executeCodeLensProvider', 50)).map(
        ({ command }) => command?.title,
      );
    deepEqual(await titles(), []);
    await settings().update('codeLens', 'all');
    await until('the lenses', async () =>
      (await titles()).some((title) => /new model, 2 findings/.test(title ?? '')),
    );
    document = await open('old_model.c', { preview: false });
    await settings().update('codeLens', undefined);
    await until('the conversion', async () =>
      (await titles()).includes('Convert to vfio_alloc_device()'),
    );
  });

  test('the lens above an old probe converts it, by a click', async () => {
    document = await open('old_model.c', { preview: false });
    await goBehind('static int meter_probe');
    const lens = page.locator('.codelens-decoration a', {
      hasText: 'Convert to vfio_alloc_device()',
    });
    await clickUntil('the conversion', lens, () => document.isDirty);
    match(document.getText(), /vfio_alloc_device\(meter, vdev, /);
    await vscode.commands.executeCommand('notifications.clearAll');
    await revert(document);
  });

  test('hints say what is owed where the setting is on, and there is none without it', async () => {
    const hints = page.locator('.view-line', { hasText: 'owed: vfio_put_device()' });
    await goBehind('ret = vfio_register');
    await page.locator('.view-line', { hasText: 'return ret;' }).waitFor();
    equal(await hints.count(), 0);
    await settings().update('inlayHints', true);
    const owing = hints.filter({ hasText: 'return ret;' });
    await owing.waitFor();
    const call = page.locator('.view-line', { hasText: 'vfio_register_emulated_iommu_dev(' });
    await call.filter({ hasText: '/* not registered | registered */' }).waitFor();
    await settings().update('inlayHints', undefined);
    await owing.waitFor({ state: 'detached' });
    equal(await hints.count(), 0);
  });

  test('a call that is typed shows what each argument has to be', async () => {
    await goBehind('ret = vfio_register_emulated_iommu_dev(&lamp->vdev);');
    await page.locator('.editor-instance .monaco-editor.focused').first().waitFor();
    const shown = (text: string): Locator =>
      page.locator('.parameter-hints-widget.visible', { hasText: text });
    await page.keyboard.press('Enter');
    await page.keyboard.type('lamp = vfio_alloc_device(');
    await shown('The tag of the container').waitFor();
    for (const [typed, contract] of [
      ['lamp, ', 'It has to be the first member.'],
      ['vdev, ', 'It has to live until the last reference is dropped.'],
      ['&mdev->dev, ', 'Its .init runs inside this call'],
    ] as const) {
      await page.keyboard.type(typed);
      await shown(contract).waitFor();
    }
    await page.keyboard.press('Escape');
    await revert(document);
  });

  test('the hover has one block State and one block Contract', async () => {
    const { start } = find(document, 'vfio_register_emulated_iommu_dev');
    const text = await hoverAt(start);
    deepEqual(text.match(/\*\*(?:State|Contract)\*\*/g), ['**State**', '**Contract**']);
    match(text, /still owed: `vfio_put_device\(\)`/);
  });

  test('the hover on a function of the driver tells what it owes its caller', async () => {
    const { start } = find(document, 'lamp_probe');
    match(await hoverAt(start), /\*\*Contract\*\*[^]*vfio_put_device/);
  });

  for (const [what, text, contract] of [
    ['container_of() of a device', 'container_of(vdev', /to its container `struct lamp`/],
    ['the registration of a driver', 'module_driver(lamp', /`lamp_probe\(\)` runs for each device/],
  ] as const) {
    test(`the hover on ${what} tells what it is for`, async () => {
      match(await hoverAt(find(document, text).start), contract);
    });
  }

  test('references lead from the allocation to its puts', async () => {
    const { start } = find(document, 'vfio_alloc_device(');
    const found = await ask<vscode.Location[]>('vscode.executeReferenceProvider', start);
    const put = find(document, 'vfio_put_device(').start.line;
    ok(found.some(({ range }) => range.start.line === put));
  });

  test('completion offers the members that the target kernel has', async () => {
    const edit = new vscode.WorkspaceEdit();
    const at = find(document, '\t.open_device').start;
    edit.insert(document.uri, at, '\t.\n');
    await vscode.workspace.applyEdit(edit);
    const labels = await labelsAt(at.translate(0, 2), '.');
    ok(labels.includes('.init'), labels.join());
    // It came with 6.2.
    equal(labels.includes('.attach_ioas'), false);
    await revert(document);
  });

  test('completion offers the tag and the member for the arguments of an allocation', async () => {
    const given = find(document, 'lamp, vdev, &mdev->dev, &lamp_ops');
    const put = async (text: string): Promise<vscode.Position> => {
      const edit = new vscode.WorkspaceEdit();
      edit.replace(document.uri, new vscode.Range(given.start, behind), text);
      await vscode.workspace.applyEdit(edit);
      return (behind = given.start.translate(0, text.length));
    };
    let behind = given.end;
    deepEqual(await labelsAt(await put(''), '('), ['lamp']);
    deepEqual(await labelsAt(await put('lamp, '), ','), ['vdev']);
    await revert(document);
  });

  test('a snippet writes a part of a driver for its bus', async () => {
    await goBehind('MODULE_LICENSE("Dual MIT/GPL");');
    await page.keyboard.press('Enter');
    await page.keyboard.type('vfio_rem');
    const row = page.locator('.suggest-widget .monaco-list-row', { hasText: 'vfio_remove' });
    await clickUntil('the function', row.first(), () =>
      /_remove\(struct mdev_device \*mdev\)[^]*_remove\(struct mdev_device \*mdev\)/.test(
        document.getText(),
      ),
    );
    await page.keyboard.press('Escape');
    await revert(document);
  });

  test('the rule of a comment links to its page', async () => {
    const edit = new vscode.WorkspaceEdit();
    const at = find(document, '\tif (ret)').start;
    edit.insert(document.uri, at, '\t/* vfio-lifecycle: allow(missing-put): the core puts it */\n');
    await vscode.workspace.applyEdit(edit);
    const links = await until('the link', async () => {
      const found = await ask<vscode.DocumentLink[]>('vscode.executeLinkProvider', 50);
      return found.length > 0 ? found : undefined;
    });
    match(links[0]!.target!.toString(), /missing-put\.md/);
    await revert(document);
  });
});
