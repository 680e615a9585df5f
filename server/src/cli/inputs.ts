import { statSync } from 'node:fs';
import { posix } from 'node:path';
import { UsageError } from './usage-error.ts';
import { NotRead } from '../lsp/node-read.ts';
import type { Program } from './program.ts';
import { comparePaths, scanAll } from './scan-pool.ts';
import type { NamedSources } from './stdin.ts';
import { unreadable } from './text-file.ts';
import { walk } from '../lsp/node-walk.ts';
import { findRoot, keyOf } from './workspace.ts';

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

/**
 * Finds the files that PATHs name: a folder gives its C files. Those that do not mention VFIO are left out.
 * @param onFile is given each file as soon as it is found, in no order, while others are still being read.
 */
export async function findInputs({ paths, stdin }: NamedSources, program: Program, onFile: (file: InputFile) => Promise<void> = async () => undefined): Promise<Inputs> {
  let failed = 0;
  const fail = (error: Error): void => {
    failed++;
    program.output.error(error.message);
  };
  /** What is passed over on purpose is said, and is no failure. */
  const tell = (said: Error, error: unknown): void => (error instanceof NotRead ? program.output.note(said.message) : fail(said));
  const roots: { readonly key: string; readonly shown: string }[] = [];
  function* all(): Generator<string> {
    for (const path of paths) {
      const key = keyOf(path);
      if (key === stdin?.path) continue;
      let isFolder: boolean;
      try {
        const stat = statSync(path);
        isFolder = stat.isDirectory();
        // A pipe or a device need not end.
        if (!isFolder && !stat.isFile()) throw new NotRead('not a regular file');
      } catch (error) {
        fail(unreadable(path, error));
        continue;
      }
      roots.push({ key, shown: isFolder ? posix.normalize(path) : path });
      if (isFolder) yield* walk(key, findRoot(key), (place, error) => tell(unreadable(shownAs(roots, place), error), error));
      else yield key;
    }
  }
  const files = new Map<string, InputFile>();
  if (stdin?.file.text.includes('vfio') === true) {
    files.set(stdin.path, stdin);
    await onFile(stdin);
  }
  for await (const { hits, unreadable: broken } of scanAll(all(), program.self, (scanned) => program.output.progress(`${scanned} files read`))) {
    for (const { path, code } of broken) fail(unreadable(shownAs(roots, path), { code }));
    for (const path of hits) {
      // Two PATHs may lead to one file.
      if (files.has(path)) continue;
      const file = { path, shown: shownAs(roots, path) };
      files.set(path, file);
      await onFile(file);
    }
  }
  return { files: [...files.values()].sort((a, b) => comparePaths(a.shown, b.shown)), unreadable: failed };
}

/** A path as it follows from the first PATH that contains it: `.` adds nothing, a folder goes before what is in it. */
function shownAs(roots: readonly { readonly key: string; readonly shown: string }[], path: string): string {
  for (const { key, shown } of roots) {
    if (path === key) return shown;
    const inside = key.endsWith('/') ? key : `${key}/`;
    if (!path.startsWith(inside)) continue;
    const rest = path.slice(inside.length);
    return shown === '.' || shown === './' ? rest : shown.endsWith('/') ? shown + rest : `${shown}/${rest}`;
  }
  return path;
}

/** The FILEs of a command that takes no folders. Throws UsageError. */
export function namedFiles({ paths, stdin }: NamedSources): readonly InputFile[] {
  return paths.map((path) => {
    if (keyOf(path) === stdin?.path) return stdin;
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
