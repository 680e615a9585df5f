import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { suite, test } from 'mocha';
import * as vscode from 'vscode';
import { codeActions, convertDriver, find, open, revert, rule, until } from './support.ts';

/**
 * The findings of a document as `rule line-text`, once there are `count`. What a conversion leaves
 * to look at is none.
 */
async function findings(document: vscode.TextDocument, count: number): Promise<string[]> {
  const diagnostics = await until(`${count} diagnostics`, () => {
    const all = vscode.languages
      .getDiagnostics(document.uri)
      .filter(({ source }) => source === 'vfio');
    return all.length === count ? all : undefined;
  });
  return diagnostics
    .sort((left, right) => left.range.start.compareTo(right.range.start))
    .map(
      (diagnostic) =>
        `${String(rule(diagnostic))}: ${document.lineAt(diagnostic.range.start).text.trim()}`,
    );
}

async function hover(document: vscode.TextDocument, position: vscode.Position): Promise<string> {
  const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
    'vscode.executeHoverProvider',
    document.uri,
    position,
  );
  return hovers
    .flatMap((one) =>
      one.contents.map((content) => (typeof content === 'string' ? content : content.value)),
    )
    .join('\n');
}

suite('language features', () => {
  test('the example shows its three mistakes', async () => {
    deepEqual(await findings(await open('mistakes.c'), 3), [
      'null-check-on-alloc: if (!lamp)',
      'missing-put: return ret;',
      'use-after-put: dev_info(&mdev->dev, "switched %u times\\n", lamp->switched);',
    ]);
  });

  test('a diagnostic links to the page of its rule and to the other end', async () => {
    const document = await open('mistakes.c');
    await findings(document, 3);
    const diagnostic = vscode.languages
      .getDiagnostics(document.uri)
      .find((one) => rule(one) === 'missing-put');
    ok(diagnostic && typeof diagnostic.code === 'object');
    match(diagnostic.code.target.toString(), /missing-put/);
    ok((diagnostic.relatedInformation ?? []).length > 0);
  });

  test('hover on a function tells its contract', async () => {
    const document = await open('mistakes.c');
    match(
      await hover(document, find(document, 'vfio_alloc_device').start.translate(0, 3)),
      /vfio_alloc_device/,
    );
  });

  test('a quick fix is one edit that undo takes back', async () => {
    const document = await open('mistakes.c');
    const before = document.getText();
    const actions = await until('a quick fix', async () => {
      const found = await codeActions(
        document,
        find(document, '!lamp'),
        vscode.CodeActionKind.QuickFix.value,
      );
      return found.length > 0 ? found : undefined;
    });
    const fix = actions.find((action) => action.isPreferred);
    ok(fix?.edit, 'a preferred fix with its edit');
    await vscode.workspace.applyEdit(fix.edit);
    match(document.getText(), /if \(IS_ERR\(lamp\)\)\n\t\treturn PTR_ERR\(lamp\);/);
    await findings(document, 2);
    await vscode.commands.executeCommand('undo');
    equal(document.getText(), before);
    await findings(document, 3);
  });

  test('the conversion is one edit that undo takes back', async () => {
    const document = await open('old_model.c');
    const before = document.getText();
    await until('diagnostics', () => vscode.languages.getDiagnostics(document.uri).length > 0);
    const { done } = await convertDriver(() => document.isDirty);
    await done;
    match(document.getText(), /vfio_alloc_device\(meter, vdev, /);
    await findings(document, 0);
    await vscode.commands.executeCommand('undo');
    equal(document.getText(), before);
    await revert(document);
  });

  test('a change of the target kernel changes the findings', async () => {
    const document = await open('old_model.c');
    const configuration = vscode.workspace.getConfiguration('vfioLifecycle');
    const rules = (): string[] =>
      vscode.languages.getDiagnostics(document.uri).map((one) => String(rule(one)));
    await until('removed-api', () => rules().includes('removed-api'));
    await configuration.update('targetKernel', '6.0');
    await until(
      'deprecated-init-group-dev',
      () => rules().includes('deprecated-init-group-dev') && !rules().includes('removed-api'),
    );
    await configuration.update('targetKernel', undefined);
    await until('removed-api', () => rules().includes('removed-api'));
  });
});
