/**
 * Writes several files: all of them or none. Each keeps its owner, its mode and its other names;
 * what cannot be kept is said before anything is
 * written. What fails later is taken back.
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UsageError } from './usage-error.ts';
import { encode, unreadable, type TextFile } from './text-file.ts';

/** A file that is to be written. `path` is as people know it. */
export interface Change {
  readonly path: string;
  readonly before: TextFile;
  readonly text: string;
}

/** How a change gets to the disk, found out before the first is written. */
interface Prepared {
  readonly path: string;
  readonly target: string;
  readonly old: Buffer;
  readonly bytes: Buffer;
  readonly stat: Stats;
  /**
   * The new content, in a file that takes the place of the old one; null where that would cost the
   * old one's owner or its other names.
   */
  readonly temporary: string | null;
}

/**
 * Writes all changes. Follows a symbolic link rather than replacing it. A file is replaced in one
 * step, so that readers see the old or the new
 * bytes; one that has other names, or an owner that this process cannot give, is written in its
 * place.
 * @throws UsageError when a file is not what `before` was read from any more, or cannot be written:
 * then none is changed.
 */
export function writeFiles(changes: readonly Change[]): void {
  const prepared: Prepared[] = [];
  const created: string[] = [];
  let written = 0;
  try {
    for (const change of changes) {
      if (change.before.isNew) {
        create(change);
        created.push(change.path);
        continue;
      }
      const one = prepare(change, prepared);
      if (one) prepared.push(one);
    }
    for (const one of prepared) {
      put(one, one.bytes, one.temporary);
      written++;
    }
  } catch (error) {
    for (const path of created) rmSync(path, { force: true });
    const lost = prepared.slice(0, written + 1).filter((one) => !takeBack(one));
    if (lost.length > 0)
      throw new UsageError(
        `${reasonOf(error)}; these are changed and could not be taken back: ${lost.map((one) => one.path).join(', ')}`,
      );
    throw new UsageError(`${reasonOf(error)}; nothing written`);
  } finally {
    for (const one of prepared) if (one.temporary !== null) rmSync(one.temporary, { force: true });
  }
}

function create({ path, before, text }: Change): void {
  try {
    writeFileSync(path, encode(before, text), { flag: 'wx' });
  } catch (error) {
    throw unreadable(path, error);
  }
}

/**
 * Finds out whether a file can be written, and lays its new content beside it. Null when the same
 * file has the same change under another name.
 */
function prepare({ path, before, text }: Change, others: readonly Prepared[]): Prepared | null {
  try {
    const target = realpathSync(path);
    const stat = statSync(target);
    const bytes = encode(before, text);
    const twin = others.find((one) => one.stat.dev === stat.dev && one.stat.ino === stat.ino);
    if (twin?.bytes.equals(bytes)) return null;
    if (twin)
      throw new UsageError(`${path}: the same file as ${twin.path}, and changed in another way`);
    const old = readFileSync(target);
    if (!old.equals(encode(before, before.text)))
      throw new UsageError(`${path}: changed while it was analysed`);
    // Whether it may be written at all: a folder may allow what a file forbids.
    closeSync(openSync(target, constants.O_WRONLY));
    return {
      path,
      target,
      old,
      bytes,
      stat,
      temporary: stat.nlink > 1 ? null : temporaryFor(target, bytes, stat),
    };
  } catch (error) {
    throw error instanceof UsageError ? error : unreadable(path, error);
  }
}

/** A file beside `target` with its owner and mode; null when this process may not make one. */
function temporaryFor(target: string, bytes: Buffer, stat: Stats): string | null {
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  try {
    writeFileSync(temporary, bytes, { flag: 'wx', mode: 0o600 });
    const made = statSync(temporary);
    if (made.uid !== stat.uid || made.gid !== stat.gid) chownSync(temporary, stat.uid, stat.gid);
    chmodSync(temporary, stat.mode & 0o7777);
    return temporary;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw error;
    rmSync(temporary, { force: true });
    if (code === 'EPERM' || code === 'EACCES') return null;
    throw error;
  }
}

function put({ path, target }: Prepared, bytes: Buffer, temporary: string | null): void {
  try {
    if (temporary !== null) {
      renameSync(temporary, target);
      return;
    }
    const file = openSync(target, constants.O_WRONLY);
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at, bytes.length - at, at);
      ftruncateSync(file, bytes.length);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Whether a file has its old content, by now or again. */
function takeBack(one: Prepared): boolean {
  try {
    if (!readFileSync(one.target).equals(one.old)) put(one, one.old, null);
    return true;
  } catch {
    return false;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
