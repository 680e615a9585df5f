import Mocha from 'mocha';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

/** The order matters: that nothing runs can be seen only before something runs. */
const files = [
  'activation',
  'language',
  'beside',
  'settings',
  'several-files',
  'whole-or-nothing',
  'notes',
  'refusal',
  'severity',
  'documentation',
  'status',
  'whole-workspace',
  'first-steps',
  'life-cycle',
  'commands',
  'palette',
  'person',
];

/**
 * Called by VS Code in the extension host. Writes the counts for the launcher; rejects when a test
 * failed or none ran.
 */
export async function run(): Promise<void> {
  // The limit is above those of all that a test waits for, which say what did not come.
  const mocha = new Mocha({ ui: 'tdd', timeout: 5 * 60_000, color: false });
  const named = process.env.HOST_SUITE_PARTS?.split(' ').filter((name) => name !== '') ?? [];
  for (const file of files.filter((one) => named.length === 0 || named.includes(one)))
    mocha.addFile(path.join(__dirname, `${file}.test.js`));
  const counts = { passed: 0, failed: 0, skipped: 0, failures: [] as string[] };
  await new Promise<void>((resolve) => {
    mocha
      .run(() => resolve())
      .on('pass', () => {
        counts.passed++;
      })
      .on('fail', (test, error: unknown) => {
        counts.failed++;
        counts.failures.push(`${test.fullTitle()}: ${messageOf(error)}`);
      })
      .on('retry', (test, error: unknown) => {
        console.log(`again: ${test.fullTitle()}: ${messageOf(error)}`);
      })
      .on('pending', () => {
        counts.skipped++;
      });
  });
  const { HOST_SUITE_COUNTS: file } = process.env;
  if (file !== undefined) writeFileSync(file, JSON.stringify(counts));
  if (counts.failed > 0) throw new Error(`${counts.failed} tests failed`);
  if (counts.passed === 0) throw new Error('no test ran');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
