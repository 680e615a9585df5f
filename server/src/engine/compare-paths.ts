/**
 * Compares a module path by path before and after a fix: a path may do what the fix adds, and
 * nothing else that it did not do.
 */
import type { FileIr, FunctionIr } from '../ir/types.ts';
import { flowMacroNames, writtenOut } from '../lifecycle/module/expand.ts';
import { indexModule } from '../lifecycle/module/module.ts';
import type { ModuleFacts, Role } from '../lifecycle/types.ts';
import { contains, walk } from '../rules/locate.ts';
import type { FileEdits } from '../text/span.ts';
import { editAt, editPlaces, movedOffset, type EditPlace } from './edit-places.ts';
import { pathsOf, type Decision, type FunctionPath } from './function-paths.ts';
import { doubtOfChange, doubtOfNewExit, lastAdded, type Compared } from './path-difference.ts';
import { doubtOfNewResult, doubtOfResult } from './path-results.ts';

/**
 * What a person has to look at before a fix is applied, a clause without a full stop; null where
 * every path is shown to do what it did,
 * but for what the fix is about.
 * @param before the facts of the module as it is.
 * @param after its facts with `edits` made.
 */
export function comparePaths(
  before: ModuleFacts,
  after: ModuleFacts,
  edits: readonly FileEdits[],
): string | null {
  for (const { path, edits: own } of edits) {
    const old = fileOf(before, path);
    const now = fileOf(after, path);
    if (old === undefined || now === undefined) return 'check the other file';
    const doubt = compareFile({ before, after, old, now, places: editPlaces(own) });
    if (doubt !== null) return doubt;
  }
  return null;
}

interface Files {
  readonly before: ModuleFacts;
  readonly after: ModuleFacts;
  readonly old: FileIr;
  readonly now: FileIr;
  readonly places: readonly EditPlace[];
}

function fileOf({ module }: ModuleFacts, path: string): FileIr | undefined {
  return [...module.sources, ...module.headers].find((one) => one.path === path);
}

function compareFile(files: Files): string | null {
  const { old, now, places } = files;
  const macro = old.macros.find((one) => places.some(({ before }) => contains(one, before)));
  if (macro !== undefined) return `check every use of ${macro.name}`;
  for (const fn of old.functions) {
    const own = places.filter(({ before }) => contains(fn, before) && before.start > fn.start);
    if (own.length === 0) continue;
    const start = movedOffset(places, fn.start);
    const fixed = now.functions.find((one) => one.start === start);
    if (fixed === undefined) return `check ${fn.name}()`;
    if (isInLoop(fn, own)) return 'check the loop: it may run any number of times';
    const doubt = compareFunction(files, fn, fixed);
    if (doubt !== null) return doubt;
  }
  return null;
}

function isInLoop(fn: FunctionIr, places: readonly EditPlace[]): boolean {
  const loops = [...walk(fn.body)].filter((node) => node.kind === 'loop' && !isBlockOnly(node));
  return places.some(({ before }) => loops.some((loop) => contains(loop, before)));
}

/** `do { … } while (0)` runs once. */
function isBlockOnly(
  node: ReturnType<typeof walk> extends Generator<infer Node> ? Node : never,
): boolean {
  return (
    node.kind === 'loop' &&
    node.form === 'do' &&
    node.condition?.kind === 'number' &&
    node.condition.value === 0
  );
}

function compareFunction(files: Files, fn: FunctionIr, fixed: FunctionIr): string | null {
  const old = pathsOf(files.before, written(files.before, files.old, fn));
  const now = pathsOf(files.after, written(files.after, files.now, fixed));
  if ('reason' in old) return `check ${fn.name}(): ${old.reason}`;
  if ('reason' in now) return `check ${fn.name}(): ${now.reason}`;
  const { places } = files;
  const isEdited = (decision: Decision, side: 'before' | 'after'): number =>
    decision.end === 0 ? -1 : editAt(places, decision, side);
  const both = new Set<number>();
  const editedIn = (paths: readonly FunctionPath[], side: 'before' | 'after'): Set<number> =>
    new Set(
      paths
        .flatMap(({ decisions }) => decisions.map((one) => isEdited(one, side)))
        .filter((i) => i >= 0),
    );
  const editedNow = editedIn(now.paths, 'after');
  for (const i of editedIn(old.paths, 'before')) if (editedNow.has(i)) both.add(i);
  const keyOf = (path: FunctionPath, side: 'before' | 'after'): string =>
    path.decisions
      .flatMap((one): string[] => {
        const edit = isEdited(one, side);
        if (edit < 0) return [`${one.test}=${one.holds}`];
        return both.has(edit) ? [`edit ${edit}: ${isBad(one)}`] : [];
      })
      .join('\n');

  const known = new Map<string, FunctionPath[]>();
  for (const path of old.paths) {
    const key = keyOf(path, 'before');
    known.set(key, [...(known.get(key) ?? []), path]);
  }
  const isBeginning = BEGINNINGS.has(files.before.roles.get(fn) ?? 'helper');
  const compared: Compared = {
    before: files.before,
    after: files.after,
    places,
    old: old.paths,
    now: now.paths,
    isBeginning,
    file: files.now,
  };
  const met = new Set<string>();
  const left = new Set(old.paths.map(({ exit }) => editAt(places, exit, 'before')));
  for (const path of now.paths) {
    const exit = editAt(places, path.exit, 'after');
    const isNewExit = exit >= 0 && !left.has(exit);
    const key = keyOf(path, 'after');
    const isRevived = path.decisions.some((one) => both.has(isEdited(one, 'after')) && isBad(one));
    const judge = (one: FunctionPath): string | null =>
      doubtOfChange(compared, one, path) ??
      doubtOfResult(files.after, fixed, one, path, isRevived, lastAdded(compared, path));
    const doubt = isNewExit
      ? (doubtOfNewExit(compared, path) ?? doubtOfNewResult(files.after, fixed, path))
      : best(known.get(key) ?? [], judge);
    if (doubt !== null) return doubt;
    met.add(key);
  }
  const isMet = [...known.keys()].every((key) => met.has(key));
  if (!isMet) return `check ${fn.name}(): a way through it is gone`;
  return null;
}

const BEGINNINGS: ReadonlySet<Role> = new Set<Role>(['probe', 'init', 'module']);

/** Null where one of the paths leaves no doubt. */
function best(
  partners: readonly FunctionPath[],
  judge: (one: FunctionPath) => string | null,
): string | null {
  let doubt: string | null = 'check the function: there is a new way through it';
  for (const one of partners) {
    doubt = judge(one);
    if (doubt === null) return null;
  }
  return doubt;
}

/**
 * Whether a test of a pointer says that there is none: NULL or an error pointer, however it is
 * asked.
 */
export function isBad({ test, holds }: Decision): boolean {
  return /^IS_ERR(?:_OR_NULL|_VALUE)?\(/.test(test) ? holds : !holds;
}

/** The function with those macros written out that leave it or are the heads of its loops. */
function written(facts: ModuleFacts, file: FileIr, fn: FunctionIr): FunctionIr {
  const names = flowMacroNames(facts.module);
  if (names.size === 0) return fn;
  const index = indexModule(facts.module, facts.kernel);
  return writtenOut(index, file, fn, (name) => names.has(name));
}
