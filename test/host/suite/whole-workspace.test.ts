/**
 * The check of the whole workspace: problems of files that nobody has opened, and what becomes of
 * them.
 */
import { deepEqual, equal, match } from 'node:assert/strict';
import { suite, suiteSetup, suiteTeardown, test } from 'mocha';
import type { Page } from 'playwright-core';
import * as vscode from 'vscode';
import { clickUntil, inWindow, open, rule, runByTitle, serverProcesses, until } from './support.ts';

suite('the whole workspace', () => {
  let page: Page;
  const uriOf = (name: string): vscode.Uri =>
    vscode.Uri.joinPath(vscode.workspace.workspaceFolders![0]!.uri, 'tree', name);
  const silo = (): vscode.Uri => uriOf('silo/silo.c');
  const rulesOf = (uri: vscode.Uri): unknown[] => vscode.languages.getDiagnostics(uri).map(rule);
  const isOpen = (uri: vscode.Uri): boolean =>
    vscode.workspace.textDocuments.some((one) => one.uri.toString() === uri.toString());
  const read = async (uri: vscode.Uri): Promise<string> =>
    new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
  const write = (uri: vscode.Uri, text: string): Thenable<void> =>
    vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));

  inWindow((connected) => {
    page = connected;
  });
  suiteSetup(() => vscode.commands.executeCommand('workbench.action.closeAllEditors'));
  suiteTeardown(async () => {
    await vscode.commands.executeCommand('notifications.clearAll');
    await vscode.commands.executeCommand('workbench.action.closePanel');
    // The next suite is to find the problems of open files alone.
    await vscode.commands.executeCommand('vfioLifecycle.restart');
  });

  test('is checked by a command, which leads to Problems', async () => {
    await runByTitle(page, 'Check Workspace');
    await until('the missing member', () => rulesOf(silo()).includes('ops-table-incomplete'));
    await until('the missing put', () => rulesOf(uriOf('barn/barn.c')).includes('missing-put'));
    deepEqual([isOpen(silo()), isOpen(uriOf('barn/barn.c'))], [false, false]);
    // The settings exclude it from searches.
    deepEqual(rulesOf(uriOf('node_modules/silo/silo.c')), []);

    // The window under test shows no toasts: the list has what a toast has.
    const said = page.locator('.notifications-center .notification-list-item', {
      hasText: 'that mention VFIO',
    });
    await until('the sentence', async () => {
      await vscode.commands.executeCommand('notifications.showList');
      return (await said.count()) > 0;
    });
    match(
      await said.innerText(),
      /Checked the \d+ files of \d+ that mention VFIO: \d+ errors.* in \d+ files\./,
    );
    // The list has more rows than the panel shows: this file is the first of those that nobody has
    // opened.
    const row = page.locator('.markers-panel .monaco-list-row', { hasText: 'dock_dev.c' });
    await clickUntil('the problems', said.locator('a', { hasText: 'Show Problems' }), () =>
      row.first().isVisible(),
    );
  });

  test('a file that is opened has its own problems, each once, and those of the disk when it is closed', async () => {
    const [before] = vscode.languages.getDiagnostics(silo());
    const document = await open('tree/silo/silo.c');
    const edit = new vscode.WorkspaceEdit();
    edit.insert(document.uri, new vscode.Position(0, 0), '\n');
    await vscode.workspace.applyEdit(edit);
    const lines = (): string =>
      vscode.languages
        .getDiagnostics(silo())
        .map((one) => one.range.start.line)
        .join();
    await until(
      'the problem one line further down, alone',
      () => lines() === String(before!.range.start.line + 1),
    );
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
    await until('the problem of the file', () => lines() === String(before!.range.start.line));
  });

  test('a file that changes on the disk has new problems, and one that is gone has none', async () => {
    const text = await read(silo());
    await write(
      silo(),
      text.replace(
        '\t.attach_ioas',
        '\t.detach_ioas = vfio_iommufd_physical_detach_ioas,\n\t.attach_ioas',
      ),
    );
    await until('no problem', () => rulesOf(silo()).length === 0);
    await write(silo(), text);
    await until('the problem', () => rulesOf(silo()).length === 1);
    await vscode.workspace.fs.delete(uriOf('barn'), { recursive: true });
    await until(
      'no problem of a file that is gone',
      () => rulesOf(uriOf('barn/barn.c')).length === 0,
    );
    equal(serverProcesses().length, 1);
  });

  test('is checked by a task too, whose problems give way to those of an open file', async () => {
    // It was never open in this window, and the command line knows nothing of the settings that
    // exclude it.
    const other = uriOf('node_modules/silo/silo.c');
    deepEqual(rulesOf(other), []);
    const [task] = await vscode.tasks.fetchTasks({ type: 'vfio-lifecycle' });
    equal(task?.name, 'check');
    const ended = new Promise<number | undefined>((resolve) => {
      const listener = vscode.tasks.onDidEndTaskProcess(({ exitCode }) => {
        listener.dispose();
        resolve(exitCode);
      });
    });
    await vscode.tasks.executeTask(task);
    equal(await ended, 1);
    await until('the problem', () => rulesOf(other).length === 1);
    const [found] = vscode.languages.getDiagnostics(other);
    deepEqual(
      [found!.source, rule(found!), found!.severity],
      ['vfio', 'ops-table-incomplete', vscode.DiagnosticSeverity.Error],
    );
    match(found!.message, /^`silo_ops` lacks \.detach_ioas: /);
    await open('tree/node_modules/silo/silo.c');
    // Only the server says where else to look.
    await until('the problem of the open file, alone', () => {
      const all = vscode.languages.getDiagnostics(other);
      return all.length === 1 && (all[0]!.relatedInformation ?? []).length > 0;
    });
  });
});
