/**
 * Entry of dist/cli.cjs, and of the threads of a check. kbuild runs a checker for every file of a
 * kernel: most of them have not a word of VFIO, and for those nothing is loaded, nor for the
 * version, nor in a thread that looks for the word. For all else it loads the bundle.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPackageFacts } from './package-facts.ts';

const words = process.argv.slice(2);
if (words.length === 1 && (words[0] === '--version' || words[0] === '-V'))
  process.stdout.write(`${readPackageFacts(__dirname).version}\n`);
else if (!isNothingForUs(words)) void run();

async function run(): Promise<void> {
  const { threadRole } = await import('../lsp/node-thread.ts');
  if (threadRole() === 'scan') return (await import('./scan-pool.ts')).serveScans();
  const { compiledFolder, offerToKeep, runCompiled } = await import('../lsp/node-compiled.ts');
  // For all threads, and V8 takes what was kept only under the flags that it was kept under.
  if (threadRole() === undefined)
    (await import('../lsp/node-compiler-flags.ts')).setCompilerFlags();
  offerToKeep(runCompiled(join(__dirname, 'web', 'server.js'), compiledFolder()));
}

/** Whether kbuild asks about a file that can be read and does not mention VFIO. */
function isNothingForUs(given: readonly string[]): boolean {
  const file = given.at(-1);
  if (given[0] !== 'kbuild' || file === undefined || !file.endsWith('.c')) return false;
  try {
    return !readFileSync(file).includes('vfio');
  } catch {
    return false;
  }
}
