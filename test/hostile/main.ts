/** What scripts/test-hostile.mjs runs: the table of hostile inputs, or every C file of a tree. */
import { loadParser } from '../support/parser.ts';
import { HOSTILE, type Hostile } from './generators.ts';
import { checkTree, isTreeThread, serveTree } from './tree.ts';
import { startCounting, takeCount } from './work.ts';
import type { SyntaxParser } from '../../server/src/syntax/node.ts';

if (isTreeThread()) void serveTree();

/** Twice the input is twice the work, and a little more where lists are sorted or tables grow. */
const GROWTH = 2.6;

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Runs the rows of the table, or over the trees that are named.
 * @param args the arguments behind the command's name: folders, `--every=N`, `--only=TEXT`.
 * @param program the bundle that this is in.
 */
export async function run(args: readonly string[], program: string): Promise<Counts> {
  const valueOf = (name: string): string | undefined =>
    args.find((one) => one.startsWith(`--${name}=`))?.slice(name.length + 3);
  const folders = args.filter((one) => !one.startsWith('--'));
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  if (folders.length === 0) return runTable(valueOf('only') ?? '', counts);
  for (const folder of folders) {
    const { passed, failed } = await checkTree(folder, program, Number(valueOf('every') ?? 1));
    counts.passed += passed;
    counts.failed += failed;
  }
  return counts;
}

async function runTable(only: string, counts: Counts): Promise<Counts> {
  startCounting();
  const parser = await loadParser();
  for (const row of HOSTILE.filter((one) => one.name.includes(only))) {
    const problem = await problemOf(row, parser);
    if (problem === null) counts.passed++;
    else {
      counts.failed++;
      console.log(`FAILED ${row.name}: ${problem}`);
    }
  }
  return counts;
}

/** What is wrong with a row; null when nothing is. */
async function problemOf(row: Hostile, parser: SyntaxParser): Promise<string | null> {
  try {
    // What runs for the first time builds tables of its own.
    await row.run(Math.max(1, row.size >> 4), parser);
    const once = await work(row, row.size, parser);
    const twice = await work(row, row.size * 2, parser);
    const growth = twice / once;
    console.log(`${row.name}: ${once} steps, ${growth.toFixed(2)} times as many for twice as much`);
    return growth <= (row.growth ?? GROWTH)
      ? null
      : `${once} steps for ${row.size} and ${twice} for ${row.size * 2}`;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

async function work(row: Hostile, size: number, parser: SyntaxParser): Promise<number> {
  takeCount();
  await row.run(size, parser);
  return takeCount();
}
