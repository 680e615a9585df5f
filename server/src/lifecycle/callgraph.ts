import type { FunctionIr } from '../ir/types.ts';
import type { Defined, ModuleIndex } from './module.ts';
import { originalOf, scanOf, type Scan } from './scan.ts';

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
  signature: string;
  names: WeakMap<FunctionIr, Scan['names']>;
}
export function createCallGraphCache(): CallGraphCache {
  return { signature: '', names: new WeakMap() };
}

export function callGraph(
  index: ModuleIndex,
  cache: CallGraphCache = createCallGraphCache(),
): CallGraph {
  const nodes = [...index.allFunctions],
    known = new Set(nodes.map((d) => d.item));
  const own = new Set(index.names),
    signature = index.names.join(' ');
  if (cache.signature !== signature) {
    cache.signature = signature;
    cache.names = new WeakMap();
  }
  const namesOf = (fn: FunctionIr): Scan['names'] => {
    const root = originalOf(fn);
    let names = cache.names.get(root);
    if (!names) {
      const { called, given } = scanOf(root).names;
      cache.names.set(
        root,
        (names = {
          called: called.filter((n) => own.has(n)),
          given: given.filter((n) => own.has(n)),
        }),
      );
    }
    return names;
  };
  const callees = new Map<FunctionIr, readonly Defined<FunctionIr>[]>(),
    callers = new Map<FunctionIr, FunctionIr[]>();
  for (const d of nodes) {
    const names = namesOf(d.item);
    if (names.called.length + names.given.length === 0) continue;
    const called = new Map<FunctionIr, Defined<FunctionIr>>();
    for (const name of names.called)
      for (const t of targetsOf(index, d, name)) called.set(t.item, t);
    for (const name of names.given)
      for (const t of index.functions(d.file, name)) called.set(t.item, t);
    const list = [...called.values()];
    callees.set(d.item, list);
    for (const t of list) {
      const others = callers.get(t.item);
      if (others) others.push(d.item);
      else callers.set(t.item, [d.item]);
      if (!known.has(t.item)) {
        known.add(t.item);
        nodes.push(t);
      }
    }
  }
  return {
    nodes,
    calleesOf: (fn) => callees.get(fn) ?? NONE,
    callersOf: (fn) => callers.get(fn) ?? NONE,
    namesOf,
  };
}

const NONE: readonly never[] = [];

/** The definitions that a call by name may mean: functions of the module, else a macro of its. */
export function targetsOf(
  index: ModuleIndex,
  from: Defined<FunctionIr>,
  name: string,
): readonly Defined<FunctionIr>[] {
  const defined = index.functions(from.file, name);
  if (defined.length) return defined;
  const macro = index.macroFunction(from.file, name);
  return macro ? [macro] : NONE;
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
  graph: CallGraph,
  roots: readonly Defined<FunctionIr>[],
): Defined<FunctionIr>[][] {
  const groups: Defined<FunctionIr>[][] = [];
  const order = new Map<FunctionIr, number>(),
    low = new Map<FunctionIr, number>(),
    open: Defined<FunctionIr>[] = [],
    isOpen = new Set<FunctionIr>();
  // Tarjan's algorithm with a stack of its own: a chain of calls may be longer than the stack of
  // the machine.
  const stack: { d: Defined<FunctionIr>; next: number }[] = [];
  const begin = (d: Defined<FunctionIr>) => {
    order.set(d.item, order.size);
    low.set(d.item, order.get(d.item)!);
    open.push(d);
    isOpen.add(d.item);
    stack.push({ d, next: 0 });
  };
  const lower = (fn: FunctionIr, to: number) => {
    low.set(fn, Math.min(low.get(fn)!, to));
  };
  for (const root of roots) {
    if (!order.has(root.item)) begin(root);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const callee = graph.calleesOf(top.d.item)[top.next++];
      if (callee) {
        if (!order.has(callee.item)) begin(callee);
        else if (isOpen.has(callee.item)) lower(top.d.item, order.get(callee.item)!);
        continue;
      }
      stack.pop();
      const fn = top.d.item,
        parent = stack.at(-1);
      if (parent) lower(parent.d.item, low.get(fn)!);
      if (low.get(fn) !== order.get(fn)) continue;
      const group = open.splice(open.findLastIndex((d) => d.item === fn));
      for (const d of group) isOpen.delete(d.item);
      groups.push(group);
    }
  }
  return groups;
}
