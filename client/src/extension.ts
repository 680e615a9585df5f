/**
 * Entry of dist/extension.cjs, the extension on the desktop and in a remote. It is small: VS Code
 * loads it with the first C file, and most of them have nothing to do with VFIO. The rest is in
 * dist/web/extension.js.
 */
import { realpath } from 'node:fs/promises';
import { commands, type ExtensionContext } from 'vscode';
import type { Parts } from './parts.ts';
import { activate as activateShared, type Api } from './shared.ts';
import { registerTasks } from './tasks.ts';

/** The desktop and remote extension: the server is a Node process. */
export function activate(context: ExtensionContext): Promise<Api> {
  // `npm start` asks for it.
  if (process.env['VFIO_LIFECYCLE_SHOW_PROBLEMS'] !== undefined) void showProblems();
  context.subscriptions.push(
    registerTasks(process.execPath, context.asAbsolutePath('dist/cli.cjs')),
  );
  const load = async (): Promise<Parts> => (await import('./browser.ts')).parts;
  return activateShared(context, {
    parts: load,
    createClient: async (options) => {
      const { nodeClient } = await (await load()).loadNodeClient();
      return nodeClient(context)(options);
    },
    realPath: (path) => realpath(path),
  });
}

async function showProblems(): Promise<void> {
  await commands.executeCommand('workbench.actions.view.problems');
  await commands.executeCommand('workbench.action.focusActiveEditorGroup');
}
