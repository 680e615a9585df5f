/**
 * What is known of the functions of a module before any of them is explored: who calls whom, who
 * can reach a device, whose resources are followed. It is kept for as long as no edit changes what
 * a function is to the others.
 */
import { originalOf } from '../ir/lower.ts';
import type { FileIr, FunctionIr } from '../ir/types.ts';
import type { KernelVersion } from '../kernel/types.ts';
import {
  calleesFirst,
  callGraph,
  namesOf,
  reaching,
  targetsOf,
  type CallGraph,
  type CallGraphCache,
  createCallGraphCache,
} from './module/call-graph.ts';
import { exportedPairs, type ExportedPair } from './module/exported.ts';
import { scanOf } from './module/function-scan.ts';
import type { Defined, ModuleIndex } from './module/module.ts';
import type { Outline } from './module/outline.ts';
import { rolesInOrder } from './module/roles.ts';
import { isSameList, isSameMap, isSameSet } from '../text/lists.ts';
import {
  createRelevanceCache,
  haveSameContainers,
  isAsRelevant,
  relevanceOf,
  relevantFunctions,
  type Relevance,
  type RelevanceCache,
  type RelevantFunctions,
} from './module/relevance.ts';
import { touchesOf, type Touches } from './interpret/call-resources.ts';
import type { DriverTable, ModuleFacts, Role } from './types.ts';

/** Some of the functions of a module. */
export interface Functions {
  has(fn: FunctionIr): boolean;
}

export interface Survey {
  /** The same object for the next version while all that the survey says is the same. */
  readonly survey: object;
  /** The same object while what an exploration asks of it has the same answers. */
  readonly surveyAnswers: object;
  readonly relevance: Relevance;
  /**
   * Where a resource may be taken or given back for the life of a device: the only functions whose
   * resources are followed.
   */
  readonly owning: Functions;
  /** The names that these call, and those that the callbacks that close a device call. */
  readonly called: ReadonlySet<string>;
  /** The callbacks that open a device: what they take they owe where they fail. */
  readonly opens: Functions;
  /** Exported functions of a library that others undo: what they take they owe where they fail. */
  readonly exported: Functions;
  /** Functions that may take or give back a resource, themselves or by what they call. */
  readonly touching: Functions;
  /** Functions that none of the module calls by their names. */
  readonly uncalled: Functions;
  /** Pairs of functions of which the second begins where the first has ended well. */
  readonly pairs: readonly (readonly [first: Defined<FunctionIr>, second: Defined<FunctionIr>])[];
  /** The first ones of the pairs. */
  readonly begins: Functions;
  /** The functions that are explored, callees first; those that call one another together. */
  readonly groups: readonly Group[];
  /** All functions, and the macros that one of them reaches, in their order. */
  readonly nodes: readonly FunctionIr[];
}

export interface Group {
  readonly members: readonly Defined<FunctionIr>[];
  /** One of them calls one of them. */
  readonly isRecursive: boolean;
}

/** What a module says of its functions, from which the survey begins. */
interface Given {
  readonly index: ModuleIndex;
  readonly kernel: KernelVersion;
  readonly drivers: readonly DriverTable[];
  readonly ops: ModuleFacts['opsTables'];
  readonly roles: ReadonlyMap<FunctionIr, Role>;
}

/**
 * A function by its position among those of the module, which versions with the same outline have
 * in common; a macro by the function that stands for it.
 */
type Key = number | FunctionIr;

interface Surveyed extends RelevantFunctions<Key> {
  readonly owning: ReadonlySet<Key>;
  readonly called: ReadonlySet<string>;
  /** The functions whose calls are among these. */
  readonly reached: ReadonlySet<Key>;
  readonly opens: ReadonlySet<Key>;
  readonly exported: ReadonlySet<Key>;
  readonly touching: ReadonlySet<Key>;
  readonly uncalled: ReadonlySet<Key>;
  readonly pairs: readonly (readonly [first: number, second: number])[];
  readonly begins: ReadonlySet<Key>;
  readonly groups: readonly {
    readonly members: readonly Key[];
    readonly isRecursive: boolean;
  }[];
  readonly nodes: readonly Key[];
  /** Where the macros stand: the positions of their documents. */
  readonly documents: ReadonlyMap<FunctionIr, number>;
}

