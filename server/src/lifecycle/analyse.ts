import { buildCfg, type Cfg } from '../flow/cfg.ts';
import { liveVariables } from '../flow/liveness.ts';
import type { FunctionIr, TypeName } from '../ir/types.ts';
import type { KernelVersion } from '../kernel/types.ts';
import { INITIALISING_DEVICE, RELEASING_DEVICE } from './device.ts';
import { doubtOwnState, observeExits, seedRemove } from './exits.ts';
import { explore, type Exit } from './explore.ts';
import { loseCertainty } from './operate.ts';
import { emptyLog, helperResources, touchesResources, type HelperResources, type ResourceLog } from './resources.ts';
import { resolver } from './apply.ts';
import { indexModule, type Defined, type ModuleIndex } from './module.ts';
import { calleesFirst, callGraph, reaching, type CallGraph } from './callgraph.ts';
import { decidingMembers } from './deciding.ts';
import { isLifecycleName, relevance, type Relevance, type RelevanceCache } from './relevance.ts';
import type { ObjectInfo, Run } from './run.ts';
import { scanOf } from './scan.ts';
import { emptyState, type PathState } from './state.ts';
import { summarise, summaryKey, type Summary } from './summary.ts';
import { driverTables, opsTables, rolesOf } from './tables.ts';
import type { Module, ModuleFacts, Observation, Role } from './types.ts';
import { pointer } from './values.ts';

/**
 * Analyses a module for a target kernel: every function that touches a device's life cycle is explored path by path, after
 * the functions that it calls; probe's successful ends are remove's beginnings.
 */
export function analyseModule(module: Module, kernel: KernelVersion, cache: AnalysisCache = createAnalysisCache()): ModuleFacts {
  const index = indexModule(module);
  const drivers = driverTables(index), ops = opsTables(index, kernel);
  const roles = rolesOf(index, drivers, ops, kernel);
  const graph = callGraph(index);
  const m: Analysis = {
    index, kernel, roles, relevance: relevance(index, graph, kernel, cache), summaries: new Map(), inProgress: new Set(), observations: new Map(), notAnalysed: new Map(), exits: new Map(), objects: new Map(), resources: new Map(), helpers: new Map(), touching: touchingFunctions(graph), ops, ...owningFunctions(index, roles),
  };
  const sources = new Set(module.sources);
  const functions = index.allFunctions.filter((d) => sources.has(d.file) && isExplored(m, d.item));
  for (const group of calleesFirst(graph, functions)) solveGroup(m, graph, group.filter((d) => isExplored(m, d.item)));
  for (const d of functions) if (roles.get(d.item) === 'init' || roles.get(d.item) === 'release') exploreCallback(m, d, roles.get(d.item) === 'init', ops);
  for (const t of drivers) {
    const file = module.sources.find((f) => f.path === t.path);
    const probe = file && t.probe ? index.functions(file, t.probe)[0] : undefined, remove = file && t.remove ? index.functions(file, t.remove)[0] : undefined;
    if (probe && remove && isExplored(m, probe.item)) exploreRemove(m, probe, remove);
  }
  for (const [begin, end] of modulePairs(index)) if (isExplored(m, begin.item)) exploreRemove(m, begin, end);
  return {
    module, kernel, opsTables: ops, driverTables: drivers, roles,
    observations: [...m.observations.values()].flatMap((o) => [...o.values()]), resources: resourceFacts([...m.resources.values()]),
    notAnalysed: [...m.notAnalysed].map(([fn, n]) => ({ path: n.path, function: fn.name, reason: n.reason })),
  };
}

/** module_init() and module_exit() meet like probe and remove, over the globals of the file. */
function modulePairs(index: ModuleIndex): [Defined<FunctionIr>, Defined<FunctionIr>][] {
  return index.module.sources.flatMap((file) => {
    const given = (macro: string) => { const m = file.fileMacros.find((x) => x.name === macro), name = m?.args[0]; return name === undefined ? undefined : index.functions(file, name)[0]; };
    const begin = given('module_init'), end = given('module_exit');
    return begin && end ? [[begin, end]] : [];
  });
}

/** What the analysis keeps between two versions of one module. */
export type AnalysisCache = RelevanceCache;
export function createAnalysisCache(): AnalysisCache { return { signature: '', wrappers: undefined, facts: new WeakMap() }; }

