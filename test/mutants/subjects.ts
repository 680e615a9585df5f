/** The drivers that are broken: those of this project, and those of kernel trees. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { cachedFileSystem, createModuleLoader } from '../../server/src/engine/project/load.ts';
import { versionOfMakefile } from '../../server/src/engine/project/kernel-tree.ts';
import { createLoweringCache, lowerFile, type LoweringCache } from '../../server/src/ir/lower.ts';
import type { FileIr } from '../../server/src/ir/types.ts';
import type { KernelVersion } from '../../server/src/kernel/types.ts';
import { formatVersion, parseVersion } from '../../server/src/kernel/version.ts';
import type { SyntaxParser } from '../../server/src/syntax/node.ts';
import { driversIn } from '../support/modules.ts';
import { textOfOutcome } from '../support/patch.ts';
import type { Subject } from './types.ts';

const caches = new WeakMap<FileIr, LoweringCache>();

/** Lowers a document. */
export function lower(parser: SyntaxParser, path: string, text: string): FileIr {
  return lowered(parser, path, text, createLoweringCache());
}

/** Lowers another version of a document: what is the same in both are the same objects. */
export function lowerAgain(parser: SyntaxParser, file: FileIr, text: string): FileIr {
  return lowered(parser, file.path, text, caches.get(file) ?? createLoweringCache());
}

function lowered(parser: SyntaxParser, path: string, text: string, cache: LoweringCache): FileIr {
  const tree = parser.parse(text);
  try {
    const file = lowerFile(path, tree, cache, parser);
    caches.set(file, cache);
    return file;
  } finally {
    tree.dispose();
  }
}

/**
 * The project's own: fixtures for each kernel that their first line names, conversions before and
 * after, and the example that has no mistake.
 */
export function ownSubjects(parser: SyntaxParser, root: string): Subject[] {
  const found: Subject[] = [];
  const add = (name: string, files: Readonly<Record<string, string>>, kernel: string): void => {
    const lowered = Object.entries(files).map(([path, text]) => lower(parser, path, text));
    const isSource = (file: FileIr): boolean => file.path.endsWith('.c');
    found.push({
      name,
      kernel: parseVersion(kernel)!,
      sources: lowered.filter(isSource),
      headers: lowered.filter((file) => !isSource(file)),
    });
  };
  for (const kind of ['clean', 'shapes']) {
    for (const { name, files, kernels } of driversIn(join(root, 'test/fixtures/drivers', kind)))
      for (const kernel of kernels) add(`${kind}/${name}`, files, kernel);
  }
  const folder = join(root, 'test/fixtures/convert');
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const drivers = readdirSync(folder).filter(
    (name) => name.endsWith('.c') && !name.startsWith('refused-'),
  );
  for (const name of drivers) {
    const base = name.slice(0, -'.c'.length);
    const header = existsSync(join(folder, `${base}.h`))
      ? { [`${base}.h`]: read(`${base}.h`) }
      : {};
    const old = /^no-uninit|^old-mdev/.test(base) ? '5.14' : '6.0';
    const after = (target: string): string =>
      textOfOutcome(read(name), read(`${base}.txt`), target);
    add(`convert/${base}.to-6.1.c`, { [name]: after('6.1'), ...header }, '6.1');
    add(`convert/${name}`, { [name]: read(name), ...header }, old);
    add(`convert/${base}.to-6.6.c`, { [name]: after('6.6'), ...header }, '6.6');
  }
  add(
    'examples/old_model.c',
    { 'old_model.c': readFileSync(join(root, 'examples/driver/old_model.c'), 'utf8') },
    '6.0',
  );
  return found;
}

const CALLS = /\b(?:vfio_alloc_device|vfio_init_group_dev|vfio_pci_core_init_device)\s*\(/;

/** The modules of a kernel tree in which a source has a device made, each once. */
export async function treeSubjects(parser: SyntaxParser, tree: string): Promise<Subject[]> {
  const kernel = versionOfMakefile(readFileSync(join(tree, 'Makefile'), 'utf8'));
  if (kernel === undefined) throw new Error(`${tree}/Makefile tells no version`);
  const loader = createModuleLoader(cachedFileSystem(diskFileSystem));
  const found: Subject[] = [];
  const seen = new Set<string>();
  for (const file of sourcesUnder(
    join(tree, 'drivers/vfio'),
    join(tree, 'drivers/s390'),
    join(tree, 'drivers/gpu/drm/i915'),
    join(tree, 'samples'),
  )) {
    const text = readFileSync(file, 'utf8');
    if (!CALLS.test(text)) continue;
    const input = await loader.load(file, text, { root: tree });
    const key = input.sources.map((one) => one.path).join('\n');
    if (seen.has(key)) continue;
    seen.add(key);
    const lowered = (list: typeof input.sources): FileIr[] =>
      list.map((one) => lower(parser, relative(tree, one.path), one.text));
    found.push({
      name: `v${formatVersion(kernel)}/${relative(tree, file)}`,
      kernel,
      sources: lowered(input.sources),
      headers: lowered(input.headers),
    });
  }
  return found;
}

function sourcesUnder(...folders: string[]): string[] {
  return folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.c'))
        .sort()
        .map((name) => join(folder, name))
        .filter((path) => statSync(path).isFile()),
    );
}

const diskFileSystem = {
  readFile: async (path: string): Promise<string | undefined> =>
    existsSync(path) && statSync(path).isFile() ? readFileSync(path, 'utf8') : undefined,
  readDirectory: async (path: string): Promise<readonly string[]> =>
    existsSync(path)
      ? readdirSync(path, { withFileTypes: true }).map((one) =>
          one.isDirectory() ? `${basename(one.name)}/` : one.name,
        )
      : [],
};

/** `6.1`. */
export function kernelText(kernel: KernelVersion): string {
  return formatVersion(kernel);
}
