/** What tells one version of the program from another. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WASM } from './load-engine.ts';

/**
 * Another text for each version of the program, whatever it calls itself.
 * @param bundle the file that runs.
 * @param dist the folder of the wasm modules.
 */
export function identityOf(bundle: string, dist: string): string {
  const hash = createHash('sha256');
  for (const one of [bundle, ...WASM.map((name) => join(dist, name))])
    hash.update(readFileSync(one));
  return hash.digest('hex');
}
