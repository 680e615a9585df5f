import { readdirSync, realpathSync, statSync, type Dirent } from 'node:fs';
import { comparePaths } from './scan-pool.ts';
import { unreadable } from './text-file.ts';

/**
 * The C files of a folder, sorted within each folder. `.git` is skipped. A symbolic link is followed only out of the folder
 * and only once: what it points to inside is found anyway, and a loop ends.
 * @param onError called for a folder that cannot be read; the walk goes on.
 */
export function* walk(folder: string, onError: (error: Error) => void): Generator<string> {
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
      onError(unreadable(current, error));
      continue;
    }
    entries.sort((a, b) => comparePaths(a.name, b.name));
    const folders: string[] = [];
    const prefix = current === '.' ? '' : current.endsWith('/') ? current : `${current}/`;
    for (const entry of entries) {
      const path = prefix + entry.name;
      let isFolder = entry.isDirectory();
      let isFile = entry.isFile();
      if (entry.isSymbolicLink()) {
        const target = real(path);
        if (target === undefined || target === root || target.startsWith(`${root}/`) || seen.has(target)) continue;
        seen.add(target);
        const stat = statSync(path, { throwIfNoEntry: false });
        isFolder = stat?.isDirectory() ?? false;
        isFile = stat?.isFile() ?? false;
      }
      if (isFolder && entry.name !== '.git') folders.push(path);
      else if (isFile && (entry.name.endsWith('.c') || entry.name.endsWith('.h'))) yield path;
    }
    for (let i = folders.length - 1; i >= 0; i--) stack.push(folders[i]!);
  }
}

function real(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