/** What is kept for the next version of a module, for one kernel. */
export interface SurveyCache {
  readonly calls: CallGraphCache;
  readonly relevance: RelevanceCache;
  last: Last | null;
}

/** A survey that holds for all versions which do not change it. */
export interface KeptSurvey {
  readonly surveyed: Surveyed;
  /** Another object where the outline is another one, although nothing else may be. */
  readonly survey: object;
  readonly surveyAnswers: object;
}

/** The survey of the last version, and what it was made of. */
interface Last extends KeptSurvey {
  readonly outline: Outline;
  readonly naming: object;
  readonly kept: readonly number[];
  readonly names: readonly string[];
  readonly tables: string;
  readonly roles: readonly (Role | undefined)[];
  readonly roots: readonly FunctionIr[];
}

export function createSurveyCache(): SurveyCache {
  return { calls: createCallGraphCache(), relevance: createRelevanceCache(), last: null };
}

/** The survey of a module, by positions. What surveyIn() makes of it is the same with any cache. */
export function surveyOf(given: Given, cache: SurveyCache): KeptSurvey {
  const { index, roles } = given,
    { outline, naming, kept, names, roots } = index;
  const tables = textOfTables(given),
    ofRoles = rolesInOrder(index, roles);
  const { last } = cache;
  const isAlike =
    last?.naming === naming &&
    last.tables === tables &&
    isSameList(last.roles, ofRoles) &&
    (last.outline === outline || (isSameList(last.kept, kept) && isSameList(last.names, names)));
  const surveyed =
    isAlike && areToOthersWhatTheyWere(given, last, cache)
      ? last.surveyed
      : surveyAnew(given, cache);
  // Most calls that come and go are of nothing that a survey tells.
  const before = isAlike && last.outline === outline ? last : null;
  const survey = before && isSameSurvey(before.surveyed, surveyed) ? before.survey : {},
    surveyAnswers = before && answersTheSame(before.surveyed, surveyed) ? before.surveyAnswers : {};
  const madeOf = { outline, naming, kept, names, tables, roles: ofRoles, roots };
  cache.last = { ...madeOf, surveyed, survey, surveyAnswers };
  return cache.last;
}

/** Whether two surveys of versions with one outline answer the questions alike that are SURVEYED. */
function answersTheSame(one: Surveyed, other: Surveyed): boolean {
  return (
    one === other ||
    (isSameSet(one.affecting, other.affecting) && isSameSet(one.called, other.called))
  );
}

/** Whether two surveys of versions with one outline say the same. */
function isSameSurvey(one: Surveyed, other: Surveyed): boolean {
  if (one === other) return true;
  return (
    SETS.every((of) => isSameSet<unknown>(one[of], other[of])) &&
    isSameMap(one.escapes, other.escapes, isSameSet) &&
    isSameMap(one.documents, other.documents) &&
    isSameList(one.pairs, other.pairs, isSameList) &&
    isSameList(one.nodes, other.nodes) &&
    isSameList(
      one.groups,
      other.groups,
      (before, after) =>
        before.isRecursive === after.isRecursive && isSameList(before.members, after.members),
    )
  );
}

const SETS = [
  'affecting',
  'yielding',
  'testing',
  'answering',
  'owning',
  'called',
  'reached',
  'opens',
  'exported',
  'touching',
  'uncalled',
  'begins',
] as const satisfies readonly (keyof Surveyed)[];

/** What the tables say of functions: of the drivers and of devices, without their places. */
function textOfTables({ drivers, ops }: Given): string {
  return JSON.stringify([
    drivers.map(({ path, probe, remove }) => [path, probe, remove]),
    ops.map(({ path, members }) => [path, [...members].map(([name, { value }]) => [name, value])]),
  ]);
}

