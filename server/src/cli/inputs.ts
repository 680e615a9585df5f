import { statSync } from 'node:fs';
import { posix } from 'node:path';
import { UsageError } from './args.ts';
import type { Program } from './main.ts';
import { comparePaths, scanAll } from './scan-pool.ts';
import { unreadable } from './text-file.ts';
import { walk } from './walk.ts';
import { keyOf } from './workspace.ts';

/** A file to analyse. */
export interface InputFile {
  /** Absolute, the workspace's key. */
  readonly path: string;
  /** As the user would write it: from the PATH that led to it. */
  readonly shown: string;
}

export interface Inputs {
  /** Files that mention VFIO, each once, sorted by what is shown. */
  readonly files: readonly InputFile[];
  /** What could not be read, each already said on stderr. */
  readonly unreadable: number;
}

/** Finds the files that PATHs name: a folder gives its C files. Those that do not mention VFIO are left out. */
export async function findInputs(paths: readonly string[], program: Program): Promise<Inputs> {
  let failed = 0;
  const fail = (error: Error): void => {
    failed++;
    program.output.note(error.message);
  };
  const shownByKey = new Map<string, string>();
  function* all(): Generator<string> {
    for (const path of paths) {
      let isFolder: boolean;
      try {
        isFolder = statSync(path).isDirectory();
      } catch (error) {
        fail(unreadable(path, error));
        continue;
      }
      for (const shown of isFolder ? walk(posix.normalize(path), fail) : [path]) {
        const key = keyOf(shown);
        if (shownByKey.has(key)) continue;
        shownByKey.set(key, shown);
        yield key;
      }
    }
  }
  const found = await scanAll(all(), program.self, (scanned) => program.output.progress(`${scanned} files read`));
  for (const { path, code } of found.unreadable) fail(unreadable(shownByKey.get(path) ?? path, { code }));
  const files = found.hits.map((path) => ({ path, shown: shownByKey.get(path) ?? path }));
  return { files: files.sort((a, b) => comparePaths(a.shown, b.shown)), unreadable: failed };
}

/** The FILEs of a command that takes no folders. Throws UsageError. */
export function namedFiles(paths: readonly string[]): readonly InputFile[] {
  return paths.map((path) => {
    let isFile: boolean;
    try {
      isFile = statSync(path).isFile();
    } catch (error) {
      throw unreadable(path, error);
    }
    if (!isFile) throw new UsageError(`${path}: not a file`);
    return { path: keyOf(path), shown: path };
  });
}
