// Measures the language server and the command line on a kernel tree: npm run bench -- DIR. The
// server runs as a process over stdio with pull diagnostics, as an editor runs it. Edits are random
// but the same in every run. Budgets are printed beside; nothing fails here.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { startServer } from './lib/lsp.mjs';
import { inProject } from './lib/paths.mjs';
import { nextEdit, randomNumbers, toContentChange } from './lib/random-edits.mjs';
import { run } from './lib/run.mjs';

const seed = 1;
const [directory] = process.argv.slice(2);
if (directory === undefined || !statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
  console.error(
    'usage: npm run bench -- DIR    (a kernel source tree, or a part of it with drivers/vfio)',
  );
  process.exit(2);
}
run(process.execPath, [inProject('scripts/build.mjs')]);
const server = inProject('dist/server.cjs');
const tree = path.resolve(directory);
const drivers = vfioFiles(tree).sort((left, right) => right.text.length - left.text.length);
const rows = [];

await measureStart();
for (const driver of drivers.slice(0, 5)) await measureTyping(driver, 200);
await measureMemory(drivers.slice(0, 20), 1000);
measureCheck();
print();

/** Process to initialized: the median of ten. */
async function measureStart() {
  const times = [];
  for (let i = 0; i < 10; i++) {
    const begin = performance.now();
    const client = await startServer(server);
    times.push(performance.now() - begin);
    await client.stop();
  }
  rows.push(['server start (process to initialized)', ms(percentile(times, 50)), '250 ms']);
}

/**
 * Open to diagnostics on a warm server, the median of five, then an edit and the diagnostics after
 * it, `count` times.
 */
async function measureTyping({ file, text }, count) {
  const client = await startServer(server, { rootUri: pathToFileURL(tree).href });
  const uri = pathToFileURL(file).href;
  // Warm: the parser is loaded and the code has run once, on another document.
  await client.open(`${uri}.warm.c`, text);
  await client.diagnostics(`${uri}.warm.c`);
  await client.close(`${uri}.warm.c`);

  const name = `${path.relative(tree, file)} (${text.split('\n').length} lines)`;
  const opened = [];
  for (let i = 0; i < 5; i++) {
    if (i > 0) await client.close(uri);
    const begin = performance.now();
    await client.open(uri, text);
    await client.diagnostics(uri);
    opened.push(performance.now() - begin);
  }
  rows.push([`open to diagnostics, ${name}`, ms(percentile(opened, 50)), '60 ms']);

  const times = [];
  for await (const time of type(client, uri, text, count)) times.push(time);
  rows.push([
    `keystroke to diagnostics, ${name}`,
    `p50 ${ms(percentile(times, 50))}, p95 ${ms(percentile(times, 95))}, max ${ms(Math.max(...times))}`,
    'p50 5 ms, p95 12 ms',
  ]);
  await client.stop();
}

/** Resident memory of the server after edits spread over open drivers. */
async function measureMemory(open, count) {
  const client = await startServer(server, { rootUri: pathToFileURL(tree).href });
  for (const { file, text } of open) await client.open(pathToFileURL(file).href, text);
  for (const { file } of open) await client.diagnostics(pathToFileURL(file).href);
  const before = residentMegabytes(client.pid);
  for (const { file, text } of open) {
    const edits = type(client, pathToFileURL(file).href, text, Math.ceil(count / open.length));
    while (!(await edits.next()).done);
  }
  const after = residentMegabytes(client.pid);
  rows.push([
    `memory with ${open.length} open drivers, before and after ${count} edits`,
    `${before} MB, ${after} MB RSS`,
    '160 MB, flat',
  ]);
  await client.stop();
}

/** Makes edits one by one and yields the time from each to its diagnostics. */
async function* type(client, uri, original, count) {
  const random = randomNumbers(seed);
  let text = original;
  let last;
  for (let version = 2; version < count + 2; version++) {
    const edit = nextEdit(text, random, last);
    const change = toContentChange(text, edit);
    const removed = text.slice(edit.offset, edit.offset + edit.length);
    // An undo is not undone: that would go back and forth between two texts.
    last =
      last && edit.text === last.removed && edit.offset === last.offset
        ? undefined
        : { ...edit, removed };
    text = text.slice(0, edit.offset) + edit.text + text.slice(edit.offset + edit.length);
    const begin = performance.now();
    await client.change(uri, version, [change]);
    await client.diagnostics(uri);
    yield performance.now() - begin;
  }
}

function measureCheck() {
  const folder = path.join(tree, 'drivers/vfio');
  const begin = performance.now();
  spawnSync(
    process.execPath,
    [inProject('dist/cli.cjs'), 'check', '--fail-on', 'never', '--format', 'json', folder],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  rows.push(['check drivers/vfio', ms(performance.now() - begin), '-']);
}

/** C files that call the life-cycle interface. */
function vfioFiles(folder) {
  const found = [];
  for (const part of [
    'drivers/vfio',
    'samples/vfio-mdev',
    'drivers/s390',
    'drivers/gpu/drm/i915/gvt',
  ]) {
    const base = path.join(folder, part);
    if (!statSync(base, { throwIfNoEntry: false })) continue;
    for (const name of readdirSync(base, { recursive: true })) {
      const file = path.join(base, name);
      if (!file.endsWith('.c')) continue;
      const text = readFileSync(file, 'utf8');
      if (/\bvfio_device\b|\bvfio_pci_core_/.test(text)) found.push({ file, text });
    }
  }
  return found;
}

function residentMegabytes(pid) {
  return Math.round(
    Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024,
  );
}

function percentile(values, percent) {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))];
}

function ms(time) {
  return `${time < 100 ? time.toFixed(1) : Math.round(time)} ms`;
}

function print() {
  const table = [['measured', 'value', 'budget'], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column].length)));
  const text = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  console.log(
    [
      text(table[0]),
      `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`,
      ...table.slice(1).map(text),
    ].join('\n'),
  );
}
