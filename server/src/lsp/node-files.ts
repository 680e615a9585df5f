import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isInside } from '../engine/project/paths.ts';
import type { HostFiles } from './files.ts';
import { withoutMark } from './files.ts';
import { leadsOutside, readRegularFile } from './node-read.ts';

/** The disk for `file:` URIs; other schemes have no files here. The folder of a file outside of the workspace is one of its own. */
export function createNodeFiles(): HostFiles {
  let roots: readonly string[] = [];
  const mayRead = (path: string): boolean => !leadsOutside(path, roots.some((root) => isInside(path, root)) ? roots : [dirname(path)]);
  return {
    async readFile(uri) {
      const path = pathOf(uri);
      try {
        return path !== undefined && mayRead(path) ? withoutMark(readRegularFile(path).toString('utf8')) : undefined;
      } catch {
        return undefined;
      }
    },
    async readDirectory(uri) {
      const path = pathOf(uri);
      try {
        if (path === undefined || !mayRead(path)) return [];
        const entries = await readdir(path, { withFileTypes: true });
        return entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
      } catch {
        return [];
      }
    },
    within(folders) {
      roots = folders.flatMap((uri) => pathOf(uri) ?? []);
    },
  };
}

/** The path of a `file:` URI; undefined for one of another host, and for other schemes. */
function pathOf(uri: string): string | undefined {
  try {
    return fileURLToPath(uri);
  } catch {
    return undefined;
  }
}
