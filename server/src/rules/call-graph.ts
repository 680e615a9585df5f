/** Which functions of a module call which by name, found once for all rules. */
import type { FunctionIr } from '../ir/types.ts';
import { originalOf, scanOf } from '../lifecycle/module/function-scan.ts';
import { indexMadeOf, type ModuleIndex } from '../lifecycle/module/module.ts';
import {
  madeOfAll,
  ofEachFunction,
  type KeptByOutline,
  type MadeByOutline,
  type Outline,
} from '../lifecycle/module/outline.ts';
import type { Module } from '../lifecycle/types.ts';
import { isSameList } from '../text/lists.ts';

/** The sets of function names of the modules that were asked about last, the latest first. */
const nameSets: { readonly list: readonly string[]; readonly names: ReadonlySet<string> }[] = [];
/** More than somebody has open at a time. */
const MAX_NAME_SETS = 50;

/** By the module, or by what all its versions have in common. */
const ownNames = new WeakMap<Module | Outline, ReadonlySet<string>>();

/**
 * The names of a module's functions: the same set for the same names, so that what is kept of a
 * function with it outlives nearly all edits.
 */
export function namesOfFunctions(module: Module): ReadonlySet<string> {
  const key = indexMadeOf(module)?.outline ?? module;
  let names = ownNames.get(key);
  if (names === undefined) ownNames.set(key, (names = sameNames(functionsOf(module))));
  return names;
}

function functionsOf({ sources, headers }: Module): FunctionIr[] {
  return [...sources, ...headers].flatMap((file) => file.functions);
}

function sameNames(functions: readonly FunctionIr[]): ReadonlySet<string> {
  const at = nameSets.findIndex(
    ({ list }) =>
      list.length === functions.length && list.every((name, i) => name === functions[i]!.name),
  );
  const [found] = at < 0 ? [] : nameSets.splice(at, 1);
  const list = found?.list ?? functions.map(({ name }) => name);
  nameSets.unshift(found ?? { list, names: new Set(list) });
  if (nameSets.length > MAX_NAME_SETS) nameSets.pop();
  return nameSets[0]!.names;
}

/**
 * Makes a question about a function and the names of its module's functions, that is answered once
 * for both.
 * @param compute is given the function as it was lowered.
 */
export function keptWithNames<T>(
  compute: (root: FunctionIr, names: ReadonlySet<string>) => T,
): (fn: FunctionIr, names: ReadonlySet<string>) => T {
  const answers = new WeakMap<
    FunctionIr,
    { readonly names: ReadonlySet<string>; readonly answer: T }
  >();
  return (fn, names) => {
    const root = originalOf(fn);
    let kept = answers.get(root);
    if (kept?.names !== names) answers.set(root, (kept = { names, answer: compute(root, names) }));
    return kept.answer;
  };
}

/** The names that a function calls and that the module has functions of. */
export const ownCallsIn = keptWithNames((root, names) =>
  scanOf(root).names.called.filter((name) => names.has(name)),
);

/** Where in the list of all functions those are that a function calls by name. */
interface Callees {
  /** Those of the module: with the same names it has the same functions at the same places. */
  readonly names: ModuleIndex['names'];
  readonly positions: readonly number[];
}

const callees = new WeakMap<FunctionIr, Callees>();

/** Where the functions are that the one at a place calls by name. */
function calleesAt(index: ModuleIndex, position: number): readonly number[] {
  const root = index.roots[position]!;
  let known = callees.get(root);
  if (known?.names !== index.names) {
    const { file, item } = index.allFunctions[position]!;
    const positions = ownCallsIn(item, namesOfFunctions(index.module)).flatMap((name) =>
      index.functions(file, name).map((one) => index.positionOf(one.item)!),
    );
    callees.set(root, (known = { names: index.names, positions }));
  }
  return known.positions;
}

/** Functions that are reached, with the function each was first called in. */
export type Reached = ReadonlyMap<FunctionIr, FunctionIr | null>;

const reachedByRoots = new WeakMap<ModuleIndex, Map<string, Reached>>();

/**
 * The functions that are reached from some others by calls by name, those included, with the
 * function each was first called in: found once for all rules that begin with the same ones.
 */
export function reachedFrom(index: ModuleIndex, roots: Iterable<FunctionIr>): Reached {
  const list = [...roots];
  const positions = list.flatMap((root) => index.positionOf(root) ?? []);
  // The text of a macro is no function of the module.
  if (positions.length < list.length) return findReached(index, list);
  let known = reachedByRoots.get(index);
  if (known === undefined) reachedByRoots.set(index, (known = new Map()));
  const key = positions.join();
  let reached = known.get(key);
  if (reached === undefined) known.set(key, (reached = findReached(index, list)));
  return reached;
}

function findReached(index: ModuleIndex, roots: readonly FunctionIr[]): Reached {
  const reached = new Map<FunctionIr, FunctionIr | null>();
  for (const root of roots) reached.set(root, null);
  // A map is iterated in the order of insertion, and what is added on the way is visited too.
  for (const fn of reached.keys()) {
    const position = index.positionOf(fn);
    if (position === undefined) continue;
    for (const at of calleesAt(index, position)) {
      const callee = index.allFunctions[at]!.item;
      if (!reached.has(callee)) reached.set(callee, fn);
    }
  }
  return reached;
}

const calleesByOutline: KeptByOutline<readonly number[]> = new WeakMap();
const callersByOutline: MadeByOutline<readonly (readonly number[])[]> = new WeakMap();

/** Where the functions are that call each one by its name. */
function callersAt(index: ModuleIndex): readonly (readonly number[])[] {
  const callees = ofEachFunction(
    calleesByOutline,
    index,
    (_, __, position) => calleesAt(index, position),
    isSameList,
  );
  return madeOfAll(callersByOutline, index, callees, (lists) => {
    const callers: number[][] = lists.map(() => []);
    lists.forEach((list, position) => {
      for (const callee of list) callers[callee]!.push(position);
    });
    return callers;
  });
}

/** The functions of the module from which one of some others is reached, those included. */
export function leadingTo(
  index: ModuleIndex,
  targets: ReadonlySet<FunctionIr>,
): ReadonlySet<FunctionIr> {
  const callers = callersAt(index);
  const leading = new Set(targets);
  // As above.
  for (const target of leading) {
    const position = index.positionOf(target);
    if (position !== undefined)
      for (const caller of callers[position]!) leading.add(index.allFunctions[caller]!.item);
  }
  return leading;
}
