/**
 * The cheap question before a parse: which files have the word. For the command line and for a
 * check of the whole workspace.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** What a scan of some files found. */
export interface ScanResult {
  readonly hits: readonly string[];
  readonly unreadable: readonly { readonly path: string; readonly code: string }[];
}

const NEEDLE = Buffer.from('vfio');
let chunk: Buffer | undefined;

/**
 * Finds the files among `paths` that contain the bytes `vfio`, without decoding them. Reads into
 * one buffer that is kept:
 * over a kernel tree the time goes into system calls and page faults, not into the search.
 */
export function scan(paths: readonly string[]): ScanResult {
  const hits: string[] = [];
  const unreadable: { path: string; code: string }[] = [];
  for (const path of paths) {
    try {
      if (mentionsVfio(path)) hits.push(path);
    } catch (error) {
      unreadable.push({ path, code: (error as NodeJS.ErrnoException).code ?? 'EIO' });
    }
  }
  return { hits, unreadable };
}

function mentionsVfio(path: string): boolean {
  const buffer = (chunk ??= Buffer.allocUnsafeSlow(1 << 18));
  // A pipe would hold the open itself up, and a device never ends.
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    let kept = 0;
    for (;;) {
      const read = readSync(file, buffer, kept, buffer.length - kept, null);
      if (read === 0) return false;
      const filled = kept + read;
      if (buffer.subarray(0, filled).includes(NEEDLE)) return true;
      // A regular file gives all it has: a short read is its end. What is none never ends.
      if (filled < buffer.length || (kept === 0 && !fstatSync(file).isFile())) return false;
      // The word may lie across two reads.
      kept = NEEDLE.length - 1;
      buffer.copy(buffer, 0, filled - kept, filled);
    }
  } finally {
    closeSync(file);
  }
}
