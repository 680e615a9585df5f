import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { suite, test } from 'mocha';
import * as vscode from 'vscode';
import { CORE_WRAPPERS, OVER_CORE_LEAKY } from '../../support/vendor-core.ts';
import { codeActions, open, revert, rule, until } from './support.ts';

const configuration = (): vscode.WorkspaceConfiguration =>
  vscode.workspace.getConfiguration('vfioLifecycle');
const inWorkspace = (name: string): vscode.Uri =>
  vscode.Uri.joinPath(vscode.workspace.workspaceFolders![0]!.uri, name);
const write = (name: string, text: string): Thenable<void> =>
  vscode.workspace.fs.writeFile(inWorkspace(name), new TextEncoder().encode(text));

/** The severities of a rule's findings in a document. */
function severities(document: vscode.TextDocument, id: string): vscode.DiagnosticSeverity[] {
  return vscode.languages
    .getDiagnostics(document.uri)
    .filter((one) => rule(one) === id)
    .map((one) => one.severity);
}

suite('settings', () => {
  test('`rules` gives a rule its severity and switches it off', async () => {
    const document = await open('mistakes.c');
    await until(
      'an error',
      () => severities(document, 'missing-put')[0] === vscode.DiagnosticSeverity.Error,
    );
    await configuration().update('rules', { 'missing-put': 'warning' });
    await until(
      'a warning',
      () => severities(document, 'missing-put')[0] === vscode.DiagnosticSeverity.Warning,
    );
    await configuration().update('rules', { 'missing-put': 'off' });
    await until(
      'nothing',
      () =>
        severities(document, 'missing-put').length === 0 &&
        severities(document, 'use-after-put').length === 1,
    );
    await configuration().update('rules', undefined);
    await until(
      'an error',
      () => severities(document, 'missing-put')[0] === vscode.DiagnosticSeverity.Error,
    );
  });

  test('`wrappers` explain a vendor core', async () => {
    await write('nic.c', OVER_CORE_LEAKY);
    const document = await open('nic.c');
    await configuration().update('wrappers', CORE_WRAPPERS);
    await until('missing-put', () => severities(document, 'missing-put').length === 1);
    await configuration().update('wrappers', undefined);
    await until('nothing', () => severities(document, 'missing-put').length === 0);
  });

  test('.vfio-lifecycle.json counts while it is there, and comes after the setting', async () => {
    const document = await open('mistakes.c');
    await write('.vfio-lifecycle.json', '{ "rules": { "missing-put": "information" } }');
    await until(
      'information',
      () => severities(document, 'missing-put')[0] === vscode.DiagnosticSeverity.Information,
    );
    await configuration().update('rules', { 'missing-put': 'warning' });
    await until(
      'a warning',
      () => severities(document, 'missing-put')[0] === vscode.DiagnosticSeverity.Warning,
    );
    await configuration().update('rules', undefined);
    await vscode.workspace.fs.delete(inWorkspace('.vfio-lifecycle.json'));
    await until(
      'an error',
      () => severities(document, 'missing-put')[0] === vscode.DiagnosticSeverity.Error,
    );
  });

  test('the schema of .vfio-lifecycle.json comes with the extension and names the rules', async () => {
    const { extensionUri, packageJSON } = vscode.extensions.getExtension(
      'vfio-lifecycle.vfio-lifecycle',
    )!;
    const [{ fileMatch, url }] = packageJSON.contributes.jsonValidation as [
      { fileMatch: string; url: string },
    ];
    equal(fileMatch, '.vfio-lifecycle.json');
    const schema = JSON.parse(
      new TextDecoder().decode(
        await vscode.workspace.fs.readFile(vscode.Uri.joinPath(extensionUri, url)),
      ),
    );
    ok('missing-put' in schema.properties.rules.properties);
    deepEqual(configuration().inspect('rules')?.defaultValue, {});
  });
});

suite('suppression comments', () => {
  test('a quick fix writes one, and the cursor waits for the reason', async () => {
    const document = await open('mistakes.c');
    await until('missing-put', () => severities(document, 'missing-put').length === 1);
    const { range } = vscode.languages
      .getDiagnostics(document.uri)
      .find((one) => rule(one) === 'missing-put')!;
    const action = (await codeActions(document, range, vscode.CodeActionKind.QuickFix.value)).find(
      (one) => one.title === 'Suppress missing-put with a comment…',
    );
    ok(action?.edit, 'the action with its edit');
    equal(action.isPreferred ?? false, false);
    await vscode.workspace.applyEdit(action.edit);
    await until(
      'a warning for want of a reason',
      () => severities(document, 'suppression-without-reason').length === 1,
    );
    await vscode.commands.executeCommand('type', { text: 'the bus puts it' });
    match(document.getText(), /\/\* vfio-lifecycle: allow\(missing-put\): the bus puts it \*\/\n/);
    await until(
      'nothing',
      () =>
        severities(document, 'missing-put').length === 0 &&
        severities(document, 'suppression-without-reason').length === 0,
    );

    await revert(document);
    await until('missing-put', () => severities(document, 'missing-put').length === 1);
  });
});
