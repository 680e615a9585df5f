import { realpath } from 'node:fs/promises';
import type { ExtensionContext } from 'vscode';
import { activate as activateShared, type Api } from './shared.ts';

/** Entry of the desktop and remote extension: the server is a Node process. */
export function activate(context: ExtensionContext): Api {
  return activateShared(context, async (options) => {
    const { LanguageClient, TransportKind } = await import('vscode-languageclient/node');
    const module = context.asAbsolutePath('dist/server.cjs');
    return new LanguageClient('vfioLifecycle', 'VFIO Lifecycle', { module, transport: TransportKind.ipc }, options);
  }, (path) => realpath(path));
}
