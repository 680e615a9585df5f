/** Starts the server on the desktop and in a remote, where it is a Node process. */
import { Uri, type ExtensionContext } from 'vscode';
import { LanguageClient, TransportKind } from 'vscode-languageclient/node';
import type { CreateClient } from './session.ts';

/** Makes the client of a server that is a Node process. */
export function nodeClient(context: ExtensionContext): CreateClient {
  const module = context.asAbsolutePath('dist/server.cjs');
  // What V8 compiled of the server is kept with the extension's own files, and goes with them.
  const { fsPath } = Uri.joinPath(context.globalStorageUri, 'compiled');
  const options = { env: { VFIO_LIFECYCLE_CACHE: fsPath } };
  const server = { module, transport: TransportKind.ipc, options };
  return (client) =>
    Promise.resolve(new LanguageClient('vfioLifecycle', 'VFIO Lifecycle', server, client));
}
