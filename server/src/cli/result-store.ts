/**
 * A folder with results by their keys. Any number of processes may read and write it at once: a file
 * appears whole or not at all, and what is not whole is no result.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder } from '../lsp/node-make-folder.ts';
import { reasonInWords } from './text-file.ts';

export interface ResultStore {
  /** The text that was kept for a key; undefined where there is none, or no whole one. */
  read(key: string): string | undefined;
  /** Keeps a text. Never throws: what cannot be kept is worked out again. */
  write(key: string, text: string): void;
  /** Removes the oldest of what is more than the store may hold. To be called once, at the end. */
  close(): void;
}

/** Bytes of all files together. A whole kernel tree has a fifth of a megabyte. */
export const MAX_STORE = 200_000_000;
/** Keys are digests: their first two digits name as many folders. */
const FOLDERS = 256;
/** What is used again is young again, which is written down only once a day. */
const DAY = 86_400_000;

/** What other programs know a cache by: backups leave it out, and so does git. */
const MARKS = {
  'CACHEDIR.TAG':
    'Signature: 8a477f597d28d172789f06886806bc55\n# This folder is a cache of vfio-lifecycle and can be deleted at any time.\n',
  '.gitignore': '*\n',
} as const;

/**
 * @param folder is made with the first result that is kept.
 * @param complain is told, once, why nothing can be kept.
 */
export function openResultStore(
  folder: string,
  complain: (line: string) => void,
  limit = MAX_STORE,
): ResultStore {
  const touched = new Set<string>();
  let isWritable = true;
  const folderOf = (key: string): string => join(folder, key.slice(0, 2));
  const fileOf = (key: string): string => join(folderOf(key), key);
  return {
    read(key) {
      const path = fileOf(key);
      try {
        const text = textIn(key, readFileSync(path, 'utf8'));
        if (text !== undefined) keepYoung(path);
        return text;
      } catch {
        return undefined;
      }
    },
    write(key, text) {
      if (!isWritable) return;
      try {
        if (touched.size === 0) mark(folder);
        makeFolder(folderOf(key));
        touched.add(folderOf(key));
        put(fileOf(key), `${sumOf(key, text)}\n${text}`);
      } catch (error) {
        isWritable = false;
        complain(`${folder}: results are not kept: ${reasonInWords(error)}`);
      }
    },
    close() {
      for (const one of touched) removeOldest(one, limit / FOLDERS);
    },
  };
}

/** A file is of one key and has all of its text, or its sum is another. */
function textIn(key: string, content: string): string | undefined {
  const end = content.indexOf('\n');
  const text = content.slice(end + 1);
  return content.slice(0, end) === sumOf(key, text) ? text : undefined;
}

function sumOf(key: string, text: string): string {
  return createHash('sha256').update(key).update(text).digest('hex');
}

/** Writes a file in one step, so that nobody reads half of it. */
function put(path: string, content: string): void {
  const temporary = join(dirname(path), `.${process.pid}-${randomBytes(6).toString('hex')}`);
  try {
    writeFileSync(temporary, content, { flag: 'wx' });
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function mark(folder: string): void {
  makeFolder(folder);
  for (const [name, text] of Object.entries(MARKS)) {
    try {
      writeFileSync(join(folder, name), text, { flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function keepYoung(path: string): void {
  const now = Date.now();
  try {
    if (now - statSync(path).mtimeMs > DAY) utimesSync(path, now / 1000, now / 1000);
  } catch {
    // Another process has removed it, or it belongs to somebody else: it is only older than it seems.
  }
}

/** What a process left behind that was ended while it wrote is as old as any other file. */
function removeOldest(folder: string, limit: number): void {
  const files = readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat ? [{ path, size: stat.size, age: stat.mtimeMs }] : [];
  });
  let left = files.reduce((sum, { size }) => sum + size, 0);
  for (const { path, size } of files.sort((one, other) => one.age - other.age)) {
    if (left <= limit) return;
    rmSync(path, { force: true });
    left -= size;
  }
}
