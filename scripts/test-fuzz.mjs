// Edits the project's drivers at random and compares an engine that kept what it knew with a new
// one; with --server the same through servers, of which each request is to be answered: `npm run
// test:fuzz [-- --edits N] [--seed S] [--server]`. The same seed makes the same edits.
import { parseArgs } from 'node:util';
import { line } from './lib/counts.mjs';
import { inProject, root } from './lib/paths.mjs';
import { loadTypeScript } from './lib/typescript.mjs';
import { run as execute } from './lib/run.mjs';

const { values } = parseArgs({
  options: {
    edits: { type: 'string', default: '1000' },
    server: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_007) },
  },
});
const edits = Number(values.edits);
const seed = Number(values.seed);
if (!Number.isInteger(edits) || edits < 1 || !Number.isInteger(seed)) {
  console.error('--edits takes a number of edits and --seed a whole number');
  process.exit(2);
}
const {
  exports: { run, runServer },
} = await loadTypeScript('test/hostile/fuzz.ts', 'fuzz');
console.log(`${edits} edits, seed ${seed}`);
if (values.server) execute(process.execPath, [inProject('scripts/build.mjs')]);
const counts = await (values.server ? runServer : run)(edits, seed, root);
console.log(line(counts));
process.exit(counts.failed > 0 ? 1 : 0);
