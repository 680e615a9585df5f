/**
 * Holds the tables of kernel facts against kernel trees: `npm run test:facts -- DIR…`. Each
 * comparison is a test; what fails is printed with what the tree says.
 */
import { resolve } from 'node:path';
import { loadParser } from '../../support/parser.ts';
import { formatVersion } from '../../../server/src/kernel/version.ts';
import { effectChecks } from './effects.ts';
import { completenessChecks, rowChecks, sourceChecks, type Check } from './interface.ts';
import { openTree } from './tree.ts';

/**
 * @param folders the tops of kernel trees, whole or with include/linux and drivers/vfio alone
 * @returns how many comparisons hold and do not
 */
export async function run(
  folders: readonly string[],
): Promise<{ passed: number; failed: number; skipped: number }> {
  const parser = await loadParser();
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const folder of folders) {
    const tree = openTree(parser, resolve(folder));
    const parts: readonly [string, readonly Check[]][] = [
      ['rows', rowChecks(tree)],
      ['declarations', completenessChecks(tree)],
      ['sources', sourceChecks(tree)],
      ['arguments', effectChecks(tree)],
    ];
    const sizes = parts.map(([name, checks]) => `${checks.length} ${name}`).join(', ');
    console.log(`${folder}: Linux ${formatVersion(tree.version)}, ${sizes}`);
    for (const { what, wrong } of parts.flatMap(([, checks]) => checks)) {
      if (wrong === null) counts.passed++;
      else {
        counts.failed++;
        console.log(`FAILED ${what}\n    ${wrong}`);
      }
    }
  }
  return counts;
}
