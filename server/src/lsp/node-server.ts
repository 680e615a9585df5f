import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PerformanceObserver } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { createNodeFiles } from './node-files.ts';
import { startServer } from './server.ts';

/**
 * Serves over the transport that the process' arguments name: --stdio, --node-ipc or --socket=N.
 * @param folder the folder of the bundle, where the wasm modules lie.
 */
export function startNodeServer(folder: string): void {
  // An editor's server lives for days beside many others. Left alone V8 lets the heap grow to several times what is alive, because
  // each keystroke leaves much garbage; with this it grows by little.
  setFlagsFromString('--heap-growing-percent=30');
  boundNewSpace();
  const pages = join(folder, '..', 'docs', 'rules');
  startServer(createConnection(ProposedFeatures.all), {
    async loadWasm() {
      const [runtime, grammar] = await Promise.all(['web-tree-sitter.wasm', 'tree-sitter-c.wasm'].map((name) => readFile(join(folder, name))));
      return { runtime: runtime!, grammar: grammar! };
    },
    files: createNodeFiles(),
    rest: () => new Promise((resume) => void setImmediate(resume)),
    docs: existsSync(pages) ? pathToFileURL(`${pages}/`).href : undefined,
  });
}

/** Bytes, of both halves. */
const NEW_SPACE = 8 << 20;

/**
 * Bounds the space for new objects, which V8 lets grow to 32 MB. At its first size, 2 MB, it is collected more than twice for each key in a large
 * driver; at this one every other key. The size at the start of the process cannot be told from inside, but whether it may grow can: it is
 * asked after each collection, because V8 shrinks it while nobody types.
 */
function boundNewSpace(): void {
  let mayGrow: boolean | undefined;
  const decide = (): void => {
    const space = getHeapSpaceStatistics().find((one) => one.space_name === 'new_space');
    const may = space !== undefined && space.space_size < NEW_SPACE;
    if (may === mayGrow) return;
    mayGrow = may;
    setFlagsFromString(`--semi-space-growth-factor=${may ? 2 : 1}`);
  };
  decide();
  new PerformanceObserver(decide).observe({ entryTypes: ['gc'] });
}
