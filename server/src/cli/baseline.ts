/**
 * A baseline: the findings of a tree that are known and are not to be reported again, so that a
 * check can begin to fail for new ones only.
 */
import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, relative, sep } from 'node:path';
import { mentionsVfio, rulesFor, type Engine } from '../engine/analyse.ts';
import type { Finding } from '../rules/types.ts';
import { isFolder } from './inputs.ts';
import { joined, keyOfEntry, readBaseline, writeBaseline, type Entry } from './baseline-file.ts';
import type { Match, Today } from './baseline-match.ts';
import type { CheckedFile, Gone } from './check-result.ts';
import type { Output } from './output.ts';
import { UsageError } from './usage-error.ts';
import { keyOf, shownPath, type Workspace } from './workspace.ts';

export interface BaselineOptions {
  /** Counts before the one that a configuration file names. */
  readonly baseline: string | undefined;
  readonly update: boolean;
  /** Whether a known finding that is gone fails the run. */
  readonly failOnGone: boolean;
  /** What was checked: only of files in there can be said that a known finding is gone. */
  readonly paths: readonly string[];
  /** How many files could not be read. */
  readonly unreadable: number;
}

/** What baselines say of the findings of a check. */
export interface Compared {
  /** The files without the findings that are known. */
  readonly files: readonly CheckedFile[];
  /** Whether some findings were compared with a baseline. */
  readonly isCompared: boolean;
  /** Each as often as it is gone. */
  readonly gone: readonly Gone[];
}

/**
 * Takes the known findings out of `files` and says how many there were; with `update` writes the
 * files anew first. Throws UsageError.
 */
export async function compareWithBaselines(
  files: readonly CheckedFile[],
  options: BaselineOptions,
  workspace: Workspace,
  output: Output,
  engine: () => Promise<Engine>,
): Promise<Compared> {
  const groups = await groupsOf(files, options, workspace);
  if ((options.update || options.failOnGone) && groups.size === 0)
    throw new UsageError(
      `--${options.update ? 'update-baseline' : 'fail-on-gone'}: no baseline is named; say --baseline FILE, or "baseline" in .vfio-lifecycle.json`,
    );
  if (options.update && options.unreadable > 0)
    throw new UsageError(
      '--update-baseline: nothing written, because not everything could be read',
    );
  const left = new Map<CheckedFile, CheckedFile>();
  const gone: Gone[] = [];
  let isCompared = false;
  for (const [path, group] of groups) {
    const entries = entriesOf(path, options, workspace);
    if (entries === undefined) continue;
    isCompared = true;
    const compared = await compare(path, entries, {
      files: group,
      options,
      workspace,
      engine: await engine(),
    });
    sayAndWrite(path, entries, compared, options, output);
    for (const file of group) left.set(file, withoutKnown(file, compared, options.update));
    for (const [entry, { count }] of compared.gone)
      for (let i = 0; i < count; i++) gone.push({ path: compared.pathOf(entry), entry });
  }
  return {
    files: files.map((file) => left.get(file) ?? file),
    isCompared,
    gone: options.update ? [] : gone,
  };
}

/** The files that each baseline is for. One that nothing was found for may name what is gone. */
async function groupsOf(
  files: readonly CheckedFile[],
  { baseline, paths }: BaselineOptions,
  workspace: Workspace,
): Promise<ReadonlyMap<string, readonly CheckedFile[]>> {
  const own = baseline === undefined ? undefined : keyOf(baseline);
  const baselineOf = async (path: string): Promise<string | undefined> =>
    own ?? (await workspace.config(path)).baseline;
  const groups = new Map<string, CheckedFile[]>();
  const open = (path: string): CheckedFile[] => groups.get(path) ?? groups.set(path, []).get(path)!;
  for (const path of paths) {
    const one = await baselineOf(`${keyOf(path)}/.`);
    if (one !== undefined) open(one);
  }
  for (const file of files) {
    const one = await baselineOf(file.file.path);
    if (one !== undefined) open(one).push(file);
  }
  return groups;
}

/**
 * The entries of a file; none when it is to be written for the first time; undefined when there is
 * no such file, which is wrong with the settings.
 */
