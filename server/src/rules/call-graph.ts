/** Which functions of a module call which by name, found once for all rules. */
import { originalOf } from '../ir/lower.ts';
import type { FunctionIr } from '../ir/types.ts';
import { scanOf } from '../lifecycle/module/function-scan.ts';
import { indexMadeOf, type ModuleIndex } from '../lifecycle/module/module.ts';
import {
  madeOfAll,
  ofEachFunction,
  type KeptByOutline,
  type MadeByOutline,
  type Outline,
  type Worked,
} from '../lifecycle/module/outline.ts';
import type { Module, ModuleFacts, Role } from '../lifecycle/types.ts';
import { isSameList } from '../text/lists.ts';
import { positionsIn } from './locate.ts';

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

const calleesByOutline: KeptByOutline<readonly number[]> = new WeakMap();

/** Where the functions are that each function of a module calls by name. */
function allCallees(index: ModuleIndex): Worked<readonly number[]> {
  return ofEachFunction(
    calleesByOutline,
    index,
    (_, __, position) => calleesAt(index, position),
    isSameList,
  );
}

/** Functions that are reached from some others by calls by name, those included. */
export interface Reached {
  /** In the order in which they are reached. */
  readonly functions: readonly FunctionIr[];
  has(fn: FunctionIr): boolean;
  /** The function that one was first called in; null for those that it began with. */
  callerOf(fn: FunctionIr): FunctionIr | null;
}

/** Where the functions are that are reached, with the place of the one that each was first called in. */
type ReachedPlaces = ReadonlyMap<number, number | null>;

const reachedByOutline: MadeByOutline<Map<string, ReachedPlaces>> = new WeakMap();

interface ReachedToday {
  /** The places that were reached from others, by the places of these. */
  readonly places: Map<string, ReachedPlaces>;
  /** The same in one version, and by the roles of those where all functions of these were asked for. */
  readonly functions: Map<string, Reached>;
}

const reachedToday = new WeakMap<ModuleIndex, ReachedToday>();

function reachedIn(index: ModuleIndex): ReachedToday {
  let known = reachedToday.get(index);
  if (known === undefined) {
    const places = madeOfAll(reachedByOutline, index, allCallees(index), () => new Map());
    reachedToday.set(index, (known = { places, functions: new Map() }));
  }
  return known;
}

/**
 * The functions that are reached from some others: found once for all rules that begin with the
 * same ones, and for as long as no function calls other ones.
 */
export function reachedFrom(index: ModuleIndex, roots: Iterable<FunctionIr>): Reached {
  const list = [...roots];
  const positions = list.flatMap((root) => index.positionOf(root) ?? []);
  // The text of a macro is no function of the module.
  return positions.length < list.length
    ? new ReachedFunctions(index, list, placesFrom(index, positions))
    : reachedFromPlaces(index, positions);
}

/** The functions that are reached from those that a driver uses for one of some purposes. */
export function reachedFromRoles(
  { roles }: ModuleFacts,
  index: ModuleIndex,
  ...wanted: readonly Role[]
): Reached {
  const { functions } = reachedIn(index);
  const key = wanted.join();
  let reached = functions.get(key);
  if (reached === undefined) {
    reached = reachedFromPlaces(index, positionsIn(index, roles, wanted));
    functions.set(key, reached);
  }
  return reached;
}

function reachedFromPlaces(index: ModuleIndex, roots: readonly number[]): Reached {
  const { functions } = reachedIn(index);
  const key = roots.join();
  let reached = functions.get(key);
  if (reached === undefined)
    functions.set(key, (reached = new ReachedFunctions(index, [], placesFrom(index, roots))));
  return reached;
}

function placesFrom(index: ModuleIndex, roots: readonly number[]): ReachedPlaces {
  const { places } = reachedIn(index);
  const key = roots.join();
  let reached = places.get(key);
  if (reached === undefined) places.set(key, (reached = findPlaces(index, roots)));
  return reached;
}

function findPlaces(index: ModuleIndex, roots: readonly number[]): ReachedPlaces {
  const { values } = allCallees(index);
  const reached = new Map<number, number | null>(roots.map((root) => [root, null]));
  // A map is iterated in the order of insertion, and what is added on the way is visited too.
  for (const caller of reached.keys())
    for (const callee of values[caller]!) if (!reached.has(callee)) reached.set(callee, caller);
  return reached;
}

/** Functions of one version of a module that are reached. */
class ReachedFunctions implements Reached {
  readonly #index: ModuleIndex;
  /** Those that it began with, where one of them is no function of the module. */
  readonly #roots: readonly FunctionIr[];
  readonly #places: ReachedPlaces;
  #functions: readonly FunctionIr[] | undefined;

  constructor(index: ModuleIndex, roots: readonly FunctionIr[], places: ReachedPlaces) {
    this.#index = index;
    this.#roots = roots;
    this.#places = places;
  }

  get functions(): readonly FunctionIr[] {
    if (this.#functions === undefined) {
      const found: FunctionIr[] = [];
      for (const position of this.#places.keys())
        found.push(this.#index.allFunctions[position]!.item);
      this.#functions = this.#roots.length === 0 ? found : [...new Set([...this.#roots, ...found])];
    }
    return this.#functions;
  }

  has(fn: FunctionIr): boolean {
    const position = this.#index.positionOf(fn);
    return position === undefined ? this.#roots.includes(fn) : this.#places.has(position);
  }

  callerOf(fn: FunctionIr): FunctionIr | null {
    const caller = this.#places.get(this.#index.positionOf(fn) ?? -1) ?? null;
    return caller === null ? null : this.#index.allFunctions[caller]!.item;
  }
}

const callersByOutline: MadeByOutline<readonly (readonly number[])[]> = new WeakMap();

/** Where the functions are that call each one by its name. */
function callersAt(index: ModuleIndex): readonly (readonly number[])[] {
  return madeOfAll(callersByOutline, index, allCallees(index), (lists) => {
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
