/**
 * The files that a change touches, each as it was and as it is: a change in the repository, what is
 * staged in it, or patches, which are applied in memory.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { applyPatch, reversePatch } from 'diff';
import { readRegularFile } from '../lsp/node-read.ts';
import { isSource } from '../lsp/node-walk.ts';
import { largest } from '../text/lists.ts';
import { compareText } from '../text/words.ts';
import type { ChangeSource } from './command.ts';
import { patchedName, patchesIn, type FilePatch } from './patch-text.ts';
import { baseOf } from './patch-series.ts';
import { readStdin } from './stdin.ts';
import { decode, readTextFile, type TextFile } from './text-file.ts';
import { UsageError } from './usage-error.ts';
import { keyOf } from './workspace.ts';

/** A file that a change touches, by its absolute path. */
export interface ChangedFile {
  readonly path: string;
  /** Empty for a new file. */
  readonly before: string;
  readonly after: TextFile;
}

/** The C files of a change. Throws UsageError where git or a patch does not say them. */
export function changedFiles(source: ChangeSource): readonly ChangedFile[] {
  const files =
    source.kind === 'diff'
      ? patched(source.files).filter(({ path }) => isSource(path))
      : inRepository(source);
  return [...files].sort((left, right) => compareText(left.path, right.path));
}

function inRepository(source: Exclude<ChangeSource, { kind: 'diff' }>): ChangedFile[] {
  const root = baseOf(keyOf('x'));
  const option = source.kind === 'since' ? '--since' : '--staged';
  if (root === undefined) throw new UsageError(`${option}: not in a git repository`);
  const base = source.kind === 'since' ? baseCommit(root, source.revision) : headOf(root);
  const isStaged = source.kind === 'staged';
  // Each text is a process of its own.
  const names = changedNames(root, base, isStaged).filter(({ after }) => isSource(after));
  return names.flatMap(({ before, after }): ChangedFile[] => {
    const path = join(root, after);
    const text = isStaged ? blob(root, `:${after}`) : fileOf(path);
    if (text === undefined) return [];
    const old = before === undefined ? undefined : blob(root, `${base}:${before}`);
    return [{ path, before: old?.text ?? '', after: text }];
  });
}

/** What a repository without a commit has: nothing. */
const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

function headOf(root: string): string {
  return (
    git(root, ['rev-parse', '--verify', '--quiet', 'HEAD'])?.toString('latin1').trim() ?? EMPTY_TREE
  );
}

/**
 * The commit that the work began from: where the other branch has gone on, what it has changed is
 * none of this change.
 */
function baseCommit(root: string, revision: string): string {
  const commit = git(root, [
    'rev-parse',
    '--verify',
    '--quiet',
    '--end-of-options',
    `${revision}^{commit}`,
  ]);
  if (commit === undefined) throw new UsageError(`--since: git knows no commit ${revision}`);
  const id = commit.toString('latin1').trim();
  return git(root, ['merge-base', id, 'HEAD'])?.toString('latin1').trim() ?? id;
}

/** The names of changed files with their old ones; a deleted file is left out. */
function changedNames(
  root: string,
  base: string,
  isStaged: boolean,
): { before: string | undefined; after: string }[] {
  const options = ['--no-relative', '--no-ext-diff', '--no-textconv', '--name-status', '-z', '-M'];
  const diff = git(root, ['diff', ...options, ...(isStaged ? ['--cached'] : []), base, '--']);
  if (diff === undefined) throw new UsageError('git diff failed');
  const words = diff.toString('utf8').split('\0');
  const names: { before: string | undefined; after: string }[] = [];
  for (let i = 0; i + 1 < words.length;) {
    const status = words[i++]!;
    const name = words[i++]!;
    if (/^[RC]/.test(status)) names.push({ before: name, after: words[i++]! });
    else if (!status.startsWith('D'))
      names.push({ before: status.startsWith('A') ? undefined : name, after: name });
  }
  if (isStaged) return names;
  const untracked = git(root, ['ls-files', '--others', '--exclude-standard', '-z']);
  const others = (untracked?.toString('utf8') ?? '').split('\0').filter((name) => name !== '');
  return [...names, ...others.map((after) => ({ before: undefined, after }))];
}

