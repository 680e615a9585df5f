// Gives the engine what nobody would write, and counts its work: `npm run test:hostile`. With
// folders, every C file in them goes through mask, parser, lowering, analysis and rules: `npm run
// test:hostile -- DIR… [--every=N]`.
import { build } from 'esbuild';
import { mkdirSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { line } from './lib/counts.mjs';
import { inProject, root } from './lib/paths.mjs';

const outfile = inProject('out/hostile.mjs');
mkdirSync(inProject('out'), { recursive: true });
await build({
  absWorkingDir: root,
  entryPoints: ['test/hostile/main.ts'],
  outfile,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'es2022',
  logLevel: 'warning',
});
const { run } = await import(pathToFileURL(outfile).href);
const counts = await run(process.argv.slice(2), outfile);
console.log(line(counts));
process.exit(counts.failed > 0 ? 1 : 0);
