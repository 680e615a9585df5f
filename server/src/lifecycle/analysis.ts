/**
 * What one analysis of a module carries along: its index, roles, budgets and what is known
 * already.
 */
import type { FunctionIr } from '../ir/types.ts';
import type { KernelVersion } from '../kernel/types.ts';
import { reaching, targetsOf, type CallGraph } from './module/call-graph.ts';
import type { Identities } from './incremental/identity.ts';
import type { Explored, Store } from './incremental/memo.ts';
import type { Defined, ModuleIndex } from './module/module.ts';
import type { Relevance } from './module/relevance.ts';
import { touchesResources } from './interpret/call-resources.ts';
import type { HelperResources } from './interpret/resource-log.ts';
import type { ObjectInfo } from './interpret/run.ts';
import { exportedPairs, type ExportedPair } from './module/exported.ts';
import { originalOf, scanOf } from './module/function-scan.ts';
import type { Summary } from './interpret/summary.ts';
import type { DriverTable, ModuleFacts, Role } from './types.ts';

/** The work that one function may cost, and all functions of a module together. */
export interface Budgets {
  readonly function: number;
  readonly module: number;
}

/**
 * The dearest function of the VFIO drivers of Linux 6.0 and 6.12 costs 41,000 (mlx5 and hisi_acc,
 * their `.ioctl`s and state machines), the dearest
 * module 76,000: a hundredth of these. A function with forty independent options costs half of
 * them.
 */
export const BUDGETS: Budgets = { function: 4_000_000, module: 20_000_000 };

/**
 * The analysis of one version of a module for one kernel: what is known before a function is
 * explored, and what comes of it.
 */
export interface Analysis {
  readonly index: ModuleIndex;
  readonly graph: CallGraph;
  readonly kernel: KernelVersion;
  readonly roles: ReadonlyMap<FunctionIr, Role>;
  readonly relevance: Relevance;
  readonly ops: ModuleFacts['opsTables'];
  readonly store: Store;
  readonly identities: Identities;
  /**
   * Where a resource may be taken or given back for the life of a device: the only functions whose
   * resources are followed.
   */
  readonly owning: ReadonlySet<FunctionIr>;
  /** The names that these call, and those that the callbacks that close a device call. */
  readonly called: ReadonlySet<string>;
  /** The callbacks that open a device: what they take they owe where they fail. */
  readonly opens: ReadonlySet<FunctionIr>;
  /** Exported functions of a library that others undo: what they take they owe where they fail. */
  readonly exported: ReadonlySet<FunctionIr>;
  /** Functions that may take or give back a resource, themselves or by what they call. */
  readonly touching: ReadonlySet<FunctionIr>;
  /** Pairs of functions of which the second begins where the first has ended well. */
  readonly pairs: readonly (readonly [first: Defined<FunctionIr>, second: Defined<FunctionIr>])[];
  /** The first ones of the pairs. */
  readonly begins: ReadonlySet<FunctionIr>;
  readonly summaries: Map<FunctionIr, Summary>;
  /** By nameOf(): for the next version. */
  readonly settled: Map<string, Summary>;
  /** Functions that are explored because another one asks for them. */
  readonly inProgress: Set<FunctionIr>;
  /**
   * The last exploration of each function that was not given up: one with a better beginning
   * replaces the first.
   */
  readonly explored: Map<FunctionIr, Explored>;
  /** What the last exploration of each function knew of objects. */
  readonly objects: Map<FunctionIr, ReadonlyMap<string, ObjectInfo>>;
  readonly notAnalysed: Map<
    FunctionIr,
    { readonly path: string; readonly reason: string; readonly isInternal: boolean }
  >;
  readonly budgets: Budgets;
  /** The work that all explorations have cost so far, and the most that one of them did. */
  readonly work: { spent: number; most: number };
  /**
   * Functions that do nothing to devices: what they do with resources, as far as it was asked for.
   */
  readonly helpers: Map<FunctionIr, HelperResources | null>;
}

type Known = Pick<
  Analysis,
  'budgets' | 'index' | 'graph' | 'kernel' | 'roles' | 'relevance' | 'ops' | 'store' | 'identities'
>;

/** An analysis that has explored nothing yet. */
export function beginAnalysis(known: Known, drivers: readonly DriverTable[]): Analysis {
  const pairs = [...driverPairs(known.index, drivers), ...modulePairs(known.index)];
  const opens = callbacksAt(known, OPENING);
  const libraries = exportedPairs(known.index).filter(
    ([{ item }]) => (known.roles.get(item) ?? 'helper') === 'helper',
  );
  return {
    ...known,
    ...owningFunctions(known, new Set(opens.map(({ item }) => item)), libraries),
    exported: new Set(libraries.map(([{ item }]) => item)),
    touching: touchingFunctions(known.graph),
    pairs,
    begins: new Set(pairs.map(([first]) => first.item)),
    summaries: new Map(),
    settled: new Map(),
    inProgress: new Set(),
    explored: new Map(),
    objects: new Map(),
    notAnalysed: new Map(),
    work: { spent: 0, most: 0 },
    helpers: new Map(),
  };
}

/** Whether the paths of a function are of interest. */
export function isExplored(
  analysis: Pick<Analysis, 'roles' | 'relevance' | 'opens'>,
  fn: FunctionIr,
): boolean {
  const role = analysis.roles.get(fn);
  return (
    analysis.relevance.affects(fn) ||
    analysis.opens.has(fn) ||
    ((analysis.relevance.yieldsDevice(fn) ||
      analysis.relevance.testsPointer(fn) ||
      analysis.relevance.answers(fn)) &&
      (role ?? 'helper') === 'helper') ||
    role === 'remove' ||
    role === 'release' ||
    role === 'init'
  );
}

function driverPairs(index: ModuleIndex, drivers: readonly DriverTable[]): Analysis['pairs'] {
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
function modulePairs(index: ModuleIndex): Analysis['pairs'] {
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
  { index, ops }: Pick<Known, 'index' | 'ops'>,
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
  known: Known,
  opens: ReadonlySet<FunctionIr>,
  libraries: readonly ExportedPair[],
): Pick<Analysis, 'owning' | 'called' | 'opens'> {
  const { index, roles } = known;
  const owning = new Map<FunctionIr, Defined<FunctionIr>>();
  for (const definition of index.allFunctions)
    if (opens.has(definition.item) || OWNING.has(roles.get(definition.item) ?? 'helper'))
      owning.set(definition.item, definition);
  for (const pair of libraries)
    for (const definition of pair) owning.set(definition.item, definition);
  const called = namesReached(index, owning);
  if (opens.size > 0) {
    const closes = new Map(callbacksAt(known, CLOSING).map((one) => [one.item, one]));
    for (const name of namesReached(index, closes)) called.add(name);
    // Owed whether or not the driver knows it.
    called.add('vfio_pci_core_disable');
    for (const { members } of known.ops)
      for (const member of CLOSING) called.add(members.get(member)?.value ?? '');
  }
  return { owning: new Set(owning.keys()), called, opens };
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

const touches = new WeakMap<FunctionIr, boolean>();

function touchingFunctions(graph: CallGraph): ReadonlySet<FunctionIr> {
  return reaching(
    graph,
    graph.nodes.flatMap(({ item }) => {
      const root = originalOf(item);
      let does = touches.get(root);
      if (does === undefined)
        touches.set(root, (does = scanOf(root).names.called.some(touchesResources)));
      return does ? [item] : [];
    }),
  );
}