/** The states of one function's exploration, for `dump --stage states` and tests; empty when the function is not explored. */
export interface Analysis {
  readonly index: ModuleIndex;
  readonly kernel: KernelVersion;
  readonly roles: ReadonlyMap<FunctionIr, Role>;
  readonly relevance: Relevance;
  readonly summaries: Map<FunctionIr, Summary>;
  /** Functions that are explored because another one asks for them. */
  readonly inProgress: Set<FunctionIr>;
  /** By function, so that a second exploration with a better beginning replaces the first. */
  readonly observations: Map<FunctionIr, Map<string, Observation>>;
  readonly notAnalysed: Map<FunctionIr, { path: string; reason: string }>;
  readonly exits: Map<FunctionIr, readonly Exit[]>;
  readonly objects: Map<FunctionIr, Map<string, ObjectInfo>>;
  /** What was learnt of resources by function. */
  readonly resources: Map<FunctionIr, ResourceLog>;
  /** Functions that do nothing to devices: what they do with resources, as far as it was asked for. */
  readonly helpers: Map<FunctionIr, HelperResources | null>;
  /** Functions that may take or give back a resource, themselves or by what they call. */
  readonly touching: ReadonlySet<FunctionIr>;
  readonly ops: ModuleFacts['opsTables'];
  /** Where a resource may be taken or given back for the life of a device: the only functions whose resources are followed. */
  readonly owning: ReadonlySet<FunctionIr>;
  /** The names that these call. */
  readonly called: ReadonlySet<string>;
}

function isExplored(m: Analysis, fn: FunctionIr): boolean {
  const role = m.roles.get(fn);
  return m.relevance.affects(fn) || m.relevance.yieldsDevice(fn) && role === 'helper' || role === 'remove' || role === 'release' || role === 'init';
}

const OPAQUE: Summary = { outcomes: null, objects: new Map(), gives: [] };
/** A recursion that has not settled after so many rounds is treated as unknown code. */
const MAX_ROUNDS = 4;

/** Explores functions that call one another, until what they know of each other no longer changes; a function by itself once. */
function solveGroup(m: Analysis, graph: CallGraph, group: readonly Defined<FunctionIr>[]): void {
  const [first] = group;
  const again = (d: Defined<FunctionIr>, round: number) => exploreOnce(m, d, m.roles.get(d.item) ?? 'helper', [entryState(d.item)], round === 0);
  if (group.length === 1 && !graph.calleesOf(first!.item).some((c) => c.item === first!.item)) { remember(m, first!.item, again(first!, 0)); return; }
  for (const d of group) remember(m, d.item, { outcomes: [], objects: new Map(), gives: [] });
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let changed = false;
    for (const d of group) {
      const next = again(d, round);
      if (summaryKey(next) === summaryKey(m.summaries.get(d.item)!)) continue;
      remember(m, d.item, next);
      changed = true;
    }
    if (!changed) return;
  }
  for (const d of group) remember(m, d.item, OPAQUE);
  for (const d of group) again(d, MAX_ROUNDS);
}

/** Calls nested deeper than this, where the call graph did not see them, are unknown code. */
const MAX_NESTING = 20;

function summaryOf(m: Analysis, d: Defined<FunctionIr>): Summary {
  const known = m.summaries.get(d.item);
  if (known) return known;
  if (!isExplored(m, d.item)) return remember(m, d.item, harmless(m, d));
  if (m.inProgress.has(d.item) || m.inProgress.size >= MAX_NESTING) return OPAQUE;
  m.inProgress.add(d.item);
  const summary = exploreOnce(m, d, m.roles.get(d.item) ?? 'helper', [entryState(d.item)], true);
  m.inProgress.delete(d.item);
  return remember(m, d.item, summary);
}

function remember(m: Analysis, fn: FunctionIr, s: Summary): Summary { m.summaries.set(fn, s); return s; }

/** A function that is not explored does nothing to devices, but may hand its parameters on to unseen code. */
function harmless(m: Analysis, d: Defined<FunctionIr>): Summary {
  const fn = d.item;
  const at = { path: '', start: fn.start, end: fn.start };
  const ops = [...m.relevance.escaping(fn)].map((i) => ({ op: 'escape' as const, ok: true, place: { object: `param:${i}`, path: '' }, api: fn.name, argument: i, site: at, settled: true }));
  return { outcomes: [{ config: new Map(fn.conditions.map((c) => [c.test, c.holds] as const)), assumes: new Map(), ops, writes: [], result: null, resultMask: 7, deferred: [], uncertain: false, ownState: false, takes: [] }], objects: new Map(), gives: [], helper: () => helperOf(m, d) };
}

