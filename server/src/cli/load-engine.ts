/** The engine of a process or a thread of the command line. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createEngine, type Engine } from '../engine/analyse.ts';
import { loadParser } from '../engine/pipeline.ts';

const RUNTIME = 'web-tree-sitter.wasm';
const GRAMMAR = 'tree-sitter-c.wasm';

/** The wasm modules: another version of them makes another program. */
export const WASM: readonly string[] = [RUNTIME, GRAMMAR];

/** @param dist the folder of the wasm modules. */
export async function loadEngine(dist: string): Promise<Engine> {
  const parser = await loadParser({
    runtime: readFileSync(join(dist, RUNTIME)),
    grammar: readFileSync(join(dist, GRAMMAR)),
  });
  return createEngine(parser);
}
