import { readdir, readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { FileSystem } from '../engine/types.ts';
import { withoutMark } from './files.ts';

const MAX_BYTES = 16_000_000;

/** The disk for `file:` URIs; other schemes have no files here. */
export const nodeFileSystem: FileSystem = {
  async readFile(uri) {
    if (!uri.startsWith('file:')) return undefined;
    try {
      const path = fileURLToPath(uri);
      const { size, isFile } = await stat(path).then((found) => ({ size: found.size, isFile: found.isFile() }));
      // A device or a pipe would never end.
      return isFile && size <= MAX_BYTES ? withoutMark(await readFile(path, 'utf8')) : undefined;
    } catch {
      return undefined;
    }
  },
  async readDirectory(uri) {
    if (!uri.startsWith('file:')) return [];
    try {
      const entries = await readdir(fileURLToPath(uri), { withFileTypes: true });
      return entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
    } catch {
      return [];
    }
  },
};
