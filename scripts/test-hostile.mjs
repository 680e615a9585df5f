// Gives the engine what nobody would write, and counts its work: `npm run test:hostile`. With
// folders, every C file in them goes through mask, parser, lowering, analysis and rules: `npm run
// test:hostile -- DIR… [--every=N]`.
import { line } from './lib/counts.mjs';
import { loadTypeScript } from './lib/typescript.mjs';

const {
  exports: { run },
  outfile,
} = await loadTypeScript('test/hostile/main.ts', 'hostile');
const counts = await run(process.argv.slice(2), outfile);
console.log(line(counts));
process.exit(counts.failed > 0 ? 1 : 0);