function exploreOnce(m: Analysis, d: Defined<FunctionIr>, role: Role, entries: readonly PathState[], first: boolean): Summary {
  const { cfg, live } = graphOf(d.item);
  const kept = role === 'helper' || role === 'action' ? keepDeciding(m, d, cfg, live) : live;
  let run = newRun(m, d, role);
  let exits = explore(run, cfg, kept, entries);
  if (typeof exits === 'string') {
    // What it holds may be what tells too many paths apart.
    run = newRun(m, d, role, null);
    exits = explore(run, cfg, kept, entries);
  }
  m.objects.set(d.item, run.objects);
  if (typeof exits === 'string') {
    if (first) m.notAnalysed.set(d.item, { path: d.file.path, reason: exits });
    return OPAQUE;
  }
  m.exits.set(d.item, exits);
  const summary = summarise(exits.map((e) => e.s), run.objects, [...(run.resources?.gives.values() ?? [])]);
  observeExits(run, exits);
  doubtOwnState(run);
  m.observations.set(d.item, run.observations);
  if (run.resources) m.resources.set(d.item, run.resources); else m.resources.delete(d.item);
  return summary;
}

/** What callers may know of the members that decide which operations a helper does is not forgotten on its way. */
function keepDeciding(m: Analysis, d: Defined<FunctionIr>, cfg: Cfg, live: readonly ReadonlySet<string>[]): readonly ReadonlySet<string>[] {
  const members = decidingMembers(cfg, (call) => call.name !== null && endsOrBegins(m, d, call.name));
  return members.size ? live.map((names) => new Set([...names, ...members])) : live;
}

/** Calls that change a device's life, here or further down. */
function endsOrBegins(m: Analysis, d: Defined<FunctionIr>, name: string): boolean {
  const defined = m.index.functions(d.file, name);
  return defined.length ? defined.some((f) => m.relevance.affects(f.item)) : m.index.macroFunction(d.file, name) !== null || isLifecycleName(name, m.kernel, m.index.module.wrappers);
}

function newRun(m: Analysis, d: Defined<FunctionIr>, role: Role, resources: ResourceLog | null = m.owning.has(d.item) ? emptyLog() : null): Run {
  const run: Run = {
    fn: d.item, file: d.file, role, kernel: m.kernel, index: m.index, locals: localsOf(d.item), labels: new Set(scanOf(d.item).labels), objects: new Map(m.objects.get(d.item)), observations: new Map(), ownState: new Set(),
    names: new Map(d.item.params.map((p, i) => [`param:${i}`, p.name])), resources, called: m.called, callbacks: (member) => callbacksOf(m, member),
    resolver: (s, e, summary, args) => resolver(run, s, e, summary, args),
    summaryOf: (fn) => summaryOf(m, { file: m.index.fileOf(fn) ?? d.file, item: fn }),
  };
  return run;
}

/** What a function that does nothing to devices takes and gives back; null when that cannot be followed. */
function helperOf(m: Analysis, d: Defined<FunctionIr>): HelperResources | null {
  const known = m.helpers.get(d.item);
  if (known !== undefined) return known;
  if (!m.touching.has(d.item)) return remembered(m, d.item, NO_RESOURCES);
  if (m.inProgress.size >= MAX_NESTING) return null;
  m.helpers.set(d.item, null); // a recursion
  m.inProgress.add(d.item);
  const run = newRun(m, d, 'helper', emptyLog()), { cfg, live } = graphOf(d.item);
  const exits = explore(run, cfg, live, [entryState(d.item)]);
  m.inProgress.delete(d.item);
  return remembered(m, d.item, typeof exits === 'string' ? null : helperResources(exits.map((e) => e.s), run.resources!.gives.values()));
}

const OWNING: ReadonlySet<Role> = new Set<Role>(['probe', 'remove', 'init', 'release', 'module', 'action']);

/** The functions that begin and end a device's life, and what they call. */
function owningFunctions(index: ModuleIndex, roles: ReadonlyMap<FunctionIr, Role>): Pick<Analysis, 'owning' | 'called'> {
  const called = new Set<string>();
  const owning = new Map<FunctionIr, Defined<FunctionIr>>();
  for (const d of index.allFunctions) if (OWNING.has(roles.get(d.item) ?? 'helper')) owning.set(d.item, d);
  for (const [fn, { file }] of owning) {
    for (const { name } of scanOf(fn).calls) {
      if (name === null) continue;
      called.add(name);
      const defined = index.functions(file, name), macro = defined.length ? null : index.macroFunction(file, name);
      for (const d of macro ? [macro] : defined) if (!owning.has(d.item)) owning.set(d.item, d);
    }
  }
  return { owning: new Set(owning.keys()), called };
}

