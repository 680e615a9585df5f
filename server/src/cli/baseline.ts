/**
 * A baseline: the findings of a tree that are known and are not to be reported again, so that a
 * check can begin to fail for new ones
 * only. Findings are compared by their fingerprints, which survive moved lines.
 */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, relative, sep } from 'node:path';
import type { Finding } from '../rules/types.ts';
import { UsageError } from './usage-error.ts';
import type { CheckedFile } from './check.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { Output } from './output.ts';
import { comparePaths } from './scan-pool.ts';
import { unreadable } from './text-file.ts';
import { readRegularFile } from '../lsp/node-read.ts';
import { keyOf, shownPath, type Workspace } from './workspace.ts';

/**
 * Findings with one fingerprint. All but the fingerprint and the count is for people who read the
 * file.
 */
interface Entry {
  /** Relative to the baseline's folder, with `/`. */
  readonly path: string;
  readonly function: string | null;
  readonly rule: string;
  readonly fingerprint: string;
  readonly count: number;
}

/** Bytes. */
const MAX_BASELINE = 64_000_000;

export interface BaselineOptions {
  /** Counts before the one that a configuration file names. */
  readonly baseline: string | undefined;
  readonly update: boolean;
  /** What was checked: only of files in there can be said that a known finding is gone. */
  readonly paths: readonly string[];
  /** How many files could not be read. */
  readonly unreadable: number;
}

/**
 * Takes the known findings out of `files` and says how many there were; with `update` writes the
 * files anew first. Throws UsageError.
 */
export async function withoutKnown(
  files: readonly CheckedFile[],
  options: BaselineOptions,
  workspace: Workspace,
  output: Output,
): Promise<readonly CheckedFile[]> {
  const own = options.baseline === undefined ? undefined : keyOf(options.baseline);
  const baselineOf = async (path: string): Promise<string | undefined> =>
    own ?? (await workspace.config(path)).baseline;
  const groups = new Map<string, CheckedFile[]>();
  const open = (path: string): CheckedFile[] => groups.get(path) ?? groups.set(path, []).get(path)!;
  for (const path of options.paths) {
    const baseline = await baselineOf(`${keyOf(path)}/.`);
    if (baseline !== undefined) open(baseline);
  }
  for (const file of files) {
    const baseline = await baselineOf(file.file.path);
    if (baseline !== undefined) open(baseline).push(file);
  }
  if (options.update && groups.size === 0)
    throw new UsageError(
      '--update-baseline: no baseline is named; say --baseline FILE, or "baseline" in .vfio-lifecycle.json',
    );
  if (options.update && options.unreadable > 0)
    throw new UsageError(
      '--update-baseline: nothing written, because not everything could be read',
    );
  const left = new Map<CheckedFile, CheckedFile>();
  for (const [path, group] of groups) {
    const entries = load(path, options, workspace);
    if (entries)
      for (const [file, fresh] of compare(path, entries, group, options, workspace, output))
        left.set(file, fresh);
  }
  return files.map((file) => left.get(file) ?? file);
}

