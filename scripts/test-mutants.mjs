// Plants defects in correct drivers and counts those that are found: `npm run test:mutants [--
// DIR…]`. Without a folder the drivers are the project's own; with the folders of kernel trees,
// theirs. `--verbose` tells of each mutant, `--only=TEXT` runs the operators of that name.
import { line } from './lib/counts.mjs';
import { root } from './lib/paths.mjs';
import { loadTypeScript } from './lib/typescript.mjs';

const {
  exports: { run },
} = await loadTypeScript('test/mutants/main.ts', 'mutants');
const counts = await run(process.argv.slice(2), root);
console.log(line(counts));
process.exit(counts.failed > 0 ? 1 : 0);
