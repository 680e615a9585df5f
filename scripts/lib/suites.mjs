// Starts the programs that test this project, and counts what they say.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { none } from './counts.mjs';
import { inProject, root } from './paths.mjs';

/**
 * A project of vitest.config.mjs, or those of its files whose paths contain one of `files`; `env`
 * is added to the environment.
 */
export function vitest(project, files = [], env = {}) {
  const report = inProject(`out/${project}.json`);
  rmSync(report, { force: true });
  const succeeded = start(
    bin('vitest'),
    [
      'run',
      '--project',
      project,
      ...files,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    env,
  );
  if (!existsSync(report)) return believe(none, false);
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const tests = testResults.flatMap((file) => file.assertionResults);
  const passed = tests.filter((test) => test.status === 'passed').length;
  const failed = tests.filter((test) => test.status === 'failed').length;
  const skipped = tests.filter((test) => test.status !== 'passed' && test.status !== 'failed');
  for (const test of skipped) console.log(`skipped: ${test.fullName}`);
  // A file that could not be loaded failed without a test of its own.
  const broken = testResults.filter(
    (file) =>
      file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  const failures = [
    ...tests
      .filter((test) => test.status === 'failed')
      .map((test) => `${test.fullName}\n${test.failureMessages.join('\n')}`),
    ...broken.map((file) => `${file.name}\n${file.message}`),
  ];
  return believe(
    { passed, failed: failed + broken.length, skipped: skipped.length, failures },
    succeeded,
  );
}

/** A suite that failed without a failed test, or that had none to run or to skip, failed once. */
export function believe(counts, succeeded) {
  const ran = counts.passed + counts.failed + counts.skipped > 0;
  return counts.failed === 0 && (!succeeded || !ran) ? { ...counts, failed: 1 } : counts;
}

/** Runs a program in the project's folder; tells whether it succeeded. */
export function start(program, args, env = {}) {
  const { status, error } = spawnSync(program, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  });
  if (error) console.error(String(error));
  return status === 0;
}

/** A program of node_modules. */
export function bin(name) {
  return inProject('node_modules/.bin', name);
}
