/** Which functions of a module call which, and in which order summaries can be made. */
import { originalOf } from '../../ir/lower.ts';
import type { FunctionIr } from '../../ir/types.ts';
import { startOf } from './macro-places.ts';
import type { Defined, ModuleIndex } from './module.ts';
import { scanOf, type Scan } from './function-scan.ts';
import { isSameList } from '../../text/lists.ts';

/**
 * Who calls whom in a module: its functions and the function-like macros that they use. A function
 * that is handed on by name counts as called.
 */
export interface CallGraph {
  /** All functions, and the macros that one of them reaches. */
  readonly nodes: readonly Defined<FunctionIr>[];
  calleesOf(fn: FunctionIr): readonly Defined<FunctionIr>[];
  callersOf(fn: FunctionIr): readonly FunctionIr[];
  /** Of the names that a function calls and hands on, those that the module defines somewhere. */
  namesOf(fn: FunctionIr): Scan['names'];
}

/**
 * What is kept of one call graph for the next: which of the names that a function calls and hands
 * on the module has.
 */
export interface CallGraphCache {
  /** The names that the module has. */
  defined: readonly string[];
  own: ReadonlySet<string>;
  names: WeakMap<FunctionIr, Scan['names']>;
}
export function createCallGraphCache(): CallGraphCache {
  return { defined: [], own: new Set(), names: new WeakMap() };
}

/** Of the names that a function calls and hands on, those that the module defines somewhere. */
export function namesOf(
  fn: FunctionIr,
  { names: defined }: Pick<ModuleIndex, 'names'>,
  cache: CallGraphCache,
): Scan['names'] {
  if (cache.defined !== defined) {
    if (!isSameList(cache.defined, defined)) {
      cache.names = new WeakMap();
      cache.own = new Set(defined);
    }
    cache.defined = defined;
  }
  const root = originalOf(fn),
    { own } = cache;
  let names = cache.names.get(root);
  if (!names) {
    const { called, given } = scanOf(root).names;
    cache.names.set(
      root,
      (names = {
        called: called.filter((name) => own.has(name)),
        given: given.filter((name) => own.has(name)),
      }),
    );
  }
  return names;
}

export function callGraph(
  index: ModuleIndex,
  cache: CallGraphCache = createCallGraphCache(),
): CallGraph {
  const nodes = [...index.allFunctions],
    known = new Set(nodes.map((definition) => definition.item));
  const ownNames = (fn: FunctionIr) => namesOf(fn, index, cache);
  const callees = new Map<FunctionIr, readonly Defined<FunctionIr>[]>(),
    callers = new Map<FunctionIr, FunctionIr[]>();
  for (const node of nodes) {
    const names = ownNames(node.item);
    if (names.called.length + names.given.length === 0) continue;
    const called = new Map<FunctionIr, Defined<FunctionIr>>();
    for (const name of names.called)
      for (const target of targetsOf(index, node, name)) called.set(target.item, target);
    for (const name of names.given)
      for (const target of index.functions(node.file, name)) called.set(target.item, target);
    const list = [...called.values()];
    callees.set(node.item, list);
    for (const target of list) {
      const others = callers.get(target.item);
      if (others) others.push(node.item);
      else callers.set(target.item, [node.item]);
      if (!known.has(target.item)) {
        known.add(target.item);
        nodes.push(target);
      }
    }
  }
  return {
    nodes,
    calleesOf: (fn) => callees.get(fn) ?? NONE,
    callersOf: (fn) => callers.get(fn) ?? NONE,
    namesOf: ownNames,
  };
}

const NONE: readonly never[] = [];

/** The definitions that a call by name may mean: functions of the module, else macros of its. */
export function targetsOf(
  index: ModuleIndex,
  from: Defined<FunctionIr>,
  name: string,
): readonly Defined<FunctionIr>[] {
  const defined = index.functions(from.file, name);
  if (defined.length) return defined;
  return index.macroFunctions(from.file, name, startOf(index, from.item));
}

/** The functions from which one of `seeds` can be reached by calls, and the seeds. */
export function reaching(graph: CallGraph, seeds: Iterable<FunctionIr>): ReadonlySet<FunctionIr> {
  const reached = new Set(seeds);
  for (const fn of reached) for (const caller of graph.callersOf(fn)) reached.add(caller);
  return reached;
}

/**
 * The functions that `roots` can reach, in groups that call one another, each group after the
 * groups that it calls.
 */
export function calleesFirst(
  roots: readonly Defined<FunctionIr>[],
  calleesOf: (caller: Defined<FunctionIr>) => readonly Defined<FunctionIr>[],
): Defined<FunctionIr>[][] {
  const groups: Defined<FunctionIr>[][] = [];
  const order = new Map<FunctionIr, number>(),
    low = new Map<FunctionIr, number>(),
    open: Defined<FunctionIr>[] = [],
    isOpen = new Set<FunctionIr>();
  // Tarjan's algorithm with a stack of its own: a chain of calls may be longer than the stack of
  // the machine.
  const stack: {
    readonly definition: Defined<FunctionIr>;
    readonly callees: readonly Defined<FunctionIr>[];
    next: number;
  }[] = [];
  const begin = (definition: Defined<FunctionIr>) => {
    order.set(definition.item, order.size);
    low.set(definition.item, order.get(definition.item)!);
    open.push(definition);
    isOpen.add(definition.item);
    stack.push({ definition, callees: calleesOf(definition), next: 0 });
  };
  const lower = (fn: FunctionIr, to: number) => {
    low.set(fn, Math.min(low.get(fn)!, to));
  };
  for (const root of roots) {
    if (!order.has(root.item)) begin(root);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const callee = top.callees[top.next++];
      if (callee) {
        if (!order.has(callee.item)) begin(callee);
        else if (isOpen.has(callee.item)) lower(top.definition.item, order.get(callee.item)!);
        continue;
      }
      stack.pop();
      const fn = top.definition.item,
        parent = stack.at(-1);
      if (parent) lower(parent.definition.item, low.get(fn)!);
      if (low.get(fn) !== order.get(fn)) continue;
      const group = open.splice(open.findLastIndex((definition) => definition.item === fn));
      for (const definition of group) isOpen.delete(definition.item);
      groups.push(group);
    }
  }
  return groups;
}