/** More functions than one key changes: it is less work to look at all of them. */
const MAX_CHANGED = 8;

/** Whether the functions that have changed are to all others what they were. */
function areToOthersWhatTheyWere(
  { index, kernel }: Given,
  { outline, roots, surveyed }: Last,
  { calls, relevance }: SurveyCache,
): boolean {
  const changed: number[] = [];
  for (let i = 0; i < index.roots.length; i++) if (index.roots[i] !== roots[i]) changed.push(i);
  if (changed.length === 0 && outline === index.outline) return true;
  const isAsItWas = (position: number): boolean => {
    const definition = index.allFunctions[position]!,
      { item } = definition,
      last = roots[position]!;
    const now = namesOf(item, index, calls),
      then = namesOf(last, index, calls);
    return (
      isSameList(now.called, then.called) &&
      isSameList(now.given, then.given) &&
      touches(item, surveyed.called) === touches(last, surveyed.called) &&
      (!surveyed.reached.has(position) ||
        isSameList(scanOf(item).names.called, scanOf(last).names.called)) &&
      isAsRelevant(index, definition, last, now.called, kernel, {
        affecting: surveyed.affecting.has(position),
        cache: relevance,
      })
    );
  };
  return (
    changed.length <= MAX_CHANGED &&
    haveSameContainers(index, kernel, relevance) &&
    changed.every(isAsItWas)
  );
}

/** What was surveyed, in the functions of today's documents. */
export function surveyIn(
  index: ModuleIndex,
  { surveyed, survey, surveyAnswers }: KeptSurvey,
): Survey {
  const keyOf = (fn: FunctionIr): Key => index.positionOf(fn) ?? fn;
  const functions = (keys: ReadonlySet<Key>): Functions => ({ has: (fn) => keys.has(keyOf(fn)) });
  const at = (position: number) => index.allFunctions[position]!;
  const files = [...index.module.sources, ...index.module.headers];
  const definitionOf = (key: Key): Defined<FunctionIr> =>
    typeof key === 'number' ? at(key) : { file: files[surveyed.documents.get(key)!]!, item: key };
  return {
    survey,
    surveyAnswers,
    relevance: relevanceOf(surveyed, keyOf, index),
    owning: functions(surveyed.owning),
    called: surveyed.called,
    opens: functions(surveyed.opens),
    exported: functions(surveyed.exported),
    touching: functions(surveyed.touching),
    uncalled: functions(surveyed.uncalled),
    pairs: surveyed.pairs.map(([first, second]) => [at(first), at(second)]),
    begins: functions(surveyed.begins),
    groups: surveyed.groups.map(({ members, isRecursive }) => ({
      members: members.map(definitionOf),
      isRecursive,
    })),
    nodes: surveyed.nodes.map((key) => (typeof key === 'number' ? at(key).item : key)),
  };
}

