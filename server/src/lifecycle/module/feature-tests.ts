/**
 * What a test of a feature (`#ifdef HAVE_VFIO_PUT_DEVICE`) is for a target kernel, where nobody
 * says: the driver tells by what it uses in the arms. It is as good as a test of the version.
 */
import { originalOf } from '../../ir/lower.ts';
import { areSameConditions } from '../../ir/text-conditions.ts';
import type { FileIr, FunctionIr, VariableIr } from '../../ir/types.ts';
import { walkExprs, walkStmt } from '../../ir/visit.ts';
import { isFeatureName, isNamedAfter } from '../../kernel/heuristics.ts';
import { apiEntry, apiMemberHistory } from '../../kernel/lifecycle-api.ts';
import type { ApiEntry, KernelVersion } from '../../kernel/types.ts';
import { sideOf } from '../../kernel/version.ts';
import type { Condition } from '../../syntax/node.ts';
import type { Module } from '../types.ts';
import { append, isSameList } from '../../text/lists.ts';

/** A part of the interface in an arm. */
interface ArmUse {
  readonly entry: ApiEntry;
  /** The driver defines it there: the kernel that takes this arm has it not. */
  readonly isOwn: boolean;
  readonly conditions: readonly Condition[];
}

/**
 * Whether a macro that the module does not define holds in the target kernel; null when its arms do
 * not tell.
 * @param isLeftOut whether a test of the version leaves code out.
 */
export function featureTruth(
  module: Module,
  name: string,
  kernel: KernelVersion,
  isLeftOut: (conditions: readonly Condition[]) => boolean,
): boolean | null {
  if (name.startsWith('CONFIG_')) return null;
  const votes = usesUnderTests(module).flatMap((use): Vote[] => {
    const arm = use.conditions.find((condition) => condition.test === name);
    if (arm === undefined) return [];
    if (isLeftOut(use.conditions.filter((condition) => condition.test !== name))) return [];
    const isThere = sideOf(kernel, use.entry.kernels) === 0;
    const isFor = isThere !== use.isOwn;
    return [{ holds: arm.holds, isFor, isNamed: isNamedAfter(name, use.entry.name) }];
  });
  return judge(votes, isFeatureName(name));
}

/** An arm, by what the macro is in it, and whether the target can take it. */
interface Vote {
  readonly holds: boolean;
  readonly isFor: boolean;
  readonly isNamed: boolean;
}

function judge(votes: readonly Vote[], isFeature: boolean): boolean | null {
  const named = votes.filter((vote) => vote.isNamed);
  if (named.length > 0) return agreed(named);
  const [yes, no] = [true, false].map((holds) => votes.filter((vote) => vote.holds === holds));
  const [canBe, cannotBe] = [yes!, no!].map((arm) => arm.every((vote) => vote.isFor));
  // Both arms use the interface, and the target has what one of them uses.
  if (yes!.length > 0 && no!.length > 0) return canBe === cannotBe ? null : canBe!;
  return isFeature && votes.length > 0 && votes.every((vote) => vote.isFor) ? agreed(votes) : null;
}

/** What all votes say that the macro is. */
function agreed(votes: readonly Vote[]): boolean | null {
  const values = new Set(votes.map((vote) => vote.holds === vote.isFor));
  const [value] = values;
  return values.size === 1 ? (value ?? null) : null;
}

const known = new WeakMap<Module, readonly ArmUse[]>();

function usesUnderTests(module: Module): readonly ArmUse[] {
  let uses = known.get(module);
  if (!uses)
    known.set(
      module,
      (uses = [...module.sources, ...module.headers].flatMap((file) => usesOf(file))),
    );
  return uses;
}

function usesOf(file: FileIr): ArmUse[] {
  return [
    ...file.functions.flatMap((fn) => [
      ...definitionOf(fn),
      ...callsUnderTests(fn).map((use) => ({
        ...use,
        conditions: [...fn.conditions, ...use.conditions],
      })),
    ]),
    ...file.macros.flatMap((macro) => definitionOf(macro)),
    ...file.variables.flatMap((variable) => membersOf(variable)),
  ].filter((use) => use.conditions.length > 0);
}

function definitionOf(item: {
  readonly name: string;
  readonly conditions: readonly Condition[];
}): ArmUse[] {
  const entry = item.conditions.length > 0 ? apiEntry(item.name) : undefined;
  return entry ? [{ entry, isOwn: true, conditions: item.conditions }] : [];
}

/**
 * Whether two versions of a function, under equal conditions, say the same of tests: what is called
 * in their arms.
 */
export function tellTheSame(before: FunctionIr, after: FunctionIr): boolean {
  return isSameList(
    callsUnderTests(before),
    callsUnderTests(after),
    (one, other) =>
      one.entry === other.entry && areSameConditions(one.conditions, other.conditions),
  );
}

/** Those of callsOf() that a test is around. Most functions have no test in them. */
function callsUnderTests(fn: FunctionIr): readonly ArmUse[] {
  return fn.conditions.length > 0 || fn.text.includes('#')
    ? callsOf(fn).filter(({ conditions }) => fn.conditions.length + conditions.length > 0)
    : [];
}

const inFunctions = new WeakMap<FunctionIr, readonly ArmUse[]>();

/** The calls of a function with the arms around them, those around the function not counted. */
function callsOf(fn: FunctionIr): readonly ArmUse[] {
  const root = originalOf(fn);
  let uses = inFunctions.get(root);
  if (!uses) inFunctions.set(root, (uses = collectCalls(root)));
  return uses;
}

function collectCalls(fn: FunctionIr): ArmUse[] {
  const arms: { start: number; end: number; conditions: readonly Condition[] }[] = [];
  walkStmt(fn.body, (stmt) => {
    if (stmt.kind === 'preproc')
      append(
        arms,
        stmt.arms.flatMap(({ body, conditions }) =>
          body.map(({ start, end }) => ({ start, end, conditions })),
        ),
      );
  });
  const uses: ArmUse[] = [];
  walkExprs(fn.body, (expr) => {
    const entry =
      expr.kind === 'call' && expr.name !== null && expr.expansion === undefined
        ? apiEntry(expr.name)
        : undefined;
    if (entry && entry.model !== 'general')
      uses.push({
        entry,
        isOwn: false,
        conditions: arms.flatMap((arm) =>
          expr.start >= arm.start && expr.end <= arm.end ? arm.conditions : [],
        ),
      });
  });
  return uses;
}

function membersOf({ type, init, conditions }: VariableIr): ArmUse[] {
  if (type.name !== 'vfio_device_ops' || init?.kind !== 'initializer') return [];
  return init.entries.flatMap((entry): ArmUse[] => {
    const [name] = entry.designators;
    const lives = name === undefined ? [] : apiMemberHistory('vfio_device_ops', name);
    // `.release` has had two lives: it says nothing of the kernel.
    return lives.length === 1
      ? [{ entry: lives[0]!, isOwn: false, conditions: [...conditions, ...entry.conditions] }]
      : [];
  });
}
