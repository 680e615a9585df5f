/** The files that a command line names. */
import { lstatSync, realpathSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { UsageError } from './usage-error.ts';
import { NotRead } from '../lsp/node-read.ts';
import type { Program } from './process-needs.ts';
import { compareText } from '../text/words.ts';
import { scanAll } from './scan-pool.ts';
import type { NamedSources } from './stdin.ts';
import { unreadable } from './text-file.ts';
import { createIgnoreFiles, type IgnoreFiles } from '../lsp/node-ignore.ts';
import { isSource, walk } from '../lsp/node-walk.ts';
import { isInside } from '../engine/project/paths.ts';
import { findRoot, keyOf, shownPath } from './workspace.ts';

/** A file to analyse. */
export interface InputFile {
  /** Absolute, the workspace's key. */
  readonly path: string;
  /** As the user would write it: from the PATH that led to it. */
  readonly shown: string;
}

export interface Inputs {
  /** Files that mention VFIO, each once, sorted by what is shown. */
  readonly files: readonly InputFile[];
  /** How many C files were looked at for that. */
  readonly sources: number;
  /** What could not be read, each already said on stderr. */
  readonly unreadable: number;
}

/** What is passed over on purpose is said, and is no failure. */
class PassedOver extends Error {}

/**
 * Finds the files that PATHs name: a folder gives its C files. Those that do not mention VFIO are
 * left out.
 * @param onFile is given each file as soon as it is found, in no order, while others are still
 * being read, and what to call when it is done with.
 * @param onHits is told before how many files come next.
 */
export async function findInputs(
  named: NamedSources,
  program: Program,
  onFile?: (file: InputFile, onDone: () => void) => Promise<void>,
  onHits?: (count: number) => void,
): Promise<Inputs> {
  let failed = 0;
  const fail = (error: Error): void => {
    if (error instanceof PassedOver) return program.output.note(error.message);
    failed++;
    program.output.error(error.message);
  };
  const roots: Root[] = [];
  const files = new Map<string, InputFile>();
  const progress = { read: 0, found: 0, done: 0 };
  const report = (): void => {
    const text = progressText(progress, onFile !== undefined);
    if (text !== undefined) program.output.progress(text);
  };
  const take = async (file: InputFile): Promise<void> => {
    // Two PATHs may lead to one file.
    if (files.has(file.path)) return;
    files.set(file.path, file);
    progress.found = Math.max(progress.found, files.size);
    await onFile?.(file, () => {
      progress.done++;
      report();
    });
  };
  let sources = 0;
  const counted = function* (): Generator<string> {
    for (const path of sourcesOf(named, roots, fail)) {
      sources++;
      yield path;
    }
  };
  const { stdin } = named;
  if (stdin) sources++;
  if (stdin?.file.text.includes('vfio') === true) await take(stdin);
  const onRead = (read: number): void => {
    progress.read = read;
    report();
  };
  for await (const { hits, unreadable: broken } of scanAll(counted(), program.self, onRead)) {
    for (const { path, code } of broken) fail(unreadable(shownAs(roots, path), { code }));
    progress.found += hits.length;
    onHits?.(hits.length);
    for (const path of hits) {
      if (!isIgnored(roots, path)) await take({ path, shown: shownAs(roots, path) });
    }
  }
  return {
    files: [...files.values()].sort((left, right) => compareText(left.shown, right.shown)),
    sources,
    unreadable: failed,
  };
}

/**
 * PATHs for a command that changes files: the file in the place of a symbolic link that leads to
 * one, because git applies no patch to a link. A link that leads nowhere stays.
 */
export function followLinks(paths: readonly string[]): readonly string[] {
  const followed = paths.map((path) =>
    isLink(path) && isFile(path) ? shownPath(keyOf(realpathSync(path))) : path,
  );
  return [...new Set(followed)];
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** How far the work is. While a large tree is read more files are still found. */
function progressText(
  { read, found, done }: { read: number; found: number; done: number },
  isWorking: boolean,
): string | undefined {
  if (!isWorking || found === 0) return read > 0 ? `${read} files read` : undefined;
  return `${done} of ${found} files checked${read > 0 ? `, ${read} read` : ''}`;
}

/** What PATHs led to, absolute and as it was typed. */
interface Root {
  readonly key: string;
  readonly shown: string;
  /** Of a folder: what git ignores in it. */
  readonly ignored: IgnoreFiles | undefined;
}

/** Whether only folders led to a file that git ignores there. A file that was named is read. */
function isIgnored(roots: readonly Root[], path: string): boolean {
  const leading = roots.filter(({ key }) => path === key || isInside(path, key));
  return leading.length > 0 && leading.every(({ ignored }) => ignored?.isIgnored(path) === true);
}

/**
 * The C files that PATHs name, absolute, stdin left out.
 * @param roots is filled with the PATHs.
 * @param fail is told of what cannot be read or is passed over.
 */
function* sourcesOf(
  { paths, stdin }: NamedSources,
  roots: Root[],
  fail: (error: Error) => void,
): Generator<string> {
  const failWalk = (place: string, error: unknown): void => {
    const said = unreadable(shownAs(roots, place), error);
    fail(error instanceof NotRead ? new PassedOver(said.message) : said);
  };
  for (const path of paths) {
    const key = keyOf(path);
    if (key === stdin?.path) continue;
    let isFolder: boolean;
    try {
      const stat = statSync(path);
      isFolder = stat.isDirectory();
      // A pipe or a device need not end.
      if (!isFolder && !stat.isFile()) throw new NotRead('not a regular file');
    } catch (error) {
      fail(unreadable(path, error));
      continue;
    }
    const tree = findRoot(key);
    const ignored = isFolder ? createIgnoreFiles(key, tree) : undefined;
    roots.push({ key, shown: isFolder ? posix.normalize(path) : path, ignored });
    if (ignored) yield* walk(key, tree, ignored, failWalk);
    else if (isSource(path)) yield key;
    else fail(new PassedOver(`${path}: not a C file (.c or .h), passed over`));
  }
}

/**
 * The sentence for PATHs without a C file, by what was to be done with it; undefined where there is
 * one. Where some were not read, that has been said and is enough.
 */
export function nothingThere(
  work: 'check' | 'convert' | 'fix',
  { paths }: NamedSources,
  { sources, unreadable: failed }: Inputs,
): string | undefined {
  if (sources > 0 || failed > 0) return undefined;
  const [first, ...others] = paths;
  return `nothing to ${work}: no C file (.c or .h) in ${first}${others.length > 0 ? ` and ${others.length} more` : ''}`;
}

/**
 * A path as it follows from the first PATH that contains it: `.` adds nothing, a folder goes before
 * what is in it.
 */
function shownAs(roots: readonly Root[], path: string): string {
  for (const { key, shown } of roots) {
    if (path === key) return shown;
    const inside = key.endsWith('/') ? key : `${key}/`;
    if (!path.startsWith(inside)) continue;
    const rest = path.slice(inside.length);
    if (shown === '.' || shown === './') return rest;
    return shown.endsWith('/') ? shown + rest : `${shown}/${rest}`;
  }
  return path;
}

/** Whether a path is that of a folder; false for what is not there. */
export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** The FILEs of a command that takes no folders. Throws UsageError. */
export function namedFiles({ paths, stdin }: NamedSources): readonly InputFile[] {
  return paths.map((path) => {
    if (keyOf(path) === stdin?.path) return stdin;
    let isFile: boolean;
    try {
      isFile = statSync(path).isFile();
    } catch (error) {
      throw unreadable(path, error);
    }
    if (!isFile) throw new UsageError(`${path}: not a file`);
    if (!isSource(path)) throw new UsageError(`${path}: not a C file (.c or .h)`);
    return { path: keyOf(path), shown: path };
  });
}
