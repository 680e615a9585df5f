/**
 * Entry of dist/cli.cjs. kbuild runs a checker for every file of a kernel: most of them have not a
 * word of VFIO, and for those nothing is loaded, nor for the version. For all else it loads the
 * bundle.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { optimiseLater } from '../lsp/node-optimise-later.ts';
import { readPackageFacts } from './package-facts.ts';

const words = process.argv.slice(2);
if (words.length === 1 && (words[0] === '--version' || words[0] === '-V'))
  process.stdout.write(`${readPackageFacts(__dirname).version}\n`);
else if (!isNothingForUs(words)) {
  optimiseLater();
  createRequire(__filename)('./web/server.js');
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