function surveyAnew(given: Given, { calls, relevance }: SurveyCache): Surveyed {
  const { index, kernel, roles, drivers } = given;
  const graph = callGraph(index, calls);
  const relevant = relevantFunctions(index, graph, kernel, relevance);
  const pairs = [...driverPairs(index, drivers), ...modulePairs(index)];
  const opens = new Set(callbacksAt(given, OPENING).map(({ item }) => item));
  const libraries = exportedPairs(index).filter(([{ item }]) => isHelper(roles, item));
  const { owning, called, reached } = owningFunctions(given, opens, libraries);
  const keyOf = (fn: FunctionIr): Key => index.positionOf(fn) ?? fn;
  const keys = (functions: Iterable<FunctionIr>): ReadonlySet<Key> =>
    new Set([...functions].map(keyOf));
  const positionOf = ({ item }: Defined<FunctionIr>) => index.positionOf(item)!;
  const files = [...index.module.sources, ...index.module.headers];
  const asked = { roles, opens, relevance: relevanceOf(relevant, (fn) => fn, index) };
  const touching = touchingFunctions(graph, called);
  return {
    affecting: keys(relevant.affecting),
    yielding: keys(relevant.yielding),
    testing: keys(relevant.testing),
    answering: keys(relevant.answering),
    escapes: new Map([...relevant.escapes].map(([fn, params]) => [keyOf(fn), params] as const)),
    owning: keys(owning),
    called,
    reached: keys(reached),
    opens: keys(opens),
    exported: keys(libraries.map(([{ item }]) => item)),
    touching: keys(touching),
    uncalled: keys(uncalledFunctions(index, graph)),
    pairs: pairs.map(([first, second]) => [positionOf(first), positionOf(second)]),
    begins: keys(pairs.map(([first]) => first.item)),
    groups: exploredGroups(index, graph, asked, touching).map((group) => ({
      members: group.map(({ item }) => keyOf(item)),
      isRecursive:
        group.length > 1 ||
        group.some(({ item }) => graph.calleesOf(item).some((callee) => callee.item === item)),
    })),
    nodes: graph.nodes.map(({ item }) => keyOf(item)),
    documents: new Map(
      graph.nodes.flatMap(({ file, item }) =>
        index.positionOf(item) === undefined ? [[item, files.indexOf(file)] as const] : [],
      ),
    ),
  };
}

/**
 * The functions of the sources that are explored by themselves, with those that are because these
 * call them, or a helper of theirs that touches resources, callees first.
 */
function exploredGroups(
  index: ModuleIndex,
  graph: CallGraph,
  asked: Parameters<typeof isExplored>[0],
  touching: ReadonlySet<FunctionIr>,
): Defined<FunctionIr>[][] {
  const sources = new Set<FileIr>(index.module.sources);
  const functions = index.allFunctions.filter(
    ({ file, item }) => sources.has(file) && isOfInterest(asked, item),
  );
  const isFollowed = ({ item }: Defined<FunctionIr>) =>
    isExplored(asked, item) || touching.has(item);
  return calleesFirst(functions, ({ item }) => graph.calleesOf(item).filter(isFollowed))
    .map((group) => group.filter(({ item }) => isExplored(asked, item)))
    .filter((group) => group.length > 0);
}

type Reasons = Pick<Survey, 'relevance' | 'opens'> & {
  readonly roles: ReadonlyMap<FunctionIr, Role>;
};

/** Whether the paths of a function are explored where an explored function calls it. */
export function isExplored(reasons: Reasons, fn: FunctionIr): boolean {
  const { relevance, roles } = reasons;
  return (
    isOfInterest(reasons, fn) ||
    ((relevance.testsPointer(fn) || relevance.answers(fn)) && isHelper(roles, fn))
  );
}

/** Whether the paths of a function are of interest by themselves. */
function isOfInterest({ relevance, opens, roles }: Reasons, fn: FunctionIr): boolean {
  const role = roles.get(fn);
  return (
    relevance.affects(fn) ||
    opens.has(fn) ||
    (relevance.yieldsDevice(fn) && isHelper(roles, fn)) ||
    role === 'remove' ||
    role === 'release' ||
    role === 'init'
  );
}

function isHelper(roles: ReadonlyMap<FunctionIr, Role>, fn: FunctionIr): boolean {
  return (roles.get(fn) ?? 'helper') === 'helper';
}

function driverPairs(index: ModuleIndex, drivers: readonly DriverTable[]): Survey['pairs'] {
  return drivers.flatMap((table) => {
    const file = [...index.module.sources, ...index.module.headers].find(
      (item) => item.path === table.path,
    );
    const probe = file && table.probe ? index.functions(file, table.probe)[0] : undefined,
      remove = file && table.remove ? index.functions(file, table.remove)[0] : undefined;
    return probe && remove ? [[probe, remove] as const] : [];
  });
}

/** module_init() and module_exit() meet like probe and remove, over the globals of the file. */
function modulePairs(index: ModuleIndex): Survey['pairs'] {
  return index.module.sources.flatMap((file) => {
    const given = (macro: string) => {
      const fileMacro = file.fileMacros.find((other) => other.name === macro),
        name = fileMacro?.args[0];
      return name === undefined ? undefined : index.functions(file, name)[0];
    };
    const begin = given('module_init'),
      end = given('module_exit');
    return begin && end ? [[begin, end] as const] : [];
  });
}

