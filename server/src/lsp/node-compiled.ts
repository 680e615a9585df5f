/**
 * Runs the program with what V8 compiled of it the last time, which halves the time that it takes to
 * start. Node has the same from 22 on; the oldest editors come with 20.
 */
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { cachedDataVersionTag } from 'node:v8';
import { Script } from 'node:vm';
import { makeFolder } from './node-make-folder.ts';

/** A program that runs. */
export interface Running {
  /** It did not have to be compiled. */
  readonly wasKept: boolean;
  /** Keeps what is compiled by now. Never throws: then the next start takes longer. */
  keep(): void;
}

const ENDING = '.compiled';
const KEEPING = Symbol.for('vfio-lifecycle.keeping');
/** What was written so many days ago is of a version that is gone. */
const DAYS = 60;
const DAY = 24 * 60 * 60 * 1000;

/** What a program is run from. It can be read in one thread and run in another. */
export interface Program {
  /** Its path. */
  readonly file: string;
  /** A function of `require`, `__filename` and `__dirname`, as the build writes it: all ASCII. */
  readonly text: Uint8Array<ArrayBuffer>;
  /** The folder where compiled programs are kept; undefined where they are not. */
  readonly folder: string | undefined;
  /** The name of what is kept of it. */
  readonly name: string;
  /** What V8 compiled of it, if that was kept. */
  readonly code: Uint8Array<ArrayBuffer> | undefined;
}

type Main = (require: NodeJS.Require, filename: string, dirname: string) => void;

/**
 * Runs a file that the build has made a function.
 * @param folder where compiled programs are kept; undefined where they are not.
 */
export function runCompiled(file: string, folder: string | undefined): Running {
  return runProgram(readProgram(file, folder));
}

/** Reads a program and what was kept of it. The bytes are in buffers of their own. */
export function readProgram(file: string, folder: string | undefined): Program {
  const text = bytesOf(file);
  const name = nameOf(file);
  const code = folder !== undefined && isOurs(folder) ? read(join(folder, name)) : undefined;
  return { file, text, folder, name, code };
}

/** Runs a program that was read. */
export function runProgram({ file, text, folder, name, code }: Program): Running {
  // Latin 1 is not looked at for what it means.
  const source = asBuffer(text).toString('latin1');
  const script = new Script(source, { filename: file, cachedData: code });
  (script.runInThisContext() as Main)(createRequire(file), file, dirname(file));
  return {
    wasKept: code !== undefined && script.cachedDataRejected === false,
    keep() {
      if (folder === undefined) return;
      try {
        makeFolder(folder, 0o700);
        if (!isOurs(folder)) return;
        const kept = join(folder, name);
        // Others may read it at this moment, and others write it: two containers that share a home
        // may have a process of the same number.
        const fresh = `${kept}.${process.pid}.${Date.now()}`;
        const compiled = script.createCachedData();
        writeFileSync(fresh, Buffer.concat([compiled, compiled]), { mode: 0o600, flag: 'wx' });
        renameSync(fresh, kept);
        removeOld(folder);
      } catch {
        // A disk that is full, or that nobody may write to.
      }
    },
  };
}

/**
 * The folder for compiled programs: what `VFIO_LIFECYCLE_CACHE` names, which may be empty for none,
 * or that of the system's caches. Undefined where it would depend on the working directory, which
 * may be a tree of strangers, and in the home of another person, as under sudo. Never throws.
 */
export function compiledFolder(): string | undefined {
  const folder = process.env['VFIO_LIFECYCLE_CACHE'] ?? ownCaches();
  return folder !== undefined && isAbsolute(folder) ? folder : undefined;
}

function ownCaches(): string | undefined {
  try {
    const uid = process.getuid?.();
    if (uid !== undefined && statSync(homedir()).uid !== uid) return undefined;
    return join(cachesOf(process.platform), 'vfio-lifecycle');
  } catch {
    // A user without a home.
    return undefined;
  }
}

/** Where a program that runs finds what keeps its code: it is in another bundle than this one. */
const world = globalThis as { [KEEPING]?: () => void };

/** Lets the program that runs in this thread say when it is worth keeping. */
export function offerToKeep({ wasKept, keep }: Running): void {
  if (!wasKept) world[KEEPING] = keep;
}

/**
 * What keeps the code of this thread's program: undefined where it is kept. Who takes it has to see
 * to it.
 */
export function takeKeeping(): (() => void) | undefined {
  const keep = world[KEEPING];
  delete world[KEEPING];
  return keep;
}

function cachesOf(platform: NodeJS.Platform): string {
  if (platform === 'win32')
    return process.env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches');
  return process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
}

/**
 * V8 itself only compares the length of a text, its own version and its flags: the name changes with
 * each installation, whose files have another time of change even where their own time is the same.
 * The server and the command line have other flags: each has its own file.
 */
function nameOf(program: string): string {
  const { size, mtimeMs, ctimeMs } = statSync(program);
  const place = program.replace(/\W+/g, '-').slice(-80);
  const engine = `${process.version}.${process.arch}.${cachedDataVersionTag()}`;
  return `${place}.${size}.${mtimeMs}.${ctimeMs}.${engine}${ENDING}`;
}

/**
 * Who can write there can have us run anything: only our own folder is read. Never throws: without
 * a folder the program starts all the same.
 */
function isOurs(folder: string): boolean {
  try {
    const status = statSync(folder);
    if (!status.isDirectory()) return false;
    if (process.getuid === undefined) return true;
    return status.uid === process.getuid() && (status.mode & 0o022) === 0;
  } catch {
    return false;
  }
}

/**
 * V8 believes what it reads: a single byte that a disk has lost ends the process. So a file has the
 * code twice, which takes less time to compare than the module that makes sums takes to load.
 */
function read(file: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const content = bytesOf(file);
    const size = content.length / 2;
    const code = content.subarray(0, size);
    return size > 0 && asBuffer(code).equals(content.subarray(size)) ? code : undefined;
  } catch {
    return undefined;
  }
}

/** The bytes of a file in a buffer of their own: that of a small file Node may share with others. */
function bytesOf(file: string): Uint8Array<ArrayBuffer> {
  const content = readFileSync(file);
  const { buffer } = content;
  return buffer instanceof ArrayBuffer && buffer.byteLength === content.length
    ? new Uint8Array(buffer)
    : Uint8Array.from(content);
}

function asBuffer(bytes: Uint8Array<ArrayBuffer>): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function removeOld(folder: string): void {
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    // Those too that a process which was killed had begun.
    if (name.includes(ENDING) && Date.now() - statSync(file).mtimeMs > DAYS * DAY) rmSync(file);
  }
}
