// Holds the tables of kernel facts against kernel trees: `npm run test:facts -- DIR…`. A tree needs
// its Makefile, include/linux and drivers/vfio. Ends with the line of counts.
import { build } from 'esbuild';
import { mkdirSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { line } from './lib/counts.mjs';
import { inProject, root } from './lib/paths.mjs';

const folders = process.argv.slice(2);
if (folders.length === 0) {
  console.error('give the folder of a kernel tree: npm run test:facts -- DIR');
  process.exit(2);
}
const outfile = inProject('out/facts.mjs');
mkdirSync(inProject('out'), { recursive: true });
await build({
  absWorkingDir: root,
  entryPoints: ['test/kernel/facts/main.ts'],
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
const counts = await run(folders);
console.log(line(counts));
process.exit(counts.failed > 0 ? 1 : 0);
