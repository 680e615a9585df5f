/** A check of a change: the files that it may have broken, and what it has to answer for in them. */
import { readdirSync } from 'node:fs';
import { posix } from 'node:path';
import { mentionsVfio } from '../engine/analyse.ts';
import { isInside } from '../engine/project/paths.ts';
import type { Finding } from '../rules/types.ts';
import { compareText } from '../text/words.ts';
import type { BuildOf } from './build.ts';
import { createChangeFilter, notBefore } from './change-filter.ts';
import { changedFiles } from './changed-files.ts';
import type { ChangeSource, CheckCommand } from './command.ts';
import type { FileQuestion } from './file-answer.ts';
import type { InputFile } from './inputs.ts';
import type { Output } from './output.ts';
import type { TextFile } from './text-file.ts';
import { keyOf, openWorkspace, shownPath, type Workspace } from './workspace.ts';

export interface ChangeScope {
  /** The changed files as they are after the change. */
  readonly texts: ReadonlyMap<string, TextFile>;
  /** The files that the change may have broken: those that it touches, and what is built with them. */
  inputs(workspace: Workspace): Promise<readonly InputFile[]>;
  /** Those of the findings of a file that the change has to answer for. */
  caused(path: string, findings: readonly Finding[], find: FindBefore): Promise<readonly Finding[]>;
}

/** What was found in a file before the change. */
type FindBefore = (
  question: Pick<FileQuestion, 'input' | 'config' | 'kernel'>,
) => Promise<readonly Finding[]>;

/** Throws UsageError where git or a patch does not say the change. */
export function createChangeScope(
  source: ChangeSource,
  command: CheckCommand,
  buildOf: BuildOf,
  output: Output,
): ChangeScope {
  const files = changedFiles(source);
  const filter = createChangeFilter(files);
  const texts = new Map(files.map(({ path, after }) => [path, after]));
  const roots = command.paths.map(keyOf);
  const isAsked = (path: string): boolean =>
    roots.length === 0 || roots.some((root) => isInside(path, root));
  let before: Workspace | undefined;
  const workspaceBefore = (): Workspace =>
    (before ??= openWorkspace(
      {
        ...command,
        paths: [...texts.keys()],
        buildOf,
        texts: new Map(files.map((one) => [one.path, { ...one.after, text: one.before }])),
      },
      { ...output, error: () => undefined },
    ));
  return {
    texts,
    async inputs(workspace) {
      const found = new Set<string>();
      for (const { path } of files) {
        found.add(path);
        const beside = path.endsWith('.h') ? includersBeside(path, workspace) : [path];
        for (const one of beside)
          for (const { path: member } of (await workspace.load(one)).sources) found.add(member);
      }
      return [...found]
        .filter((path) => isAsked(path) && mentionsVfio(workspace.current(path)))
        .map((path) => ({ path, shown: shownPath(path) }))
        .sort((left, right) => compareText(left.shown, right.shown));
    },
    async caused(path, findings, find) {
      const rest = findings.filter((one) => !filter.isOnAddedLine(one));
      if (rest.length === 0) return findings;
      const old = workspaceBefore();
      const was = await find({
        input: await old.load(path),
        config: await old.config(path),
        kernel: await old.target(path),
      });
      const fresh = notBefore(was, rest, filter.isGone);
      return findings.filter((one) => !rest.includes(one) || fresh.has(one));
    },
  };
}

/** The sources beside a header that include it. */
function includersBeside(header: string, workspace: Workspace): string[] {
  const folder = posix.dirname(header);
  const name = posix.basename(header);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .filter((one) => one.endsWith('.c'))
    .map((one) => `${folder}/${one}`)
    .filter((path) => workspace.current(path).includes(`${name}"`));
}
