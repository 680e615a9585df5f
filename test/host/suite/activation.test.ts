import { deepEqual, equal } from 'node:assert/strict';
import { suite, test } from 'mocha';
import type { Page } from 'playwright-core';
import * as vscode from 'vscode';
import { activationOf } from '../../editor-host/workbench-page.mjs';
import { activated, inWindow, open, revert, serverProcesses, until } from './support.ts';

const configuration = (): vscode.WorkspaceConfiguration =>
  vscode.workspace.getConfiguration('vfioLifecycle');

suite(`activation in ${vscode.env.appName} ${vscode.version}`, () => {
  let page: Page;
  const name = 'VFIO Lifecycle';
  /** What the list of running extensions says of ours. */
  const listed = async (): Promise<string | undefined> => {
    await vscode.commands.executeCommand('workbench.action.showRuntimeExtensions');
    return activationOf(page);
  };

  // What was activated stays so: a second time would see something else.
  inWindow(
    (connected) => {
      page = connected;
    },
    { retries: 0 },
  );

  test('a window without a C file does not activate the extension', async () => {
    const said = await listed();
    console.log(`${name} in a window without a file: ${said ?? 'not activated'}`);
    equal(said, undefined);
  });

  test('the editor reports the time of the activation by a C file', async () => {
    await open('plain.c');
    await activated();
    const said = await until('the time', async () => /\d+ms/.exec((await listed()) ?? '')?.[0]);
    console.log(`${name} in a window with a C file: ${said}`);
  });

  test('a C file that does not mention VFIO starts no server', async () => {
    await open('plain.c');
    const extension = await activated();
    equal(extension.exports.session, undefined);
    deepEqual(serverProcesses(), []);
  });

  test('an edit that does not mention VFIO starts no server', async () => {
    const document = await open('plain.c');
    await type(document, 'int video_count;\n');
    equal((await activated()).exports.session, undefined);
    await revert(document);
  });

  test('an edit that mentions VFIO starts one server', async () => {
    const document = await open('plain.c');
    for (const key of 'vfio_d') await type(document, key);
    const session = await until('a server', () => extensionSession());
    equal(session.client?.isRunning(), true);
    equal(serverProcesses().length, 1);
    await revert(document);
  });

  test('`enable: off` ends the server and `auto` brings it back for a driver', async () => {
    await open('mistakes.c');
    await configuration().update('enable', 'off');
    await until('the end of the server', () => serverProcesses().length === 0);
    equal((await activated()).exports.session, undefined);
    await configuration().update('enable', undefined);
    await until('a server', () => extensionSession());
    equal(serverProcesses().length, 1);
  });

  test('restarted twice at once, there is one new server', async () => {
    const [before] = serverProcesses();
    await Promise.all([1, 2].map(() => vscode.commands.executeCommand('vfioLifecycle.restart')));
    equal((await extensionSession())?.client?.isRunning(), true);
    await until('one server that is not the old one', () => {
      const now = serverProcesses();
      return now.length === 1 && now[0] !== before;
    });
  });

  test('the restart command makes a new server', async () => {
    const [before] = serverProcesses();
    await vscode.commands.executeCommand('vfioLifecycle.restart');
    await until('one server that is not the old one', () => {
      const now = serverProcesses();
      return now.length === 1 && now[0] !== before;
    });
  });
});

async function extensionSession() {
  return (await activated()).exports.session;
}

async function type(document: vscode.TextDocument, text: string): Promise<void> {
  const edit = new vscode.WorkspaceEdit();
  const end = document.lineAt(document.lineCount - 1).range.end;
  edit.insert(document.uri, end, text);
  await vscode.workspace.applyEdit(edit);
}