/** What git prints; undefined where it fails. */
function git(folder: string, words: readonly string[]): Buffer | undefined {
  const { status, stdout, error } = spawnSync('git', words, { cwd: folder, maxBuffer: 1 << 28 });
  if (error) throw new UsageError(`git: ${(error as NodeJS.ErrnoException).code ?? error.message}`);
  return status === 0 ? stdout : undefined;
}

function blob(root: string, name: string): TextFile | undefined {
  const bytes = git(root, ['cat-file', 'blob', name]);
  return bytes && decode(bytes);
}

function fileOf(path: string): TextFile | undefined {
  try {
    return decode(readRegularFile(path));
  } catch {
    return undefined;
  }
}

/** The files of patches, which are applied to the tree already or can be. */
function patched(files: readonly string[]): ChangedFile[] {
  const patches = files.flatMap((file) => {
    const text = file === '-' ? readStdin().text : readTextFile(file).text;
    try {
      return patchesIn(text);
    } catch (error) {
      throw new UsageError(`${file}: ${(error as Error).message}`);
    }
  });
  if (patches.length === 0) throw new UsageError(`--diff: no diff in ${files.join(', ')}`);
  const place = placesOf(patches);
  const result = applied(patches, place) ?? takenBack(patches, place);
  if (result === undefined)
    throw new UsageError(
      `--diff: ${files.join(', ')}: neither applies to the files that are here, nor is it in them`,
    );
  return result;
}

/** Where the names of patches lie. */
type Place = (name: string) => string;

/**
 * Names are those of the repository or of the working folder, with the prefix of git or without
 * one: what most files are found by counts for all of them.
 */
function placesOf(patches: readonly FilePatch[]): Place {
  const here = keyOf('.');
  const root = baseOf(`${here}/x`) ?? here;
  const names = patches.flatMap(
    (one) => patchedName(one.oldFileName) ?? patchedName(one.newFileName) ?? [],
  );
  const places = [root, here].flatMap((folder) => [
    (name: string): string => join(folder, name.replace(/^[^/]+\//, '')),
    (name: string): string => join(folder, name),
  ]);
  const counts = places.map((place) => names.filter((name) => existsSync(place(name))).length);
  return places[counts.indexOf(largest(counts))]!;
}

interface Text {
  readonly before: string;
  readonly after: TextFile;
}

/** Applies patches one after the other; undefined where one does not fit. */
function applied(patches: readonly FilePatch[], place: Place): ChangedFile[] | undefined {
  const texts = new Map<string, Text>();
  for (const patch of patches) {
    const [from, to] = [patchedName(patch.oldFileName), patchedName(patch.newFileName)];
    const source = from === undefined ? undefined : place(from);
    const known = source === undefined ? undefined : (texts.get(source) ?? textAt(source));
    if (source !== undefined && known === undefined) return undefined;
    const target = to === undefined ? undefined : place(to);
    if (source === undefined && target !== undefined && existsSync(target)) return undefined;
    const after = applyPatch(known?.after.text ?? '', patch);
    if (after === false) return undefined;
    if (source !== undefined && source !== target) texts.delete(source);
    if (target !== undefined)
      texts.set(target, {
        before: known?.before ?? '',
        after: { encoding: 'utf8', bom: false, ...known?.after, text: after },
      });
  }
  return [...texts].map(([path, text]) => ({ path, ...text }));
}

function textAt(path: string): Text | undefined {
  const file = fileOf(path);
  return file && { before: file.text, after: file };
}

/** The files as they were before patches that are in them; undefined where one is not. */
function takenBack(patches: readonly FilePatch[], place: Place): ChangedFile[] | undefined {
  const texts = new Map<string, Text>();
  for (const patch of [...patches].reverse()) {
    const to = patchedName(patch.newFileName);
    if (to === undefined) continue;
    const path = place(to);
    const known = texts.get(path) ?? textAt(path);
    const before = known && applyPatch(known.before, reversePatch(patch));
    if (known === undefined || before === undefined || before === false) return undefined;
    texts.set(path, { before, after: known.after });
  }
  return [...texts].map(([path, text]) => ({ path, ...text }));
}
