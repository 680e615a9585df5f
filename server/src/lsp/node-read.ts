/**
 * Reads files that anybody may have put on the disk: only regular files, up to a size, and through
 * a link only what belongs to the workspace. A
 * device or a pipe never ends, and a link in a repository may lead anywhere.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  realpathSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { isInside } from '../engine/project/paths.ts';
import { versionOfMakefile } from '../engine/project/kernel-tree.ts';

/** No source, header or Makefile is larger. */
export const MAX_BYTES = 16_000_000;
/** Folders above a file that may be the kernel tree that it is in. */
const MAX_LEVELS = 40;

/** A file that is there and is not read. `message` completes "PATH: ". */
export class NotRead extends Error {}

/**
 * The bytes of a regular file.
 * @throws NotRead for what is no regular file or has more than `limit` bytes, and what the system
 * says of one that cannot be opened.
 */
export function readRegularFile(path: string, limit = MAX_BYTES): Buffer {
  // Without O_NONBLOCK the open itself would wait for somebody who writes into a pipe.
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stat = fstatSync(file);
    if (!stat.isFile())
      throw new NotRead(stat.isDirectory() ? 'is a folder' : 'not a regular file');
    if (stat.size > limit) throw new NotRead(`larger than ${limit / 1_000_000} MB`);
    return readUpTo(file, stat.size);
  } finally {
    closeSync(file);
  }
}

/**
 * As many bytes as the system says that there are, and no more: a file that grows, or one of /proc,
 * need not end.
 */
function readUpTo(file: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let filled = 0;
  while (filled < size) {
    const read = readSync(file, bytes, filled, size - filled, null);
    if (read === 0) break;
    filled += read;
  }
  return bytes.subarray(0, filled);
}

/**
 * Whether a path leads, through a link of the file or of a folder above it, to a place outside of
 * `roots`. A kernel tree belongs to every
 * workspace: drivers are built against one that lies elsewhere. False for what is not there.
 * @param roots absolute paths of folders.
 */
export function leadsOutside(path: string, roots: readonly string[]): boolean {
  const target = realPath(path);
  if (target === undefined || target === path) return false;
  if (roots.some((root) => isInside(target, realPath(root) ?? root))) return false;
  for (
    let at = dirname(target), level = 0;
    level < MAX_LEVELS && at !== dirname(at);
    at = dirname(at), level++
  ) {
    if (isKernelTree(at)) return false;
  }
  return true;
}

/** Whether a folder is the top of a kernel's sources or headers. */
export function isKernelTree(folder: string): boolean {
  if (existsSync(`${folder}/include/linux/vfio.h`)) return true;
  try {
    return (
      versionOfMakefile(readRegularFile(`${folder}/Makefile`).toString('latin1')) !== undefined
    );
  } catch {
    return false;
  }
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
