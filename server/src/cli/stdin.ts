/** The text of stdin in the place of a file: what an editor asks about before it has saved. */
import { readSync } from 'node:fs';
import { MAX_BYTES } from '../lsp/node-read.ts';
import type { Sources } from './command.ts';
import { decode, type StdinFile, type TextFile } from './text-file.ts';
import { UsageError } from './usage-error.ts';
import { keyOf } from './workspace.ts';

/** The PATHs of a command as files and folders, and what stdin holds where one of them is `-`. */
export interface NamedSources {
  readonly paths: readonly string[];
  readonly stdin: StdinFile | undefined;
}

/**
 * Reads stdin where it is asked for; without a name it is a C file of the working folder. Throws
 * UsageError when it is too large.
 */
export function nameSources({ paths, stdinName }: Sources): NamedSources {
  if (!paths.includes('-')) return { paths, stdin: undefined };
  const name = stdinName ?? 'stdin.c';
  const stdin = { path: keyOf(name), shown: stdinName ?? '<stdin>', file: readStdin() };
  return { paths: paths.map((path) => (path === '-' ? name : path)), stdin };
}

/** The whole of stdin as a text. Throws UsageError when it is too large. */
export function readStdin(): TextFile {
  return decode(readAll());
}

/** All bytes of stdin, which may be a pipe or a terminal, up to the size of a file. */
function readAll(): Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  for (;;) {
    const chunk = Buffer.alloc(1 << 16);
    const read = readSome(chunk);
    if (read === 0) return Buffer.concat(chunks);
    size += read;
    if (size > MAX_BYTES) throw new UsageError(`stdin: larger than ${MAX_BYTES / 1_000_000} MB`);
    chunks.push(chunk.subarray(0, read));
  }
}

function readSome(chunk: Buffer): number {
  for (;;) {
    try {
      return readSync(0, chunk);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Windows tells the end of a pipe so; a terminal that does not block has nothing yet.
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw new UsageError(`stdin: ${code ?? String(error)}`);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}
