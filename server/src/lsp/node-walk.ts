/** Walks a tree for its C files, for the command line and for a check of the whole workspace. */
import { readdirSync, realpathSync, statSync, type Dirent } from 'node:fs';
import type { IgnoreFiles } from './node-ignore.ts';
import { leadsOutside, NotRead } from './node-read.ts';

/**
 * The C files below a folder, in no order. `.git` and folders that git ignores are skipped. A
 * symbolic link is followed only out of the folder and only once: what it points to inside is found
 * anyway, and a loop ends. One that leads out of the tree is none of it. A library that walks by
 * patterns follows every link or none, and is silent about a folder that cannot be read.
 * @param folder absolute, with `/`; the paths that are yielded begin with it.
 * @param tree the repository or kernel tree that the folder is in.
 * @param ignored asked about each folder; whoever reads the files asks about those.
 * @param onError called for a folder that cannot be read, and with NotRead for a link that is not
 * followed; the walk goes on.
 */
export function* walk(
  folder: string,
  tree: string,
  ignored: IgnoreFiles,
  onError: (folder: string, error: unknown) => void,
): Generator<string> {
  const seen = new Set<string>();
  const root = real(folder);
  if (root === undefined) return;
  const stack: string[] = [folder];
  while (stack.length > 0) {
    const current = stack.pop()!;
    let entries: Dirent[];
    try {
      entries = readdirSync(current, { withFileTypes: true });
    } catch (error) {
      onError(current, error);
      continue;
    }
    const prefix = current.endsWith('/') ? current : `${current}/`;
    for (const entry of entries) {
      const { name } = entry;
      let isFolder = entry.isDirectory();
      let isFile = entry.isFile();
      if (entry.isSymbolicLink()) {
        const target = real(prefix + name);
        if (
          target === undefined ||
          target === root ||
          target.startsWith(`${root}/`) ||
          seen.has(target)
        )
          continue;
        seen.add(target);
        const stat = statSync(target, { throwIfNoEntry: false });
        isFolder = stat?.isDirectory() ?? false;
        isFile = stat?.isFile() ?? false;
        if ((isFolder || (isFile && isSource(name))) && leadsOutside(prefix + name, [tree])) {
          onError(prefix + name, new NotRead('a link out of the tree, not followed'));
          continue;
        }
      }
      if (isFolder) {
        if (name !== '.git' && !ignored.isIgnored(`${prefix}${name}/`)) stack.push(prefix + name);
      } else if (isFile && isSource(name) && !isGenerated(name)) yield prefix + name;
    }
  }
}

/** What kbuild writes beside each module that it builds. */
function isGenerated(name: string): boolean {
  return name.endsWith('.mod.c');
}

/** Whether a file of this name is C. */
export function isSource(name: string): boolean {
  return name.endsWith('.c') || name.endsWith('.h');
}

function real(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
