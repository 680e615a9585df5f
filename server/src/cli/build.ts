/**
 * What the build says of a file: what kbuild passes to a checker, a compile_commands.json beside or
 * above it, or a configuration that was named.
 */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import {
  buildMacros,
  compilerArguments,
  configurationIn,
  shellWords,
  type CompilerArguments,
} from '../engine/project/build-options.ts';
import { isInside, relativeTo } from '../engine/project/paths.ts';
import type { BuildMacros } from '../engine/types.ts';
import { readRegularFile } from '../lsp/node-read.ts';
import { decode, readTextFile } from './text-file.ts';
import { UsageError } from './usage-error.ts';

/** One build of a file; paths are absolute. */
export interface Build {
  readonly macros: BuildMacros | undefined;
  /** Folders of the driver's own headers: what belongs to the kernel is left out. */
  readonly includeFolders: readonly string[];
  readonly forcedHeaders: readonly string[];
  /** The kernel tree that the build is for. */
  readonly tree: string | undefined;
}

/** The build of a file; undefined where nothing is known of it. */
export type BuildOf = (file: string) => Build | undefined;

/** A configuration that a person names. Throws UsageError where the file is none. */
export function readConfiguration(file: string): ReadonlyMap<string, string> {
  const configuration = configurationIn(readTextFile(file).text);
  if (configuration === null)
    throw new UsageError(`${file}: not a kernel configuration (.config or autoconf.h)`);
  return configuration;
}

/**
 * The build that a compiler's arguments describe.
 * @param folder the folder that the compiler runs in.
 * @param configuration undefined to look for the one that the arguments lead to.
 */
export function buildOfArguments(
  compiled: CompilerArguments,
  folder: string,
  configuration?: ReadonlyMap<string, string>,
): Build {
  const at = (path: string): string => resolve(folder, path);
  const header = compiled.forcedHeaders.map(at).find((path) => path.endsWith(KCONFIG));
  const tree = header?.slice(0, -KCONFIG.length);
  const trees = [...(tree === undefined ? [] : [tree]), ...(header === undefined ? [] : [folder])];
  const isOwn = (path: string): boolean => !trees.some((one) => isKernelHeader(path, one));
  const generated = [at('include'), ...compiled.includeFolders.map(at)]
    .map((path) => `${path}/${AUTOCONF}`)
    .find((path) => header !== undefined && existsSync(path));
  const found =
    configuration ?? (generated === undefined ? null : configurationIn(textOf(generated)));
  return {
    macros: buildMacros(compiled, found),
    includeFolders: compiled.includeFolders.map(at).filter(isOwn),
    forcedHeaders: compiled.forcedHeaders.map(at).filter(isOwn),
    tree,
  };
}

const KCONFIG = '/include/linux/kconfig.h';
const AUTOCONF = 'generated/autoconf.h';

/** Whether a path is one of the kernel's own headers or folders of headers. */
function isKernelHeader(path: string, tree: string): boolean {
  const inside = relativeTo(tree, path);
  return inside !== undefined && /^(?:include|arch\/[^/]+\/include)(?:\/|$)/.test(inside);
}

/** The text of a file; empty where it cannot be read. */
function textOf(path: string): string {
  try {
    return decode(readRegularFile(path)).text;
  } catch {
    return '';
  }
}

const DATABASE = 'compile_commands.json';
/** That of a whole kernel has 30 MB. */
const MAX_DATABASE = 400_000_000;

/** An entry of compile_commands.json. */
interface Entry {
  readonly directory: string;
  readonly words: () => readonly string[];
}

/**
 * Finds the build of files in the compile_commands.json beside or above them.
 * @param configuration what a person named; a database alone says nothing of the configuration.
 * @param complain is told of a database that cannot be used.
 */
export function createBuilds(
  configuration: ReadonlyMap<string, string> | undefined,
  complain: (line: string) => void,
): BuildOf {
  const databases = new Map<string, ReadonlyMap<string, Entry> | undefined>();
  const named = configuration && buildMacros(null, configuration);
  const entryOf = (file: string): Entry | undefined => {
    for (let folder = dirname(file); ; folder = dirname(folder)) {
      if (!databases.has(folder))
        databases.set(folder, readDatabase(`${folder}/${DATABASE}`, complain));
      const entry = databases.get(folder)?.get(file);
      if (entry !== undefined) return entry;
      if (dirname(folder) === folder) return undefined;
    }
  };
  const known = new Map<string, Build | undefined>();
  return (file) => {
    if (!known.has(file)) {
      const entry = entryOf(file);
      known.set(
        file,
        entry === undefined
          ? named && { macros: named, includeFolders: [], forcedHeaders: [], tree: undefined }
          : databaseBuild(entry, configuration),
      );
    }
    return known.get(file);
  };
}

/** The macros and the folders of an entry: its kernel tree is found as for any other file. */
function databaseBuild(
  { directory, words }: Entry,
  configuration: ReadonlyMap<string, string> | undefined,
): Build {
  const compiled = compilerArguments(words());
  const build = buildOfArguments(compiled, directory, configuration ?? new Map());
  return {
    ...build,
    macros: buildMacros(compiled, configuration ?? null),
    tree: undefined,
  };
}

function readDatabase(
  path: string,
  complain: (line: string) => void,
): ReadonlyMap<string, Entry> | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const list: unknown = JSON.parse(decode(readRegularFile(path, MAX_DATABASE)).text);
    if (!Array.isArray(list)) throw new SyntaxError('no list');
    const entries = list.map(entryIn).filter((one) => one !== undefined);
    return new Map(entries);
  } catch (error) {
    complain(`${path}: not used: ${(error as Error).message.split('\n', 1)[0]}`);
    return undefined;
  }
}

function entryIn(value: unknown): [string, Entry] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { directory, file, command, arguments: list } = value as Readonly<Record<string, unknown>>;
  if (typeof directory !== 'string' || typeof file !== 'string') return undefined;
  const words = (): readonly string[] => {
    if (Array.isArray(list)) return list.map(String);
    return typeof command === 'string' ? shellWords(command) : [];
  };
  return [resolve(directory, file), { directory, words }];
}

/** Whether a path is in one of the folders that a build names for headers. */
export function isIncluded({ includeFolders, forcedHeaders }: Build, path: string): boolean {
  return forcedHeaders.includes(path) || includeFolders.some((folder) => isInside(path, folder));
}
