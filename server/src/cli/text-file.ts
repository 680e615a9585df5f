/** Reads files as text that can be written back without losing a byte. */
import { NotRead, readRegularFile } from '../lsp/node-read.ts';
import { UsageError } from './usage-error.ts';

/**
 * A file as text that can be written back without losing a byte. Text that is not valid UTF-8 is
 * read as Latin-1, in which
 * every byte is one character. A byte order mark is kept out of `text`, so that positions are those
 * of an editor.
 */
export interface TextFile {
  readonly text: string;
  readonly encoding: 'utf8' | 'latin1';
  readonly bom: boolean;
  /** There is none yet. */
  readonly isNew?: true;
}

/** Decodes bytes; total. */
export function decode(bytes: Uint8Array): TextFile {
  const bom = bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const body = bom ? bytes.subarray(3) : bytes;
  try {
    return {
      text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body),
      encoding: 'utf8',
      bom,
    };
  } catch {
    return {
      text: Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1'),
      encoding: 'latin1',
      bom,
    };
  }
}

/**
 * The bytes of `text` in the form of `file`. An inserted character that Latin-1 lacks becomes `?`;
 * the tool inserts ASCII only.
 */
export function encode(file: TextFile, text: string): Buffer {
  const body = Buffer.from(text, file.encoding);
  return file.bom ? Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), body]) : body;
}

/** Reads and decodes `path`. Throws UsageError when it cannot be read. */
export function readTextFile(path: string): TextFile {
  try {
    return decode(readRegularFile(path));
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** The usual errors of the operating system, in words. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'no such file or folder'],
  ['EACCES', 'permission denied'],
  ['EISDIR', 'is a folder'],
  ['EEXIST', 'a file of this name is there'],
  ['ENOSPC', 'no space left on the device'],
  ['EROFS', 'a read-only file system'],
]);

/** Why the operating system refused, in words where it is a usual error. */
export function reasonInWords(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return REASONS.get(code ?? '') ?? code ?? String(error).split('\n', 1)[0]!;
}

/** The one-line error for an input that cannot be read. */
export function unreadable(path: string, error: unknown): UsageError {
  if (error instanceof NotRead) return new UsageError(`${path}: ${error.message}`);
  return new UsageError(`${path}: ${reasonInWords(error)}`);
}

/** A text that stands before the disk. */
export interface StdinFile {
  /** Absolute, the workspace's key; there need not be such a file. */
  readonly path: string;
  /** As messages name it. */
  readonly shown: string;
  readonly file: TextFile;
}
