// The drivers of examples/conversion, as its Makefile names them, and their conversion by the built
// command line.
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
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
 * Converts all of them in the folder of a copy, with one run of dist/cli.cjs. Returns by the name of
 * a module why it was refused, or undefined when it was converted.
 * @param more options beside those.
 */
export function convertExamples(to, kernel, style, more = []) {
  const args = [
    inProject('dist/cli.cjs'),
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
  const { status, stdout, stderr, error } = spawnSync(process.execPath, args, {
    cwd: to,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  const files = status === 0 || status === 1 ? JSON.parse(stdout).files : [];
  const failure = `convert ended with exit status ${status}: ${error ?? stderr.trim()}`;
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
