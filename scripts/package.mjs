// Packs one VSIX for all platforms, the same bytes from the same sources. Usage: node
// scripts/package.mjs [FILE.vsix [FOLDER]]
import { createVSIX } from '@vscode/vsce';
import {
  chmodSync,
  cpSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { inProject } from './lib/paths.mjs';
import { run } from './lib/run.mjs';

const { name, version } = JSON.parse(readFileSync(inProject('package.json'), 'utf8'));
const limit = 1_300_000;

/** What goes in. The command line is there for the task that checks a folder. */
const packed = [
  'package.json',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
  'images/icon.png',
  'images/walkthrough',
  'examples/driver',
  'docs/rules',
  'docs/conversion-notes.md',
  'docs/refusals.md',
  'schemas',
  'syntaxes',
  'dist/extension.cjs',
  'dist/server.cjs',
  'dist/cli.cjs',
  'dist/web',
  'dist/web-tree-sitter.wasm',
  'dist/tree-sitter-c.wasm',
  'dist/licenses.txt',
];

/**
 * Builds and packs; returns the path of the VSIX. Throws when it is over the limit of 1.3 MB.
 * @param folder holds just what is packed, and is made anew: vsce would look at every file of the
 *   project, the editor host's included.
 */
export async function packVsix(
  file = inProject(`${name}-${version}.vsix`),
  folder = inProject('out/extension'),
) {
  run(process.execPath, [inProject('scripts/build.mjs')]);
  rmSync(folder, { recursive: true, force: true });
  for (const one of packed) cpSync(inProject(one), path.join(folder, one), { recursive: true });
  // What npm takes for the command line is nothing to an editor, and vsce would ask which of two
  // lists is meant.
  const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  delete manifest.files;
  delete manifest.bin;
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(path.join(folder, '.vscodeignore'), '');
  // Time, zone and mode of each file go into the archive: they must not depend on who packs, when
  // and where.
  process.env.SOURCE_DATE_EPOCH = '946684800';
  process.env.TZ = 'UTC';
  for (const one of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (one.isFile()) chmodSync(path.join(one.parentPath, one.name), 0o644);
  }
  // The page of an extension has no folder around it: vsce makes addresses of the repository of its
  // links and pictures.
  await withoutNews(() => createVSIX({ cwd: folder, packagePath: file, dependencies: false }));
  const { size } = statSync(file);
  if (size > limit) throw new Error(`${file} has ${size} bytes; the limit is ${limit}`);
  return file;
}

/** Lets the packer say what is wrong, and not which files it has packed. */
async function withoutNews(pack) {
  const { log } = console;
  console.log = (...said) => {
    if (!/^\W*(?:\d+m)? ?(?:INFO|DONE) /.test(said.join(' '))) log(...said);
  };
  try {
    await pack();
  } finally {
    console.log = log;
  }
}

if (process.argv[1] === import.meta.filename) {
  const [given, folder] = process.argv.slice(2).map((name) => path.resolve(name));
  const file = await packVsix(given, folder);
  console.log(`${file}: ${statSync(file).size} bytes`);
}