const NO_RESOURCES: HelperResources = { takes: [], gives: [] };

function remembered(m: Analysis, fn: FunctionIr, h: HelperResources | null): HelperResources | null { m.helpers.set(fn, h); return h; }

function touchingFunctions(graph: CallGraph): ReadonlySet<FunctionIr> {
  return reaching(graph, graph.nodes.filter((d) => scanOf(d.item).calls.some(({ name }) => name !== null && touchesResources(name))).map((d) => d.item));
}

/** The functions that the core calls for the devices of the module. */
function callbacksOf(m: Analysis, member: 'init' | 'release'): ReturnType<Run['callbacks']> {
  const functions = new Map<FunctionIr, Defined<FunctionIr>>();
  let isWhole = m.ops.length > 0;
  for (const table of m.ops) {
    const name = table.style === 'fd' ? undefined : table.members.get(member)?.value, file = m.index.module.sources.find((f) => f.path === table.path);
    isWhole &&= table.complete;
    if (name === undefined) continue;
    const defined = file ? m.index.functions(file, name) : [];
    for (const d of defined) functions.set(d.item, d);
    if (!defined.length && !isLifecycleName(name, m.kernel, m.index.module.wrappers)) isWhole = false;
  }
  return { functions: [...functions.values()], isWhole };
}

const REPORTING: ReadonlySet<Role> = new Set<Role>(['probe', 'remove', 'init', 'module', 'action']);

function resourceFacts(logs: readonly ResourceLog[]): ModuleFacts['resources'] {
  const undone = logs.flatMap((l) => [...l.undone.values()]);
  return { leaves: logs.flatMap((l) => l.leaves), undone: undone.filter((u) => REPORTING.has(u.role)), teardowns: logs.flatMap((l) => [...l.teardowns.values()]) };
}

interface Graph { readonly cfg: Cfg; readonly live: readonly ReadonlySet<string>[] }
/** Graphs depend on the function alone, so they outlive an analysis. */
const graphs = new WeakMap<FunctionIr, Graph>();

function graphOf(fn: FunctionIr): Graph {
  let g = graphs.get(fn);
  if (!g) { const cfg = buildCfg(fn); graphs.set(fn, (g = { cfg, live: liveVariables(cfg) })); }
  return g;
}

function localsOf(fn: FunctionIr): Map<string, TypeName> {
  const locals = new Map(fn.params.map((p) => [p.name, p.type] as const));
  for (const d of scanOf(fn).decls) if (!locals.has(d.name)) locals.set(d.name, d.type);
  return locals;
}

function entryState(fn: FunctionIr): PathState {
  const s = emptyState();
  fn.params.forEach((p, i) => s.env.set(p.name, pointer(`param:${i}`)));
  if (fn.opaque) loseCertainty(s);
  return s;
}

/** `.init` and `.release` begin with the state in which the core calls them. */
function exploreCallback(m: Analysis, d: Defined<FunctionIr>, isInit: boolean, ops: ModuleFacts['opsTables']): void {
  const s = entryState(d.item);
  const embedded = ops.some((o) => o.members.get('release')?.value === d.item.name && o.givenTo.some((g) => g.op === 'init-device'));
  const state = isInit ? INITIALISING_DEVICE : RELEASING_DEVICE;
  s.devices.set('param:0', { state: embedded ? { ...state, model: 'embedded' } : state, member: null });
  exploreOnce(m, d, isInit ? 'init' : 'release', [s], false);
}

/** remove begins where probe succeeded: devices are where probe left them, in drvdata, in what the parameter leads to, in globals. */
function exploreRemove(m: Analysis, probe: Defined<FunctionIr>, remove: Defined<FunctionIr>): void {
  const entries = seedRemove(m.exits.get(probe.item) ?? [], newRun(m, probe, 'probe'), m.objects.get(probe.item) ?? new Map(), remove.item.name, () => entryState(remove.item));
  if (!entries.states.length) return;
  const objects = m.objects.get(remove.item) ?? new Map<string, ObjectInfo>();
  for (const [o, info] of entries.objects) objects.set(o, info);
  m.objects.set(remove.item, objects);
  exploreOnce(m, remove, 'remove', entries.states, false);
}
