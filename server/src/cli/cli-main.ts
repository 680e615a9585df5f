/**
 * Entry of dist/cli.cjs. kbuild runs a checker for every file of a kernel: most of them have not a
 * word of VFIO, and for those nothing is loaded. For all else it loads the bundle.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

if (!isNothingForUs(process.argv.slice(2))) createRequire(__filename)('./web/server.js');

/** Whether kbuild asks about a file that can be read and does not mention VFIO. */
function isNothingForUs(words: readonly string[]): boolean {
  const file = words.at(-1);
  if (words[0] !== 'kbuild' || file === undefined || !file.endsWith('.c')) return false;
  try {
    return !readFileSync(file).includes('vfio');
  } catch {
    return false;
  }
}
