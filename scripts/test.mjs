// Runs everything that needs no kernel source, one suite after the other, and ends with what failed and the sum of all. A suite that cannot
// start or that tells of no test counts as one failure. `npm test -- NAME…` runs only the suites of these names.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { add, line, none } from './lib/counts.mjs';
import { inProject, root } from './lib/paths.mjs';

const suites = [
  ['typecheck', () => check(bin('tsc'), ['--noEmit', '-p', '.'])],
  ['lint', () => check(bin('eslint'), ['.'])],
  ['unit', () => vitest('unit')],
  ['grammar', () => counted(script('test-grammar'), 'grammar-counts.json')],
  ['build', () => check(...script('build'))],
  ['process', () => vitest('process')],
  ['bundle', () => vitest('bundle')],
  ['harness', () => vitest('harness')],
  ['host', () => counted(script('test-host'), 'host-counts.json')],
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !suites.some(([known]) => known === name));
if (unknown.length > 0) {
  console.error(`no such suite: ${unknown.join(', ')}; there are ${suites.map(([name]) => name).join(', ')}`);
  process.exit(2);
}
// These run what is in dist/.
if (['process', 'harness', 'host'].some((name) => wanted.includes(name))) wanted.push('build');
mkdirSync(inProject('out'), { recursive: true });
let total = none;
const summary = [], failures = [];
for (const [name, run] of suites) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`\n── ${name} ──`);
  const counts = run();
  total = add(total, counts);
  summary.push(`${name.padEnd(10)} ${line(counts)}`);
  if (counts.failed > 0) failures.push(...(counts.failures ?? ['see above']).map((failure) => `${name}: ${failure}`));
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

/** A project of vitest.config.mjs. */
function vitest(project) {
  const report = inProject(`out/${project}.json`);
  rmSync(report, { force: true });
  const succeeded = start(bin('vitest'), ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]);
  if (!existsSync(report)) return believe(none, false);
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const tests = testResults.flatMap((file) => file.assertionResults);
  const passed = tests.filter((test) => test.status === 'passed').length;
  const failed = tests.filter((test) => test.status === 'failed').length;
  const skipped = tests.filter((test) => test.status !== 'passed' && test.status !== 'failed');
  for (const test of skipped) console.log(`skipped: ${test.fullName}`);
  // A file that could not be loaded failed without a test of its own.
  const broken = testResults.filter((file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'));
  const failures = [
    ...tests.filter((test) => test.status === 'failed').map((test) => `${test.fullName}\n${test.failureMessages.join('\n')}`),
    ...broken.map((file) => `${file.name}\n${file.message}`),
  ];
  return believe({ passed, failed: failed + broken.length, skipped: skipped.length, failures }, succeeded);
}

/** A suite that failed without a failed test, or that had none to run or to skip, failed once. */
function believe(counts, succeeded) {
  const ran = counts.passed + counts.failed + counts.skipped > 0;
  return counts.failed === 0 && (!succeeded || !ran) ? { ...counts, failed: 1 } : counts;
}

function start(program, args) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) console.error(String(error));
  return status === 0;
}

function bin(name) {
  return inProject('node_modules/.bin', name);
}

function script(name) {
  return [process.execPath, [inProject('scripts', `${name}.mjs`)]];
}
