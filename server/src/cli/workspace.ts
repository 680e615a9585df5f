import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { cachedFileSystem, createModuleLoader } from '../engine/project/load.ts';
import { detectTarget, versionOfMakefile } from '../engine/project/target.ts';
import type { FileSystem, ModuleInput, TargetKernel } from '../engine/types.ts';
import { KERNEL_API } from '../engine/stages.ts';
import { lineIndex, type LineIndex } from '../text/position.ts';
import { decode, readTextFile, type TextFile } from './text-file.ts';

/** The disk as the engine sees it, with the changes made so far in front. Paths are absolute and use `/`. */
export interface Workspace {
  /** The module of a file. Throws UsageError when the file cannot be read. */
  load(path: string): Promise<ModuleInput>;
  target(path: string): Promise<TargetKernel>;
  /** The file as it is on the disk. Throws UsageError when it cannot be read. */
  original(path: string): TextFile;
  /** The text with the changes made so far. */
  current(path: string): string;
  change(path: string, text: string): void;
  /** Positions in the file as it is on the disk. */
  lines(path: string): LineIndex;
  /** The paths that were changed, sorted. */
  changed(): readonly string[];
}

export function openWorkspace(kernelOption: string | undefined): Workspace {
  const files = new Map<string, TextFile>();
  const changes = new Map<string, string>();
  const lines = new Map<string, LineIndex>();
  const roots = new Map<string, string>();
  const targets = new Map<string, Promise<TargetKernel>>();
  const disk = cachedFileSystem(diskFileSystem());
  const fs: FileSystem = {
    async readFile(path) {
      return changes.get(path) ?? disk.readFile(path);
    },
    readDirectory: (path) => disk.readDirectory(path),
  };
  const loader = createModuleLoader(fs);

  const original = (path: string): TextFile => {
    let file = files.get(path);
    if (!file) files.set(path, (file = readTextFile(path)));
    return file;
  };
  const current = (path: string): string => changes.get(path) ?? original(path).text;
  const rootOf = (folder: string): string => {
    let root = roots.get(folder);
    if (root === undefined) roots.set(folder, (root = findRoot(folder)));
    return root;
  };

  return {
    load: (path) => loader.load(path, current(path), { root: rootOf(dirname(path)) }),
    target(path) {
      const folder = dirname(path);
      let target = targets.get(folder);
      if (!target) targets.set(folder, (target = detectTarget(disk, path, { option: kernelOption }, KERNEL_API)));
      return target;
    },
    original,
    current,
    change(path, text) {
      if (text === original(path).text) changes.delete(path);
      else changes.set(path, text);
    },
    lines(path) {
      let known = lines.get(path);
      if (!known) lines.set(path, (known = lineIndex(original(path).text)));
      return known;
    },
    changed: () => [...changes.keys()].sort(),
  };
}

/** An absolute path with `/` separators: the key of a file everywhere in the command line. */
export function keyOf(path: string): string {
  const absolute = resolve(path);
  return sep === '/' ? absolute : absolute.split(sep).join('/');
}

/** A file as a patch names it: relative to the working folder, or to its own source tree when it lies outside. */
export function patchName(path: string): { name: string; base: string } {
  const here = keyOf('.');
  const name = relative(here, path).split(sep).join('/');
  if (name !== '' && !name.startsWith('../') && !isAbsolute(name)) return { name, base: here };
  const root = findRoot(dirname(path));
  return { name: relative(root, path).split(sep).join('/'), base: root };
}

/**
 * The border of what is read for a file in `folder`: the nearest repository or kernel tree, else the working folder when the
 * file is in it, else the file's own folder.
 */
export function findRoot(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(`${at}/.git`) || isKernelTree(at)) return at;
    if (dirname(at) === at) break;
  }
  const here = keyOf('.');
  return folder === here || folder.startsWith(`${here}/`) ? here : folder;
}

function isKernelTree(folder: string): boolean {
  if (existsSync(`${folder}/include/linux/vfio.h`)) return true;
  try {
    return versionOfMakefile(readFileSync(`${folder}/Makefile`, 'latin1')) !== undefined;
  } catch {
    return false;
  }
}

/** A folder listing or a text never costs more than this many bytes of memory. */
const MAX_BYTES = 16_000_000;

function diskFileSystem(): FileSystem {
  return {
    async readFile(path) {
      try {
        const stat = statSync(path);
        if (!stat.isFile() || stat.size > MAX_BYTES) return undefined;
        return decode(readFileSync(path)).text;
      } catch {
        return undefined;
      }
    },
    async readDirectory(path) {
      try {
        return readdirSync(path, { withFileTypes: true }).map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
      } catch {
        return [];
      }
    },
  };
}