function entriesOf(
  path: string,
  { update }: BaselineOptions,
  workspace: Workspace,
): readonly Entry[] | undefined {
  const entries = readBaseline(path, update);
  if (entries !== undefined) return entries;
  if (update) return [];
  workspace.complain({ path, message: 'no such baseline; --update-baseline writes it' });
  return undefined;
}

/** What one baseline is compared with. */
interface Scope {
  readonly files: readonly CheckedFile[];
  readonly options: BaselineOptions;
  readonly workspace: Workspace;
  readonly engine: Engine;
}

interface Absence {
  readonly count: number;
  /** The kernel that it was looked for; null where its file is there no more or is of VFIO no more. */
  readonly kernel: string | null;
}

/** What became of one baseline. */
interface Comparison extends Match {
  readonly findings: readonly Today[];
  /** The entries that are gone; what was not looked at is not in here. */
  readonly gone: ReadonlyMap<Entry, Absence>;
  /** The absolute path of the file of an entry. */
  pathOf(entry: Entry): string;
}

async function compare(path: string, entries: readonly Entry[], scope: Scope): Promise<Comparison> {
  const { match, todayOf } = await import('./baseline-match.ts');
  const { files, workspace, engine } = scope;
  const folder = realFolder(dirname(path));
  const findings = files.flatMap(({ analysis, kernel }) =>
    analysis.findings.map((finding) => {
      const name = relative(folder, realPath(finding.site.path)).split(sep).join('/');
      return todayOf(finding, name, kernel, workspace);
    }),
  );
  const pathOf = (entry: Entry): string => keyOf(`${folder}/${entry.path}`);
  const matched = match(entries, findings, workspace, (entry) =>
    isThere(pathOf(entry), entry.function, workspace, engine),
  );
  const lookedFor = await kernelsLookedFor(scope, pathOf);
  const gone = new Map<Entry, Absence>();
  for (const [entry, count] of matched.unmet) {
    const kernel = count > 0 ? lookedFor(entry) : undefined;
    if (kernel !== undefined) gone.set(entry, { count, kernel });
  }
  return { ...matched, findings, gone, pathOf };
}

/** A finding may be known under another name only where its old function is there no more. */
function isThere(
  path: string,
  functionName: string | null,
  workspace: Workspace,
  engine: Engine,
): boolean {
  if (!existsSync(path)) return false;
  if (functionName === null) return true;
  try {
    const document = { path, text: workspace.original(path).text };
    const file = engine.lowered({ file: path, sources: [document], headers: [] });
    return file === undefined || file.functions.some((one) => one.name === functionName);
  } catch {
    return true;
  }
}

function withoutKnown(file: CheckedFile, { known }: Comparison, update: boolean): CheckedFile {
  const all = new Set([...known.keys()].map((one) => one.finding));
  const isKnown = (finding: Finding): boolean => update || all.has(finding);
  const { findings } = file.analysis;
  return {
    ...file,
    analysis: { ...file.analysis, findings: findings.filter((one) => !isKnown(one)) },
    known: findings.filter(isKnown),
  };
}

/**
 * For which kernel an entry would have been found again if it were still there: null where no
 * kernel would have it, undefined where nobody looked.
 */
async function kernelsLookedFor(
  { files, options, workspace, engine }: Scope,
  pathOf: (entry: Entry) => string,
): Promise<(entry: Entry) => string | null | undefined> {
  const roots = options.paths.map((path) =>
    isFolder(path) ? realFolder(keyOf(path)) : realPath(keyOf(path)),
  );
  const isInside = (path: string): boolean =>
    roots.some((root) => path === root || path.startsWith(root.endsWith('/') ? root : `${root}/`));
  const analysed = new Map<string, { rules: ReadonlySet<string>; kernel: string }>();
  for (const { file, kernel } of files) {
    const target = await workspace.target(file.path);
    const rules = rulesFor(engine.rules, await workspace.config(file.path), target.version);
    analysed.set(realPath(file.path), { kernel, rules: new Set(rules.map((one) => one.id)) });
  }
  const given = new Set(
    files.flatMap(({ analysis }) =>
      analysis.notAnalysed.map((one) => `${realPath(one.path)}\n${one.function}`),
    ),
  );
  return (entry) => {
    const path = pathOf(entry);
    if (!existsSync(path)) return null;
    if (!isInside(path)) return undefined;
    const run = analysed.get(path);
    // A file that is about VFIO no more has none of its findings.
    if (run === undefined) return mentions(path, workspace) ? undefined : null;
    const isAnalysed =
      run.rules.has(entry.rule) &&
      (entry.kernels.length === 0 || entry.kernels.includes(run.kernel)) &&
      !given.has(`${path}\n`) &&
      !given.has(`${path}\n${entry.function ?? ''}`);
    return isAnalysed ? run.kernel : undefined;
  };
}

