// The drivers of examples/conversion, as its Makefile names them, and their conversion by the built
// command line.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { inProject } from './paths.mjs';

const folder = inProject('examples/conversion');
const makefile = readFileSync(path.join(folder, 'Makefile'), 'utf8');
const wordsOf = (name) =>
  new RegExp(`^${name}\\s*:=\\s*(.*)$`, 'm').exec(makefile)?.[1].split(/\s+/);

/** Each module and its .c files. */
export const examples = wordsOf('obj-m').map((object) => {
  const name = path.basename(object, '.o');
  return {
    name,
    sources: (wordsOf(`${name}-y`) ?? [object]).map((part) => part.replace(/\.o$/, '.c')),
  };
});

/** Copies all of them, with their header and their Makefile. */
export function copyExamples(to) {
  cpSync(folder, to, { recursive: true });
}

/**
 * Converts all of them in the folder of a copy, as one run of dist/cli.cjs does or has done: one
 * source for all kernels takes a while, and several suites want the same. Returns by the name of a
 * module why it was refused, or undefined when it was converted.
 * @param more options beside those.
 */
export function convertExamples(to, kernel, style, more = []) {
  const args = [
    'convert',
    // The style of many kernels takes none.
    ...(style === 'compat' ? [] : ['--kernel', kernel]),
    '--style',
    style,
    ...more,
    '--format',
    'json',
    '--write',
    ...examples.flatMap(({ sources }) => sources),
  ];
  const { files, failure } = keptRun(to, args);
  const reasonOf = ({ sources }) => {
    const own = files.filter((file) => sources.includes(file.path));
    if (own.length === 0) return failure;
    const refused = own.find((file) => file.status === 'refused');
    if (refused) return refused.reason;
    return own.some((file) => file.status === 'converted')
      ? undefined
      : 'there was nothing to convert';
  };
  return new Map(examples.map((one) => [one.name, reasonOf(one)]));
}

/** What the command line says with these arguments in a folder, which has its files then. */
function keptRun(folder, args) {
  const kept = inProject('out/converted', keyOf(folder, args));
  if (existsSync(kept)) {
    cpSync(path.join(kept, 'files'), folder, { recursive: true });
    return JSON.parse(readFileSync(path.join(kept, 'said.json'), 'utf8'));
  }
  const { status, stdout, stderr, error } = spawnSync(
    process.execPath,
    [inProject('dist/cli.cjs'), ...args],
    { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 26 },
  );
  const failure = `convert ended with exit status ${status}: ${error ?? stderr.trim()}`;
  if (status !== 0 && status !== 1) return { files: [], failure };
  const said = { files: JSON.parse(stdout).files, failure };
  mkdirSync(path.dirname(kept), { recursive: true });
  const fresh = mkdtempSync(`${kept}-`);
  cpSync(folder, path.join(fresh, 'files'), { recursive: true });
  writeFileSync(path.join(fresh, 'said.json'), JSON.stringify(said));
  try {
    renameSync(fresh, kept);
  } catch {
    // Another suite has kept the same meanwhile.
    rmSync(fresh, { recursive: true });
  }
  return said;
}

/** The program with all that it reads. */
function keyOf(folder, args) {
  const hash = createHash('sha256').update(JSON.stringify(args));
  const program = ['cli.cjs', 'web/server.js', 'web-tree-sitter.wasm', 'tree-sitter-c.wasm'];
  for (const file of [
    ...program.map((name) => inProject('dist', name)),
    ...readdirSync(folder)
      .sort()
      .map((name) => path.join(folder, name)),
  ])
    hash.update(`\0${path.basename(file)}\0`).update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}