function compare(
  path: string,
  entries: readonly Entry[],
  files: readonly CheckedFile[],
  options: BaselineOptions,
  workspace: Workspace,
  output: Output,
): Map<CheckedFile, CheckedFile> {
  const folder = dirname(path);
  const name = shownPath(path);
  const nameOf = (finding: Finding): string =>
    relative(folder, finding.site.path).split(sep).join('/');
  const unmet = new Map<string, number>();
  for (const { fingerprint, count } of entries)
    unmet.set(fingerprint, (unmet.get(fingerprint) ?? 0) + count);
  const present = new Map<string, Entry>();
  const left = new Map<CheckedFile, CheckedFile>();
  let hidden = 0;
  let fresh = 0;
  for (const file of files) {
    const findings = file.analysis.findings.filter((finding) => {
      const fingerprint = fingerprintOf(finding, nameOf(finding), workspace);
      present.set(fingerprint, {
        path: nameOf(finding),
        function: finding.functionName,
        rule: finding.rule,
        fingerprint,
        count: (present.get(fingerprint)?.count ?? 0) + 1,
      });
      const rest = unmet.get(fingerprint) ?? 0;
      if (rest > 0) {
        unmet.set(fingerprint, rest - 1);
        hidden++;
        return false;
      }
      fresh++;
      return !options.update;
    });
    left.set(file, { ...file, analysis: { ...file.analysis, findings } });
  }

  const looked = lookedAt(folder, files, options.paths);
  // One finding may have had several entries, where somebody merged two files.
  const gone = entries.filter(looked).reduce((sum, { fingerprint, count }) => {
    const rest = Math.min(count, unmet.get(fingerprint) ?? 0);
    unmet.set(fingerprint, (unmet.get(fingerprint) ?? 0) - rest);
    return sum + rest;
  }, 0);
  if (options.update) {
    const kept = entries.filter((entry) => !looked(entry) && !present.has(entry.fingerprint));
    write(path, [...kept, ...present.values()]);
    output.note(
      `${name}: written; ${numberOf(hidden + fresh, 'finding')} here, ${fresh} of them new; ${gone} gone${kept.length > 0 ? `; ${kept.length} of other files` : ''}`,
    );
  } else {
    if (hidden > 0) output.note(`${numberOf(hidden, 'finding')} hidden by ${name}`);
    if (gone > 0)
      output.note(
        `${numberOf(gone, 'finding')} of ${name} gone; --update-baseline takes ${gone === 1 ? 'it' : 'them'} out`,
      );
  }
  return left;
}

/** Whether an entry would have been found again if it were still there. */
function lookedAt(
  folder: string,
  files: readonly CheckedFile[],
  paths: readonly string[],
): (entry: Entry) => boolean {
  const roots = paths.map(keyOf);
  const given = new Set(
    files.flatMap(({ analysis }) =>
      analysis.notAnalysed.map((one) => `${one.path}\n${one.function}`),
    ),
  );
  return (entry) => {
    const path = keyOf(`${folder}/${entry.path}`);
    if (!existsSync(path)) return true;
    if (
      !roots.some(
        (root) => path === root || path.startsWith(root.endsWith('/') ? root : `${root}/`),
      )
    )
      return false;
    return !given.has(`${path}\n`) && !given.has(`${path}\n${entry.function ?? ''}`);
  };
}

/**
 * The entries of a file; none when it is to be written for the first time; undefined when there is
 * no such file, which is wrong with the settings.
 */
function load(
  path: string,
  { update }: BaselineOptions,
  workspace: Workspace,
): readonly Entry[] | undefined {
  let text: string;
  try {
    text = readRegularFile(path, MAX_BASELINE).toString('utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw unreadable(shownPath(path), error);
    if (update) return [];
    workspace.complain({ path, message: 'no such baseline; --update-baseline writes it' });
    return undefined;
  }
  try {
    const { version, findings } = JSON.parse(text) as { version?: unknown; findings?: unknown };
    if (version === 1 && Array.isArray(findings) && findings.every(isEntry)) return findings;
  } catch {
    // Said below.
  }
  throw new UsageError(`${shownPath(path)}: not a baseline of this version`);
}

function isEntry(value: unknown): value is Entry {
  const one = value as Partial<Entry> | null;
  return (
    typeof one === 'object' &&
    one !== null &&
    typeof one.path === 'string' &&
    typeof one.rule === 'string' &&
    typeof one.fingerprint === 'string' &&
    (one.function === null || typeof one.function === 'string') &&
    Number.isInteger(one.count) &&
    one.count! > 0
  );
}

/** One finding a line and in order, so that a change of one is a change of one line. */
function write(path: string, entries: readonly Entry[]): void {
  const sorted = [...entries].sort(
    (a, b) =>
      comparePaths(a.path, b.path) ||
      comparePaths(a.rule, b.rule) ||
      comparePaths(a.function ?? '', b.function ?? '') ||
      comparePaths(a.fingerprint, b.fingerprint),
  );
  const lines = sorted.map(
    ({ path: file, function: fn, rule, fingerprint, count }) =>
      `    ${JSON.stringify({ path: file, function: fn, rule, fingerprint, count })}`,
  );
  const text = `{\n  "version": 1,\n  "findings": [${lines.length > 0 ? `\n${lines.join(',\n')}\n  ` : ''}]\n}\n`;
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(temporary, text, { flag: 'wx' });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw unreadable(shownPath(path), error);
  }
}

function numberOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
