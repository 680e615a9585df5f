// Packs one VSIX for all platforms, the same bytes from the same sources. Usage: node scripts/package.mjs [FILE.vsix]
import { createVSIX, listFiles } from '@vscode/vsce';
import { chmodSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { inProject, root } from './lib/paths.mjs';
import { run } from './lib/run.mjs';

const { name, version } = JSON.parse(readFileSync(inProject('package.json'), 'utf8'));
const limit = 1024 * 1024;

/** Builds and packs; returns the path of the VSIX. Throws when it is over the limit of 1 MB. */
export async function packVsix(file = inProject(`${name}-${version}.vsix`)) {
  run(process.execPath, [inProject('scripts/build.mjs')]);
  // Time, zone and mode of each file go into the archive: they must not depend on who packs, when and where.
  process.env.SOURCE_DATE_EPOCH = '946684800';
  process.env.TZ = 'UTC';
  for (const one of await listFiles({ cwd: root, dependencies: false })) chmodSync(inProject(one), 0o644);
  await createVSIX({ cwd: root, packagePath: file, dependencies: false, allowMissingRepository: true, rewriteRelativeLinks: false });
  const { size } = statSync(file);
  if (size > limit) throw new Error(`${file} has ${size} bytes; the limit is ${limit}`);
  return file;
}

if (process.argv[1] === import.meta.filename) {
  const file = await packVsix(process.argv[2] && path.resolve(process.argv[2]));
  console.log(`${file}: ${statSync(file).size} bytes`);
}
