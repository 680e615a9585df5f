/**
 * What the editor shows of a driver beside its text and while it is written: lenses, the hover's
 * blocks, the other end, links and completion.
 */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { suite, suiteSetup, suiteTeardown, test } from 'mocha';
import * as vscode from 'vscode';
import { find, open, revert, until } from './support.ts';

suite('beside the code', () => {
  let document: vscode.TextDocument;
  const settings = (): vscode.WorkspaceConfiguration =>
    vscode.workspace.getConfiguration('vfioLifecycle');
  /** What a provider answers, as VS Code itself asks it. */
  const ask = <Answer>(command: string, ...given: unknown[]): Thenable<Answer> =>
    vscode.commands.executeCommand<Answer>(command, document.uri, ...given);

  suiteSetup(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    document = await open('mistakes.c', { preview: false });
    await until('the mistakes', () => vscode.languages.getDiagnostics(document.uri).length === 3);
  });
  suiteTeardown(async () => {
    await settings().update('codeLens', undefined);
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
    const mistakes = document;
    document = await open('old_model.c', { preview: false });
    await settings().update('codeLens', undefined);
    await until('the conversion', async () =>
      (await titles()).includes('Convert to vfio_alloc_device()'),
    );
    document = mistakes;
    await vscode.window.showTextDocument(document);
  });

  test('the hover has one block State and one block Contract', async () => {
    const { start } = find(document, 'vfio_register_emulated_iommu_dev');
    const hovers = await ask<vscode.Hover[]>('vscode.executeHoverProvider', start);
    const text = hovers
      .flatMap(({ contents }) => contents)
      .map((content) => (typeof content === 'string' ? content : content.value))
      .join('\n');
    deepEqual(text.match(/\*\*(?:State|Contract)\*\*/g), ['**State**', '**Contract**']);
    match(text, /still owed: `vfio_put_device\(\)`/);
  });

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
    const { items } = await ask<vscode.CompletionList>(
      'vscode.executeCompletionItemProvider',
      at.translate(0, 2),
      '.',
    );
    const labels = items.map(({ label }) => (typeof label === 'string' ? label : label.label));
    ok(labels.includes('.init'), labels.join());
    // It came with 6.2.
    equal(labels.includes('.attach_ioas'), false);
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
