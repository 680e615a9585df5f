/** The modules of folders, each converted once, and the table that says what became of them. */
import { joinLinked } from '../engine/project/join.ts';
import { largest } from '../text/lists.ts';
import type { Outcome } from './outcome.ts';
import type { InputFile } from './inputs.ts';
import { compareText } from '../text/words.ts';
import type { Workspace } from './workspace.ts';

/** The sources of a module, or of a library with the drivers that it exports to. */
export interface ModuleFiles {
  /** Those that a folder led to, in its order; at least one. */
  readonly files: readonly InputFile[];
}

/** What became of a module. */
export interface ModuleVerdict {
  readonly module: ModuleFiles;
  /** All that was converted or refused, each refusal once; else what says best why nothing was. */
  readonly outcomes: readonly Outcome[];
}

/**
 * Sorts sources into the modules that Makefiles and exports make of them, in the order of their
 * first files.
 */
export async function modulesOf(
  workspace: Workspace,
  files: readonly InputFile[],
): Promise<readonly ModuleFiles[]> {
  const inputs = joinLinked(await Promise.all(files.map((file) => workspace.load(file.path))));
  const modules = new Map<string, InputFile[]>();
  for (const [index, file] of files.entries()) {
    const key = inputs[index]!.sources.map((one) => one.path)
      .sort(compareText)
      .join('\n');
    modules.set(key, [...(modules.get(key) ?? []), file]);
  }
  return [...modules.values()].map((one) => ({ files: one }));
}

/** What is worth saying of the outcomes of the files of one module: the same is said once. */
export function verdictOf(module: ModuleFiles, outcomes: readonly Outcome[]): ModuleVerdict {
  const converted = outcomes.filter((one) => one.status === 'converted');
  const refused = outcomes.filter((one) => one.status === 'refused');
  // That the init is in another file of the module says nothing where that file has been asked too.
  const telling = refused.filter((one) => one.code !== ELSEWHERE);
  const others = telling.length > 0 || converted.length > 0 ? telling : refused;
  const once = others.filter(
    (one, i) =>
      others.findIndex((other) => other.code === one.code && other.reason === one.reason) === i,
  );
  if (converted.length > 0 || once.length > 0) return { module, outcomes: [...converted, ...once] };
  const unchanged = outcomes.find((one) => one.isOld === true) ?? outcomes[0];
  return { module, outcomes: unchanged ? [unchanged] : [] };
}

const ELSEWHERE = 'initialised-elsewhere';
const NOTHING = 'nothing to convert: ';

/**
 * A line for each module, refused ones first, and the sum.
 * @param columns a longer line is cut; undefined where there is no terminal.
 */
export function verdictTable(
  verdicts: readonly ModuleVerdict[],
  columns: number | undefined,
): readonly string[] {
  const rows = verdicts.map((verdict) => ({
    status: statusOf(verdict),
    name: nameOf(verdict),
    why: whyOf(verdict),
  }));
  const width = largest(
    [0, ...rows.map((row) => row.name.length)].filter((length) => length <= MAX_NAME),
  );
  const sorted = STATUSES.flatMap((status) => rows.filter((row) => row.status === status));
  const lines = sorted.map(({ status, name, why }) =>
    cutTo(`${status.padEnd(9)}  ${name.padEnd(width)}  ${why}`.trimEnd(), columns),
  );
  const counts = STATUSES.map(
    (status) => `${rows.filter((row) => row.status === status).length} ${status}`,
  );
  return [
    ...lines,
    `${verdicts.length} module${verdicts.length === 1 ? '' : 's'}: ${counts.join(', ')}`,
  ];
}

const STATUSES = ['refused', 'converted', 'unchanged'] as const;
const MAX_NAME = 50;

/** A module of which a part was refused is not converted. */
function statusOf({ outcomes }: ModuleVerdict): Outcome['status'] {
  return STATUSES.find((status) => outcomes.some((one) => one.status === status)) ?? 'unchanged';
}

/**
 * `drivers/vfio/foo/main.c (+2)`: the file that something is said of, and how many there are beside
 * it.
 */
function nameOf({ module, outcomes }: ModuleVerdict): string {
  const { shown } = outcomes[0]?.file ?? module.files[0]!;
  return module.files.length === 1 ? shown : `${shown} (+${module.files.length - 1})`;
}

function whyOf({ outcomes }: ModuleVerdict): string {
  const codes = outcomes
    .filter((one) => one.status === 'refused')
    .map((one) => one.code ?? 'not proved');
  if (codes.length > 0) return [...new Set(codes)].join(', ');
  const notes = outcomes.flatMap((one) => one.notes).length;
  if (outcomes.some((one) => one.status === 'converted'))
    return notes === 0 ? '' : `${notes} thing${notes === 1 ? '' : 's'} to look at`;
  const reason = outcomes[0]?.reason ?? '';
  return reason.startsWith(NOTHING) ? reason.slice(NOTHING.length) : reason;
}

function cutTo(line: string, columns: number | undefined): string {
  return columns === undefined || line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;
}
