import type { FunctionIr } from '../ir/types.ts';
import type { ExtraFunctions } from '../kernel/lookup.ts';
import type { KernelVersion } from '../kernel/types.ts';
import { formatVersion } from '../kernel/version.ts';
import { beginAnalysis, isExplored, type Analysis } from './analysis.ts';
import { calleesFirst, callGraph, createCallGraphCache, type CallGraphCache } from './callgraph.ts';
import { createFrames, hasRoom, inDocuments, type Frames, type Layout } from './frames.ts';
import { identitiesOf } from './identities.ts';
import { createStore, type Store } from './kept.ts';
import { indexModule } from './module.ts';
import { createRelevanceCache, relevance, type RelevanceCache } from './relevance.ts';
import type { ResourceLog } from './resources.ts';
import { exploreCallback, exploreRemove, solveGroup } from './solve.ts';
import { driverTables, opsTables, rolesOf } from './tables.ts';
import type { Module, ModuleFacts, Role } from './types.ts';

/**
 * Analyses a module for a target kernel: every function that touches a device's life cycle is explored path by path, after
 * the functions that it calls; probe's successful ends are remove's beginnings.
 * @param cache what is kept of the last version of the same module: explorations whose questions have the same answers are not
 *   repeated. The result is the same with any cache.
 */
export function analyseModule(module: Module, kernel: KernelVersion, cache: AnalysisCache = createAnalysisCache()): ModuleFacts {
  const memory = memoryFor(cache, module, kernel), { store } = memory;
  const index = indexModule(module, kernel);
  const drivers = driverTables(index), ops = opsTables(index, kernel);
  const roles = rolesOf(index, drivers, ops, kernel);
  const graph = callGraph(index, memory.calls);
  const identities = identitiesOf(index, memory.frames);
  const m = beginAnalysis({ index, graph, kernel, roles, relevance: relevance(index, graph, kernel, memory.relevance), ops, store, identities }, drivers);
  store.now++;
  const sources = new Set(module.sources);
  const functions = index.allFunctions.filter((d) => sources.has(d.file) && isExplored(m, d.item));
  for (const group of calleesFirst(graph, functions)) solveGroup(m, group.filter((d) => isExplored(m, d.item)));
  for (const d of functions) { const role = roles.get(d.item); if (role === 'init' || role === 'release') exploreCallback(m, d, role); }
  for (const [first, second] of m.pairs) if (isExplored(m, first.item)) exploreRemove(m, first, second);
  store.summaries = m.settled;
  return {
    module, kernel, opsTables: ops, driverTables: drivers, roles, ...found(m, identities.layout()),
    notAnalysed: [...m.notAnalysed].map(([fn, n]) => ({ path: n.path, function: fn.name, reason: n.reason })),
  };
}

/** What the analysis keeps between two versions of one module, for each of the few kernels that are asked about in turn. */
export interface AnalysisCache { readonly memories: Map<string, Memory> }
interface Memory { readonly wrappers: ExtraFunctions | undefined; readonly relevance: RelevanceCache; readonly calls: CallGraphCache; readonly store: Store; readonly frames: Frames }

const MAX_KERNELS = 2;

export function createAnalysisCache(): AnalysisCache { return { memories: new Map() }; }

function memoryFor({ memories }: AnalysisCache, { wrappers }: Module, kernel: KernelVersion): Memory {
  const key = formatVersion(kernel);
  let memory = memories.get(key);
  if (!memory || memory.wrappers !== wrappers || !hasRoom(memory.frames)) memory = { wrappers, relevance: createRelevanceCache(), calls: createCallGraphCache(), store: createStore(), frames: createFrames() };
  memories.delete(key);
  memories.set(key, memory);
  if (memories.size > MAX_KERNELS) memories.delete(memories.keys().next().value!);
  return memory;
}

const REPORTING: ReadonlySet<Role> = new Set<Role>(['probe', 'remove', 'init', 'module', 'action']);

/** What the explorations found, in the order of the functions: what is kept and what is new is not told apart. */
function found(m: Analysis, layout: Layout): Pick<ModuleFacts, 'observations' | 'resources'> {
  const all = m.graph.nodes.flatMap((d: { readonly item: FunctionIr }) => m.explored.get(d.item) ?? []);
  const logs = all.flatMap((one): ResourceLog[] => (one.resources ? [inDocuments(layout, one.resources)] : []));
  const undone = logs.flatMap((l) => [...l.undone.values()]);
  return {
    observations: all.flatMap((one) => inDocuments(layout, one.observations)),
    resources: { leaves: logs.flatMap((l) => l.leaves), undone: undone.filter((u) => REPORTING.has(u.role)), teardowns: logs.flatMap((l) => [...l.teardowns.values()]) },
  };
}
