// Holds the tables of kernel facts against kernel trees: `npm run test:facts -- DIR…`. A tree needs
// its Makefile, include/linux and drivers/vfio. Ends with the line of counts.
import { line } from './lib/counts.mjs';
import { loadTypeScript } from './lib/typescript.mjs';

const folders = process.argv.slice(2);
if (folders.length === 0) {
  console.error('give the folder of a kernel tree: npm run test:facts -- DIR');
  process.exit(2);
}
const {
  exports: { run },
} = await loadTypeScript('test/kernel/facts/main.ts', 'facts');
const counts = await run(folders);
console.log(line(counts));
process.exit(counts.failed > 0 ? 1 : 0);
