// What a program that only reads, filters and parses takes for a tree, in two threads: the measure
// of `check`. Run by itself, it prints the number of files that it parsed.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { inProject } from '../lib/paths.mjs';

const WORKERS = 2;

if (isMainThread) {
  const parts = Array.from({ length: WORKERS }, () => []);
  listOf(process.argv[2]).forEach((file, i) => parts[i % WORKERS].push(file));
  const counts = await Promise.all(
    parts.map(
      (files) =>
        new Promise((resolve, reject) => {
          new Worker(new URL(import.meta.url), { workerData: files })
            .once('message', resolve)
            .once('error', reject);
        }),
    ),
  );
  console.log(counts.reduce((sum, count) => sum + count));
} else {
  const { Language, Parser } = await import('web-tree-sitter');
  await Parser.init();
  const parser = new Parser();
  parser.setLanguage(
    await Language.load(inProject('node_modules/tree-sitter-c/tree-sitter-c.wasm')),
  );
  let count = 0;
  for (const file of workerData) {
    const bytes = readFileSync(file);
    if (!bytes.includes('vfio')) continue;
    parser.parse(bytes.toString()).delete();
    count++;
  }
  parentPort.postMessage(count);
}

/** The sources and headers below a folder: what `check` reads. */
function listOf(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return listOf(file);
    return entry.isFile() && /\.[ch]$/.test(entry.name) ? [file] : [];
  });
}
