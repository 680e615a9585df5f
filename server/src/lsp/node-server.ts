/** The thread of the server in Node that does the work. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort } from 'node:worker_threads';
import {
  BrowserMessageReader,
  BrowserMessageWriter,
  createConnection,
} from 'vscode-languageserver/browser';
import { collectAtRest, heapOfThread } from './node-collect.ts';
import { createNodeFiles } from './node-files.ts';
import { startServer } from './server.ts';

/**
 * Serves the client that the supervisor speaks with. A port of Node is one of the browser's too, and
 * what the protocol's library has for browsers loads nothing of Node: half of what it has for Node
 * are modules for sockets, pipes and processes, which the supervisor has.
 * @param folder the folder where the wasm modules lie.
 */
export function serveThread(folder: string): void {
  const port = parentPort as unknown as MessagePort;
  const pages = join(folder, '..', 'docs', 'rules');
  const heap = heapOfThread();
  const goesOn = heap ? collectAtRest(heap) : (): void => undefined;
  const reader = new BrowserMessageReader(port);
  reader.listen(goesOn);
  const rest = (): Promise<void> => {
    goesOn();
    return new Promise((resume) => void setImmediate(resume));
  };
  startServer(createConnection(reader, new BrowserMessageWriter(port)), {
    // Node takes longer to load what reads files without waiting than to read these.
    async loadWasm() {
      return {
        runtime: readFileSync(join(folder, 'web-tree-sitter.wasm')),
        grammar: readFileSync(join(folder, 'tree-sitter-c.wasm')),
      };
    },
    files: createNodeFiles(rest),
    rest,
    docs: existsSync(pages) ? pathToFileURL(`${pages}/`).href : undefined,
  });
}