const OWNING: ReadonlySet<Role> = new Set<Role>([
  'probe',
  'remove',
  'init',
  'release',
  'module',
  'action',
]);

/** The members that open a device and that close it, of all releases. */
const OPENING = ['open_device', 'open'];
const CLOSING = ['close_device', 'release'];

/** The functions of the module that its ops tables have at some members. */
function callbacksAt(
  { index, ops }: Pick<Given, 'index' | 'ops'>,
  members: readonly string[],
): Defined<FunctionIr>[] {
  return ops.flatMap((table) => {
    const file = [...index.module.sources, ...index.module.headers].find(
      (one) => one.path === table.path,
    );
    return members.flatMap((member) => {
      const name = table.members.get(member)?.value;
      return file === undefined || name === undefined ? [] : index.functions(file, name);
    });
  });
}

/** The functions that begin and end a device's life or open it, and what they call. */
function owningFunctions(
  known: Given,
  opens: ReadonlySet<FunctionIr>,
  libraries: readonly ExportedPair[],
): {
  readonly owning: Iterable<FunctionIr>;
  readonly called: ReadonlySet<string>;
  readonly reached: Iterable<FunctionIr>;
} {
  const { index, roles } = known;
  const owning = new Map<FunctionIr, Defined<FunctionIr>>();
  for (const definition of index.allFunctions)
    if (opens.has(definition.item) || OWNING.has(roles.get(definition.item) ?? 'helper'))
      owning.set(definition.item, definition);
  for (const pair of libraries)
    for (const definition of pair) owning.set(definition.item, definition);
  const called = namesReached(index, owning);
  const reached = new Set(owning.keys());
  if (opens.size > 0) {
    const closes = new Map(callbacksAt(known, CLOSING).map((one) => [one.item, one]));
    for (const name of namesReached(index, closes)) called.add(name);
    for (const fn of closes.keys()) reached.add(fn);
    // Owed whether or not the driver knows it.
    called.add('vfio_pci_core_disable');
    for (const { members } of known.ops)
      for (const member of CLOSING) called.add(members.get(member)?.value ?? '');
  }
  return { owning: owning.keys(), called, reached };
}

/** The names that functions call, and what they call in turn, which is added to them. */
function namesReached(
  index: ModuleIndex,
  functions: Map<FunctionIr, Defined<FunctionIr>>,
): Set<string> {
  const called = new Set<string>();
  for (const [fn, caller] of functions) {
    for (const name of scanOf(fn).names.called) {
      called.add(name);
      for (const target of targetsOf(index, caller, name))
        if (!functions.has(target.item)) functions.set(target.item, target);
    }
  }
  return called;
}

/** Of the functions that the target kernel has. */
function uncalledFunctions({ allFunctions, names }: ModuleIndex, graph: CallGraph): FunctionIr[] {
  const uncalled = new Set(names);
  for (const { item } of allFunctions)
    for (const name of graph.namesOf(item).called) uncalled.delete(name);
  return allFunctions.flatMap(({ item }) => (uncalled.has(item.name) ? [item] : []));
}

const touchesBy = new WeakMap<FunctionIr, Touches>();

/** Whether a function itself does what may take or give back a resource. */
function touches(fn: FunctionIr, called: ReadonlySet<string>): boolean {
  const root = originalOf(fn);
  let known = touchesBy.get(root);
  if (known === undefined) touchesBy.set(root, (known = touchesOf(root)));
  return known.surely || known.owing.some((name) => called.has(name));
}

function touchingFunctions(graph: CallGraph, called: ReadonlySet<string>): ReadonlySet<FunctionIr> {
  return reaching(
    graph,
    graph.nodes.flatMap(({ item }) => (touches(item, called) ? [item] : [])),
  );
}
