/** The engine over the two wasm modules of dist/. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createEngine, type Engine } from '../engine/analyse.ts';
import { loadParser } from '../engine/pipeline.ts';

const WASM = ['web-tree-sitter.wasm', 'tree-sitter-c.wasm'] as const;

/** The bytes of the runtime and of the grammar. */
export function readWasm(dist: string): readonly [runtime: Uint8Array, grammar: Uint8Array] {
  return [readFileSync(join(dist, WASM[0])), readFileSync(join(dist, WASM[1]))];
}

/** @param dist the folder of the wasm modules. */
export async function loadEngine(dist: string): Promise<Engine> {
  const [runtime, grammar] = readWasm(dist);
  return createEngine(await loadParser({ runtime, grammar }));
}
