/**
 * The facts of a module: every function is explored as far as its role and its callers ask for.
 */
import type { ExtraFunctions } from '../kernel/lookup.ts';
import type { KernelVersion } from '../kernel/types.ts';
import { formatVersion } from '../kernel/version.ts';
import { BUDGETS, beginAnalysis, type Analysis, type Budgets } from './analysis.ts';
import { createSurveyCache, isExplored, surveyIn, surveyOf, type SurveyCache } from './survey.ts';
import {
  createFrames,
  forkFrames,
  hasRoom,
  inDocuments,
  type Frames,
  type Layout,
} from './incremental/stable-spans.ts';
import {
  createSignatures,
  forkSignatures,
  identitiesOf,
  type Signatures,
} from './incremental/identity.ts';
import {
  beginVersion,
  createStore,
  forkStore,
  type Explored,
  type Store,
} from './incremental/memo.ts';
import {
  keepSolution,
  stillSolved,
  type Asked,
  type KeptSolution,
  type Solution,
} from './incremental/solution.ts';
import { forEachMacro, startOf } from './module/macro-places.ts';
import { indexModule } from './module/module.ts';
import { createOutlineCache, outlineOf, type OutlineCache } from './module/outline.ts';
import type { ResourceFindings } from './interpret/resource-log.ts';
import { exploreCallback, exploreRemove, makesDevices, solveGroup } from './solve-module.ts';
import { driverTables } from './module/driver-tables.ts';
import { rolesInOrder } from './module/roles.ts';
import { opsTables, rolesOf } from './module/tables.ts';
import type { Module, ModuleFacts, Role } from './types.ts';
import { atOnce, type Steps } from '../budget/work.ts';

/**
 * Analyses a module for a target kernel: every function that touches a device's life cycle is
 * explored path by path, after
 * the functions that it calls; probe's successful ends are remove's beginnings.
 * @param cache what is kept of the last version of the same module: explorations whose questions
 * have the same answers are not
 *   repeated. The result is the same with any cache.
 * @param budgets how much work it may be; the rest is given up. One cache is for one of them.
 */
export function analyseModule(
  module: Module,
  kernel: KernelVersion,
  cache: AnalysisCache = createAnalysisCache(),
  budgets = BUDGETS,
): ModuleFacts {
  return atOnce(analyseInSteps(module, kernel, cache, budgets));
}

/**
 * The same in steps: between two of them the caller may do something else, or leave it at that.
 * Nothing may be analysed with the same cache
 * in between.
 */
export function* analyseInSteps(
  module: Module,
  kernel: KernelVersion,
  cache: AnalysisCache,
  budgets: Budgets = BUDGETS,
): Steps<ModuleFacts> {
  const memory = memoryFor(cache, module, kernel),
    { store } = memory;
  const index = indexModule(module, kernel, outlineOf(module, memory.outlines));
  const drivers = driverTables(index, kernel),
    ops = opsTables(index, kernel);
  const roles = rolesOf(index, drivers, ops, kernel);
  const identities = identitiesOf(index, memory.frames, memory.signatures);
  const kept = surveyOf({ index, kernel, drivers, ops, roles }, memory.survey);
  const makes = makesDevices({ index, kernel });
  const asked: Asked = { index, ops, survey: kept.survey, makesDevices: makes };
  let solution = stillSolved(memory.solution, asked);
  if (!solution) {
    // What is left undone may have given the addresses of one version to another.
    memory.solution = null;
    memory.isWhole = false;
    const known = { index, kernel, roles, ops, store, identities, budgets };
    solution = yield* solved(beginAnalysis({ ...surveyIn(index, kept), ...known }));
    memory.solution = keepSolution(solution, store, asked);
    solution = memory.solution ?? solution;
    memory.isWhole = true;
  }
  const { explored, notAnalysed, work } = solution;
  return {
    module,
    kernel,
    opsTables: ops,
    driverTables: drivers,
    roles,
    ...found(explored, identities.layout()),
    solution,
    notAnalysed: [...unread(module), ...notAnalysed],
    work,
  };
}

/** Explores all functions that are of interest, each after those that it calls. */
function* solved(analysis: Analysis): Steps<Solution> {
  const { index, roles, store } = analysis;
  beginVersion(store);
  for (const group of analysis.groups) yield* solveGroup(analysis, group);
  const sources = new Set(index.module.sources);
  const inOrder = rolesInOrder(index, roles);
  for (let i = 0; i < inOrder.length; i++) {
    const role = inOrder[i];
    if (role !== 'init' && role !== 'release') continue;
    const definition = index.allFunctions[i]!;
    if (!sources.has(definition.file)) continue;
    yield* exploreCallback(analysis, definition, role);
    yield;
  }
  for (const [first, second] of analysis.pairs) {
    if (!isExplored(analysis, first.item)) continue;
    yield* exploreRemove(analysis, first, second);
    yield;
  }
  store.gone.take(store.summaries, analysis.settled);
  store.summaries = analysis.settled;
  return {
    explored: analysis.nodes.flatMap((fn) => analysis.explored.get(fn) ?? []),
    notAnalysed: [...analysis.notAnalysed].map(([fn, { path, reason, isInternal }]) => ({
      path,
      function: fn.name,
      reason,
      start: startOf(analysis.index, fn) + fn.nameSpan.start - fn.start,
      ...(isInternal && { isInternal: true as const }),
    })),
    work: analysis.work,
  };
}

