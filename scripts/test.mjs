// Runs everything that needs no kernel source, one suite after the other, and ends with what failed
// and the sum of all. A suite that cannot start or that tells of no test counts as one failure.
// `npm test -- NAME…` runs only the suites of these names.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { add, line, none } from './lib/counts.mjs';
import { inProject } from './lib/paths.mjs';
import { believe, bin, start, vitest } from './lib/suites.mjs';

const suites = [
  ['typecheck', () => check(bin('tsc'), ['--noEmit', '-p', '.'])],
  ['lint', () => check(bin('eslint'), ['.'])],
  ['format', () => check(bin('prettier'), ['--check', '--log-level', 'warn', '.'])],
  ['unit', () => vitest('unit')],
  ['grammar', () => counted(script('test-grammar'), 'grammar-counts.json')],
  ['build', () => check(...script('build'))],
  ['process', () => vitest('process')],
  ['bundle', () => vitest('bundle')],
  ['harness', () => vitest('harness')],
  ['host', () => counted(script('test-host'), 'host-counts.json')],
  ['web', () => counted(script('test-web'), 'web-counts.json')],
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !suites.some(([known]) => known === name));
if (unknown.length > 0) {
  console.error(
    `no such suite: ${unknown.join(', ')}; there are ${suites.map(([name]) => name).join(', ')}`,
  );
  process.exit(2);
}
// These run what is in dist/.
if (['process', 'harness', 'host'].some((name) => wanted.includes(name))) wanted.push('build');
mkdirSync(inProject('out'), { recursive: true });
let total = none;
const summary = [],
  failures = [];
for (const [name, run] of suites) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`\n── ${name} ──`);
  const begin = performance.now();
  const counts = run();
  total = add(total, counts);
  const seconds = Math.round((performance.now() - begin) / 1000);
  summary.push(`${name.padEnd(10)} ${line(counts)} (${seconds} s)`);
  if (counts.failed > 0)
    failures.push(...(counts.failures ?? ['see above']).map((failure) => `${name}: ${failure}`));
}
console.log(`\n${summary.join('\n')}\n`);
for (const failure of failures) console.log(`FAILED ${failure}`);
console.log(line(total));
process.exit(total.failed > 0 ? 1 : 0);

/** One program whose exit status is the whole result. */
function check(program, args) {
  return start(program, args) ? { ...none, passed: 1 } : { ...none, failed: 1 };
}

/** A program that writes its counts to a file in out/. */
function counted([program, args], file) {
  const path = inProject('out', file);
  rmSync(path, { force: true });
  const succeeded = start(program, args);
  const counts = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : none;
  return believe(counts, succeeded);
}

function script(name) {
  return [process.execPath, [inProject('scripts', `${name}.mjs`)]];
}
