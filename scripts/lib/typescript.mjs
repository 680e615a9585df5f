// Bundles and loads TypeScript for scripts.
import { build } from 'esbuild';
import { mkdirSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { inProject, root } from './paths.mjs';

/**
 * Bundles a TypeScript file of the project (a path from its root) to `out/NAME.mjs` and imports it.
 * Returns its exports and where the bundle is.
 */
export async function loadTypeScript(entry, name) {
  const outfile = inProject(`out/${name}.mjs`);
  mkdirSync(inProject('out'), { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'es2022',
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  return { exports: await import(pathToFileURL(outfile).href), outfile };
}
