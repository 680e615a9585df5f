import * as vscode from 'vscode';
import { activate as activateShared, type Api } from './shared.ts';

/** Entry of the extension in a browser: the server is a web worker. */
export function activate(context: vscode.ExtensionContext): Api {
  return activateShared(context, async (options) => {
    const { LanguageClient } = await import('vscode-languageclient/browser');
    const inExtension = (path: string): vscode.Uri => vscode.Uri.joinPath(context.extensionUri, path);
    const wasm = async (path: string): Promise<string> => base64(await vscode.workspace.fs.readFile(inExtension(path)));
    // A worker cannot read the extension's folder by itself: it gets both modules with the first message.
    const [runtime, grammar] = await Promise.all([wasm('dist/web-tree-sitter.wasm'), wasm('dist/tree-sitter-c.wasm')]);
    const worker = new Worker(inExtension('dist/web/server.js').toString(true));
    const initializationOptions = { ...options.initializationOptions as object, runtime, grammar };
    return new LanguageClient('vfioLifecycle', 'VFIO Lifecycle', worker, { ...options, initializationOptions });
  });
}

/** Binary data as text: messages to the server are JSON. */
function base64(bytes: Uint8Array): string {
  const step = 0x8000;
  let binary = '';
  for (let at = 0; at < bytes.length; at += step) binary += String.fromCharCode(...bytes.subarray(at, at + step));
  return btoa(binary);
}
