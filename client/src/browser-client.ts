/** Starts the server in a browser, where it is a web worker. */
import * as vscode from 'vscode';
import { LanguageClient } from 'vscode-languageclient/browser';
import type { CreateClient } from './session.ts';

/** Makes the client of a server that is a web worker. */
export function browserClient(extension: vscode.Uri): CreateClient {
  return async (options) => {
    const inExtension = (path: string): vscode.Uri => vscode.Uri.joinPath(extension, path);
    const read = (path: string): Thenable<Uint8Array> =>
      vscode.workspace.fs.readFile(inExtension(path));
    const wasm = async (path: string): Promise<string> => base64(await read(path));
    // A worker cannot read the extension's folder by itself: it gets both modules with the first
    // message.
    const [script, runtime, grammar] = await Promise.all([
      read('dist/web/server.js'),
      wasm('dist/web-tree-sitter.wasm'),
      wasm('dist/tree-sitter-c.wasm'),
    ]);
    const worker = startWorker(script);
    const initializationOptions = {
      ...(options.initializationOptions as object),
      runtime,
      grammar,
    };
    return new LanguageClient('vfioLifecycle', 'VFIO Lifecycle', worker, {
      ...options,
      initializationOptions,
    });
  };
}

/**
 * A worker of the bytes of its script: where the extension comes from a remote, VS Code can read
 * the script but makes no worker of its address.
 */
function startWorker(script: Uint8Array): Worker {
  const address = URL.createObjectURL(
    new Blob([new Uint8Array(script)], { type: 'text/javascript' }),
  );
  const worker = new Worker(address);
  // The script is loaded by then.
  worker.addEventListener('message', () => URL.revokeObjectURL(address), { once: true });
  return worker;
}

/** Binary data as text: messages to the server are JSON. */
function base64(bytes: Uint8Array): string {
  const step = 0x8000;
  let binary = '';
  for (let at = 0; at < bytes.length; at += step)
    binary += String.fromCharCode(...bytes.subarray(at, at + step));
  return btoa(binary);
}
