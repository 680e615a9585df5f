import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { nodeFileSystem } from './node-files.ts';
import { startServer } from './server.ts';

/**
 * Serves over the transport that the process' arguments name: --stdio, --node-ipc or --socket=N.
 * @param folder the folder of the bundle, where the wasm modules lie.
 */
export function startNodeServer(folder: string): void {
  // An editor's server lives for days beside many others. Left alone V8 lets the heap grow to several times what is alive, because
  // each keystroke leaves much garbage; with this it grows by little, and measured over 1,000 edits the time is the same. The second keeps
  // the space for new objects as small as it is at first, which saves 30 MB.
  setFlagsFromString('--heap-growing-percent=30');
  setFlagsFromString('--semi-space-growth-factor=1');
  const pages = join(folder, '..', 'docs', 'rules');
  startServer(createConnection(ProposedFeatures.all), {
    async loadWasm() {
      const [runtime, grammar] = await Promise.all(['web-tree-sitter.wasm', 'tree-sitter-c.wasm'].map((name) => readFile(join(folder, name))));
      return { runtime: runtime!, grammar: grammar! };
    },
    files: nodeFileSystem,
    docs: existsSync(pages) ? pathToFileURL(`${pages}/`).href : undefined,
  });
}
