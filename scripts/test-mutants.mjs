// Plants defects in correct drivers and counts those that are found: `npm run test:mutants [--
// DIR…]`. Without a folder the drivers are the project's own; with the folders of kernel trees,
// theirs. `--verbose` tells of each mutant, `--only=TEXT` runs the operators of that name.
import { build } from 'esbuild';
import { mkdirSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { line } from './lib/counts.mjs';
import { inProject, root } from './lib/paths.mjs';

const outfile = inProject('out/mutants.mjs');
mkdirSync(inProject('out'), { recursive: true });
await build({
  absWorkingDir: root,
  entryPoints: ['test/mutants/main.ts'],
  outfile,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'es2022',
  sourcemap: 'inline',
  logLevel: 'warning',
});
const { run } = await import(pathToFileURL(outfile).href);
const counts = await run(process.argv.slice(2), root);
console.log(line(counts));
process.exit(counts.failed > 0 ? 1 : 0);