function mentions(path: string, workspace: Workspace): boolean {
  try {
    return mentionsVfio(workspace.original(path).text);
  } catch {
    return true;
  }
}

function sayAndWrite(
  path: string,
  entries: readonly Entry[],
  compared: Comparison,
  { update }: BaselineOptions,
  output: Output,
): void {
  const { known, findings, gone } = compared;
  const name = shownPath(path);
  const goneCount = [...gone.values()].reduce((sum, { count }) => sum + count, 0);
  if (update) {
    const kept = keptOf(compared);
    writeBaseline(path, joined([...kept, ...presentOf(compared)]));
    const others = kept.filter((one) => entries.includes(one)).length;
    output.note(
      `${name}: written; ${numberOf(findings.length, 'finding')} here, ${findings.length - known.size} of them new; ${goneCount} gone${others > 0 ? `; ${others} not looked at` : ''}`,
    );
    return;
  }
  const moved = [...known.values()].filter((one) => one.isMoved).length;
  if (known.size > 0)
    output.note(
      `${numberOf(known.size, 'finding')} hidden by ${name}${moved > 0 ? `, ${moved} of them renamed or moved` : ''}`,
    );
  if (goneCount > 0)
    output.note(
      `${numberOf(goneCount, 'finding')} of ${name} gone; --update-baseline takes ${goneCount === 1 ? 'it' : 'them'} out`,
    );
  if (entries.some((one) => one.severity === null))
    output.note(`${name}: of an older version; --update-baseline brings it up to date`);
}

/** The entries that stay: what was not looked at, and what is gone for one kernel only. */
function keptOf({ unmet, gone }: Comparison): readonly Entry[] {
  return [...unmet].flatMap(([entry, count]): Entry[] => {
    if (count === 0) return [];
    const absence = gone.get(entry);
    if (absence === undefined)
      return [entry.severity === null && count < entry.count ? { ...entry, count } : entry];
    const kernels = entry.kernels.filter((one) => one !== absence.kernel);
    return absence.kernel === null || kernels.length === 0 ? [] : [{ ...entry, kernels }];
  });
}

/**
 * The entries of what was found. One that other kernels have too stays as grave as it is for them.
 */
function presentOf({ known, findings }: Comparison): readonly Entry[] {
  const present = new Map<string, Entry>();
  for (const today of findings) {
    const before = known.get(today)?.entry;
    const others = before?.kernels.filter((one) => one !== today.kernel) ?? [];
    const { severity, owed } = others.length > 0 ? before! : today;
    const entry: Entry = {
      path: today.path,
      function: today.finding.functionName,
      rule: today.finding.rule,
      severity,
      fingerprint: today.text,
      owed,
      kernels: [...others, today.kernel],
      count: 1,
    };
    const key = keyOfEntry(entry);
    const count = (present.get(key)?.count ?? 0) + 1;
    present.set(key, { ...entry, count });
  }
  return [...present.values()];
}

/** A folder without links; as it is named where it is not there yet. */
function realFolder(path: string): string {
  try {
    return keyOf(realpathSync(path));
  } catch {
    return path;
  }
}

/** A path whose folders are no links. A file that is one keeps its name: the tree has it there. */
function realPath(path: string): string {
  return keyOf(`${realFolder(dirname(path))}/${basename(path)}`);
}

function numberOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
