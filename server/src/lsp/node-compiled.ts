/**
 * Runs the server's program with what V8 compiled of it the last time, which halves the time that
 * it takes to start. Node has the same from 22 on; the oldest editors come with 20.
 */
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
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
/** What was written so many days ago is of a version that is gone. */
const DAYS = 60;
const DAY = 24 * 60 * 60 * 1000;

/**
 * Runs a file as a CommonJS module.
 * @param folder where compiled programs are kept; undefined where they are not.
 */
export function runCompiled(program: string, folder: string | undefined): Running {
  // The build writes nothing but ASCII, which is not looked at so.
  const text = readFileSync(program, 'latin1');
  const file = folder === undefined ? undefined : join(folder, nameOf(program));
  const cachedData = folder !== undefined && isOurs(folder) ? read(file!) : undefined;
  const script = new Script(
    `(function (exports, require, module, __filename, __dirname) {${text}\n})`,
    { filename: program, cachedData },
  );
  const own = { exports: {} };
  const main = script.runInThisContext() as (...parts: unknown[]) => void;
  main(own.exports, createRequire(program), own, program, dirname(program));
  return {
    wasKept: cachedData !== undefined && script.cachedDataRejected === false,
    keep() {
      if (folder === undefined) return;
      try {
        makeFolder(folder, 0o700);
        if (!isOurs(folder)) return;
        // Another server may read it at this moment.
        const fresh = `${file}.${process.pid}`;
        writeFileSync(fresh, script.createCachedData(), { mode: 0o600 });
        renameSync(fresh, file!);
        removeOld(folder);
      } catch {
        // A disk that is full, or that nobody may write to.
      }
    },
  };
}

/**
 * The folder for compiled programs: what `VFIO_LIFECYCLE_CACHE` names, which may be empty for none,
 * or that of the system's caches.
 */
export function compiledFolder(): string | undefined {
  const wanted = process.env['VFIO_LIFECYCLE_CACHE'];
  if (wanted !== undefined) return wanted === '' ? undefined : wanted;
  return join(cachesOf(process.platform), 'vfio-lifecycle');
}

function cachesOf(platform: NodeJS.Platform): string {
  if (platform === 'win32')
    return process.env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches');
  return process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
}

/**
 * V8 itself only compares the length of a text and its own version: the name changes with each
 * installation, whose files have another time of change even where their own time is the same.
 */
function nameOf(program: string): string {
  const { size, mtimeMs, ctimeMs } = statSync(program);
  const place = program.replace(/\W+/g, '-').slice(-80);
  return `${place}.${size}.${mtimeMs}.${ctimeMs}.${process.version}.${process.arch}${ENDING}`;
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

function read(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

function removeOld(folder: string): void {
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    if (name.endsWith(ENDING) && Date.now() - statSync(file).mtimeMs > DAYS * DAY) rmSync(file);
  }
}
