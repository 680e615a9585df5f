/** The extension on the desktop and in a remote, where the server is a Node process. */
import { commands, Uri, type ExtensionContext } from 'vscode';
import { activate as activateShared, type Api } from './shared.ts';
import { registerTasks } from './tasks.ts';

/** The desktop and remote extension: the server is a Node process. */
export async function activate(context: ExtensionContext): Promise<Api> {
  // `npm start` asks for it.
  if (process.env['VFIO_LIFECYCLE_SHOW_PROBLEMS'] !== undefined) void showProblems();
  context.subscriptions.push(
    registerTasks(process.execPath, context.asAbsolutePath('dist/cli.cjs')),
  );
  const { realpath } = await import('node:fs/promises');
  return activateShared(
    context,
    async (options) => {
      const { LanguageClient, TransportKind } = await import('vscode-languageclient/node');
      const module = context.asAbsolutePath('dist/server.cjs');
      // What V8 compiled of the server is kept with the extension's own files, and goes with them.
      const { fsPath } = Uri.joinPath(context.globalStorageUri, 'compiled');
      return new LanguageClient(
        'vfioLifecycle',
        'VFIO Lifecycle',
        {
          module,
          transport: TransportKind.ipc,
          options: { env: { VFIO_LIFECYCLE_CACHE: fsPath } },
        },
        options,
      );
    },
    (path) => realpath(path),
  );
}

async function showProblems(): Promise<void> {
  await commands.executeCommand('workbench.actions.view.problems');
  await commands.executeCommand('workbench.action.focusActiveEditorGroup');
}
