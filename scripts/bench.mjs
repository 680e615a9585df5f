// Measures the language server and the command line on a kernel tree, with the budgets beside:
// npm run bench -- DIR [--against REV] [--peers] [--only WORD]. The server runs as a process over
// stdio with pull diagnostics, as an editor runs it. Edits are random but the same in every run.
// Nothing fails here.
import { statSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { measureGrowth } from './bench/growth.mjs';
import {
  measureActions,
  measureCheck,
  measureMemory,
  measureStart,
  measureTyping,
} from './bench/measure.mjs';
import { ours, peers } from './bench/programs.mjs';
import { buildRevision } from './bench/revision.mjs';
import { tableOf } from './bench/table.mjs';
import { driversOf } from './bench/tree.mjs';
import { inProject, root } from './lib/paths.mjs';
import { run } from './lib/run.mjs';

const USUAL = ['start', 'typing', 'actions', 'memory', 'check'];
const PARTS = [...USUAL, 'growth'];

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    against: { type: 'string' },
    peers: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: USUAL },
  },
});
const [directory] = positionals;
if (
  directory === undefined ||
  !statSync(directory, { throwIfNoEntry: false })?.isDirectory() ||
  options.only.some((part) => !PARTS.includes(part))
) {
  console.error(
    `usage: npm run bench -- DIR [--against REVISION] [--peers] [--only ${PARTS.join('|')}]…
DIR is a kernel source tree, or a part of it with drivers/vfio`,
  );
  process.exit(2);
}
run(process.execPath, [inProject('scripts/build.mjs')]);
const baseline = options.against === undefined ? undefined : buildRevision(options.against);
try {
  await measure();
} finally {
  baseline?.remove();
}

async function measure() {
  const tree = path.resolve(directory);
  const drivers = driversOf(tree);
  const own = [
    ours('this tree', root),
    ...(baseline ? [ours(baseline.name, baseline.folder)] : []),
  ];
  const all = options.peers ? [...own, ...peers(tree)] : own;
  const rows = [];
  const part = async (name, work) => {
    if (!options.only.includes(name)) return;
    console.error(`measuring: ${name}`);
    rows.push(...(await work()));
  };
  await part('start', () => measureStart(own, { tree, drivers }));
  const largest = drivers.slice(0, 5);
  for (const driver of largest)
    await part('typing', () =>
      measureTyping(
        all,
        { tree, others: largest.filter((one) => isElsewhere(one, driver)) },
        driver,
      ),
    );
  await part('actions', () => measureActions(own, { tree, drivers: largest }));
  await part('memory', () => measureMemory(own, { tree, drivers: drivers.slice(0, 20) }, 1000));
  await part('check', () => measureCheck(own, { tree }));
  await part('growth', () => measureGrowth(own));
  console.log(tableOf(rows));
  const [load] = loadavg();
  console.log(`\nload of the last minute: ${load.toFixed(1)} on ${cpus().length} processors`);
}

/** Files of one folder may be one module. */
function isElsewhere(one, other) {
  return path.dirname(one.file) !== path.dirname(other.file);
}