/** What the lowering failed at. */
function unread({ sources, headers }: Module): ModuleFacts['notAnalysed'] {
  return [...sources, ...headers].flatMap(({ path, failed = [] }) =>
    failed.map(({ start, reason }) => ({
      path,
      function: '',
      reason: `internal error: ${reason}`,
      start,
      isInternal: true as const,
    })),
  );
}

/**
 * What the analysis keeps between two versions of one module, for each of the few kernels that are
 * asked about in turn.
 */
export interface AnalysisCache {
  readonly memories: Map<string, Memory>;
  /** What the first version of each memory begins with. */
  readonly original: AnalysisCache | null;
}
interface Memory {
  readonly wrappers: ExtraFunctions | undefined;
  readonly build: Module['build'];
  readonly outlines: OutlineCache;
  readonly survey: SurveyCache;
  readonly store: Store;
  readonly frames: Frames;
  readonly signatures: Signatures;
  solution: KeptSolution | null;
  /** The last analysis was done to its end. */
  isWhole: boolean;
}

const MAX_KERNELS = 2;

export function createAnalysisCache(): AnalysisCache {
  return { memories: new Map(), original: null };
}

/**
 * A cache for other versions of the same module, which begins with what another cache has of the
 * last one: what they have in common is not explored again. The other one stays as it is.
 */
export function forkAnalysisCache(original: AnalysisCache): AnalysisCache {
  return { memories: new Map(), original };
}

function memoryFor(
  { memories, original }: AnalysisCache,
  module: Module,
  kernel: KernelVersion,
): Memory {
  const key = formatVersion(kernel);
  let memory = memories.get(key);
  if (!memory || !isFor(memory, module)) {
    const begun = original?.memories.get(key);
    memory = {
      wrappers: module.wrappers,
      build: module.build,
      outlines: createOutlineCache(),
      survey: createSurveyCache(),
      ...((begun && isFor(begun, module) && forked(begun, kernel)) || {
        store: createStore(),
        frames: createFrames(),
        signatures: createSignatures(),
      }),
      solution: null,
      isWhole: false,
    };
  }
  memories.delete(key);
  memories.set(key, memory);
  if (memories.size > MAX_KERNELS) memories.delete(memories.keys().next().value!);
  return memory;
}

function isFor({ wrappers, build, frames }: Memory, module: Module): boolean {
  return wrappers === module.wrappers && build === module.build && hasRoom(frames);
}

/** What is kept of the last version, if it may be used for another one beside its next. */
function forked(
  { outlines, store, frames, signatures, isWhole }: Memory,
  kernel: KernelVersion,
): Pick<Memory, 'store' | 'frames' | 'signatures'> | null {
  const { last } = outlines;
  if (!isWhole || last === null) return null;
  const index = indexModule(last.module, kernel, last);
  // What is known of two functions with one text may speak of a frame that is found by neither.
  if (index.rootPositions() === null) return null;
  const identities = identitiesOf(index, frames, signatures);
  const items = index.allFunctions.map(({ item }) => item);
  forEachMacro(index, (item) => items.push(item));
  const kept = items.map((item) => ({
    root: identities.rootOf(item),
    signature: identities.signatureOf(item),
  }));
  return {
    store: forkStore(store, kept),
    frames: forkFrames(frames, kept),
    signatures: forkSignatures(signatures),
  };
}

const REPORTING: ReadonlySet<Role> = new Set<Role>([
  'probe',
  'remove',
  'init',
  'module',
  'action',
  'callback',
]);

/**
 * What the explorations found, in the order of the functions: what is kept and what is new is not
 * told apart.
 */
function found(
  explored: readonly Explored[],
  layout: Layout,
): Pick<ModuleFacts, 'observations' | 'resources'> {
  const logs = explored.flatMap((one): ResourceFindings[] =>
    one.resources ? [inDocuments(layout, one.resources)] : [],
  );
  const undone = logs.flatMap((leaks) => [...leaks.undone.values()]);
  return {
    observations: explored.flatMap((one) => inDocuments(layout, one.observations)),
    resources: {
      leaves: logs.flatMap((leaks) => leaks.leaves),
      undone: undone.filter((item) => REPORTING.has(item.role)),
      teardowns: logs.flatMap((leaks) => [...leaks.teardowns.values()]),
    },
  };
}
