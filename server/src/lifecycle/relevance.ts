import type { CallExpr, Expr, FileIr, FunctionIr } from '../ir/types.ts';
import { mayEndContainer } from '../kernel/containers.ts';
import { behaviourOf, type ExtraFunctions } from '../kernel/lookup.ts';
import type { EffectOp, KernelVersion } from '../kernel/types.ts';
import { formatVersion } from '../kernel/version.ts';
import { askedBy, isShortAnswer } from './answering.ts';
import { reaching, targetsOf, type CallGraph } from './callgraph.ts';
import type { ModuleIndex } from './module.ts';
import { kernelCallers, originalOf, scanOf } from './scan.ts';

/**
 * Why a function is explored path by path. Most functions of a driver are not: they neither touch a
 * life cycle nor lead to one.
 */
export interface Relevance {
  /** It, or something it calls, changes a device's life. */
  affects(fn: FunctionIr): boolean;
  /** It gives back a pointer that callers use as a device: container_of, drvdata, an allocation. */
  yieldsDevice(fn: FunctionIr): boolean;
  /**
   * It tells of a pointer that it is given whether that is an error pointer, itself or by what it
   * calls.
   */
  testsPointer(fn: FunctionIr): boolean;
  /** It is short, and what affects a device asks it: a predicate, a helper that maps a result. */
  answers(fn: FunctionIr): boolean;
  /** Parameters that reach unseen code in a function that is not explored. */
  escaping(fn: FunctionIr): ReadonlySet<number>;
}

/** Memory and drvdata alone change no life cycle; freeing a parameter does. */
const INCIDENTAL: ReadonlySet<EffectOp> = new Set(['allocate', 'free', 'get-drvdata']);

export function relevance(
  index: ModuleIndex,
  graph: CallGraph,
  kernel: KernelVersion,
  cache: RelevanceCache,
): Relevance {
  const containers = containerTags(index, kernel);
  const members = deviceMembers(index, containers);
  const signature = [
    formatVersion(kernel),
    ...containers,
    '',
    ...[...members.tags].sort(),
    '',
    ...[...members.fields].sort(),
  ].join(' ');
  const { wrappers } = index.module;
  if (cache.signature !== signature || cache.wrappers !== wrappers) {
    cache.signature = signature;
    cache.wrappers = wrappers;
    cache.facts = new WeakMap();
  }
  const facts = new Map<FunctionIr, FunctionFacts>(),
    direct: FunctionIr[] = [],
    testing: FunctionIr[] = [];
  for (const d of graph.nodes) {
    const root = originalOf(d.item),
      { called } = graph.namesOf(d.item);
    let f = cache.facts.get(root);
    if (!f || !meanTheSame(f, called, index, d.file)) {
      f = {
        called,
        meanings: called.map((name) => meaningOf(index, d.file, name)),
        ...gather(index, d.file, d.item, kernel, containers, members),
      };
      cache.facts.set(root, f);
    }
    facts.set(d.item, f);
    if (f.direct) direct.push(d.item);
    if (f.tests) testing.push(d.item);
  }
  // Callers of what affects a device affect it too.
  const affecting = reaching(graph, direct);
  const passesOn = reaching(graph, testing);
  const answering = askedFunctions(index, graph, facts, affecting);
  const escapes = escapingParameters(index, graph, facts, affecting);
  const escaping = (fn: FunctionIr): ReadonlySet<number> => escapes.get(fn) ?? NONE;
  // A macro is a part of who uses it, and is always followed.
  return {
    affects: (fn) => affecting.has(fn) || index.fileOf(fn) === undefined,
    yieldsDevice: (fn) => facts.get(fn)?.yields ?? true,
    testsPointer: (fn) => passesOn.has(fn) && (facts.get(fn)?.mayTest ?? false),
    answers: (fn) => answering.has(fn),
    escaping,
  };
}

/** The short functions that those which affect a device ask, and those that these ask in turn. */
function askedFunctions(
  index: ModuleIndex,
  graph: CallGraph,
  facts: ReadonlyMap<FunctionIr, FunctionFacts>,
  affecting: ReadonlySet<FunctionIr>,
): ReadonlySet<FunctionIr> {
  const answering = new Set<FunctionIr>();
  const work = graph.nodes
    .filter(({ item }) => affecting.has(item))
    .map((from) => ({ from, names: askedBy(from.item) }));
  for (let next = work.pop(); next; next = work.pop())
    for (const target of next.names.flatMap((name) => targetsOf(index, next.from, name))) {
      const { item } = target;
      if (affecting.has(item) || answering.has(item) || !facts.get(item)?.answers) continue;
      answering.add(item);
      work.push({ from: target, names: graph.namesOf(item).called });
    }
  return answering;
}

/**
 * What a name is to those who call it: a function, a macro that can be followed, another macro, or
 * nothing of the module's.
 */
type Meaning = 'function' | 'expansion' | 'macro' | 'nothing';

function meaningOf(index: ModuleIndex, file: FileIr, name: string): Meaning {
  return index.functions(file, name).length
    ? 'function'
    : index.macroFunction(file, name)
      ? 'expansion'
      : index.macro(file, name)
        ? 'macro'
        : 'nothing';
}

function meanTheSame(
  f: Kept,
  called: readonly string[],
  index: ModuleIndex,
  file: FileIr,
): boolean {
  return (
    f.called.length === called.length &&
    called.every(
      (name, i) => f.called[i] === name && f.meanings[i] === meaningOf(index, file, name),
    )
  );
}

const NONE: ReadonlySet<number> = new Set();
const NOTHING: readonly never[] = [];

/**
 * By function, the parameters that reach unseen code: given to it, or to a parameter of another
 * function that reaches it.
 */
function escapingParameters(
  index: ModuleIndex,
  graph: CallGraph,
  facts: ReadonlyMap<FunctionIr, FunctionFacts>,
  affecting: ReadonlySet<FunctionIr>,
): ReadonlyMap<FunctionIr, ReadonlySet<number>> {
  const escapes = new Map<FunctionIr, Set<number>>();
  const givers = new Map<FunctionIr, { fn: FunctionIr; param: number; position: number }[]>();
  const work: { fn: FunctionIr; param: number }[] = [];
  const escape = (fn: FunctionIr, param: number) => {
    const own = escapes.get(fn) ?? new Set();
    if (own.has(param)) return;
    escapes.set(fn, own.add(param));
    work.push({ fn, param });
  };
  for (const d of graph.nodes)
    for (const p of facts.get(d.item)?.passed ?? NOTHING) {
      if (p.to === null) {
        escape(d.item, p.param);
        continue;
      }
      for (const t of targetsOf(index, d, p.to)) {
        if (affecting.has(t.item)) {
          escape(d.item, p.param);
          continue;
        }
        // Most hand on nothing of what they are given.
        if (!facts.get(t.item)?.passing.has(p.position)) continue;
        const list = givers.get(t.item),
          giver = { fn: d.item, param: p.param, position: p.position };
        if (list) list.push(giver);
        else givers.set(t.item, [giver]);
      }
    }
  for (let w = work.pop(); w; w = work.pop())
    for (const g of givers.get(w.fn) ?? []) if (g.position === w.param) escape(g.fn, g.param);
  return escapes;
}

/**
 * What is kept between two versions of a module: facts of functions that did not change, for as
 * long as the names that they call mean what they did.
 */
export interface RelevanceCache {
  signature: string;
  wrappers: ExtraFunctions | undefined;
  facts: WeakMap<FunctionIr, Kept>;
}
export function createRelevanceCache(): RelevanceCache {
  return { signature: '', wrappers: undefined, facts: new WeakMap() };
}

/** The facts, and what the names that the function calls meant then. */
interface Kept extends FunctionFacts {
  readonly called: readonly string[];
  readonly meanings: readonly Meaning[];
}

/** With names of callees rather than definitions: an edit moves definitions. */
interface FunctionFacts {
  readonly direct: boolean;
  readonly yields: boolean;
  /** It asks of a parameter whether it is an error pointer. */
  readonly tests: boolean;
  /** It is given a pointer that may be a device and gives an answer. */
  readonly mayTest: boolean;
  /** It is short and calls nothing unseen. */
  readonly answers: boolean;
  readonly passed: readonly {
    readonly param: number;
    readonly to: string | null;
    readonly position: number;
  }[];
  /** The parameters in `passed`. */
  readonly passing: ReadonlySet<number>;
}

const CONTAINERS = new Set(['container_of', 'container_of_const', 'list_entry']);
const ERROR_TESTS = new Set([
  'IS_ERR',
  'IS_ERR_OR_NULL',
  'IS_ERR_VALUE',
  'PTR_ERR',
  'PTR_ERR_OR_ZERO',
]);

function gather(
  index: ModuleIndex,
  file: FileIr,
  fn: FunctionIr,
  kernel: KernelVersion,
  containers: ReadonlySet<string>,
  members: DeviceMembers,
): FunctionFacts {
  const origins = parameterAliases(index, file, fn, kernel);
  const passed: { param: number; to: string | null; position: number }[] = [];
  const types = declaredTags(fn);
  const mayBeDevice = (tag: string | undefined) =>
    tag === undefined || tag === 'void' || containers.has(tag);
  const returnsDevice = fn.returnType.pointers > 0 && mayBeDevice(fn.returnType.name);
  const mayTest =
    (fn.returnType.name !== 'void' || fn.returnType.pointers > 0) &&
    fn.params.some((p) => p.type.pointers > 0 && mayBeDevice(p.type.name));
  let direct = false,
    yields = false,
    tests = false,
    answers = isShortAnswer(fn);
  const scan = scanOf(fn);
  if (scan.unknown.some((n) => isLifecycleName(n, kernel, index.module.wrappers))) direct = true;
  for (const e of scan.calls) {
    const name = e.name;
    if (name !== null && CONTAINERS.has(name)) {
      yields ||= returnsDevice;
      continue;
    }
    if (name !== null && ERROR_TESTS.has(name)) {
      const a = e.args[0];
      tests ||= mayTest && a !== undefined && originOf(a, origins) !== null;
      continue;
    }
    if (name !== null && (index.functions(file, name).length || index.macroFunction(file, name))) {
      notePassed(e, origins, (param, position) => passed.push({ param, to: name, position }));
      continue;
    }
    const b = name === null ? undefined : behaviourOf(name, kernel, index.module.wrappers);
    const isOther = (a: Expr) =>
      (name === null || !mayEndContainer(name)) && isOtherMember(a, types, members);
    if (b === undefined)
      notePassed(e, origins, (param, position) => {
        if (!isOther(e.args[position]!)) passed.push({ param, to: null, position });
      });
    if (b === undefined) answers = false;
    if (b === undefined || b === 'neutral') continue;
    for (const x of b.success) {
      if (!INCIDENTAL.has(x.op)) direct = true;
      if (x.op === 'free') {
        const a = e.args[x.target];
        if (a && originOf(a, origins) !== null && mayBeDevice(types.get(rootName(a) ?? '')))
          direct = true;
      }
      if (x.op === 'allocate' || x.op === 'alloc' || x.op === 'get-drvdata')
        yields ||= returnsDevice;
    }
  }
  const passing = new Set(passed.map((p) => p.param));
  return { direct, yields, tests, mayTest, answers, passed, passing };
}

/** A kernel function that changes a device's life, and not memory or drvdata alone. */
export function isLifecycleName(
  name: string,
  kernel: KernelVersion,
  wrappers: ExtraFunctions | undefined,
): boolean {
  const b = behaviourOf(name, kernel, wrappers);
  return b !== undefined && b !== 'neutral' && b.success.some((x) => !INCIDENTAL.has(x.op));
}

function notePassed(
  e: CallExpr,
  origins: ReadonlyMap<string, number>,
  note: (param: number, position: number) => void,
): void {
  e.args.forEach((a, position) => {
    const param = originOf(a, origins);
    if (param !== null) note(param, position);
  });
}

/** Locals that hold a parameter, or the container of one, whatever the path. */
function parameterAliases(
  index: ModuleIndex,
  file: FileIr,
  fn: FunctionIr,
  kernel: KernelVersion,
): ReadonlyMap<string, number> {
  const origins = new Map(fn.params.map((p, i) => [p.name, i] as const));
  const note = (name: string, value: Expr) => {
    const o = derivedFrom(index, file, value, origins, kernel);
    if (o !== null && !origins.has(name)) origins.set(name, o);
  };
  for (const d of scanOf(fn).decls) if (d.init) note(d.name, d.init);
  for (const a of scanOf(fn).assigns) if (a.target.kind === 'name') note(a.target.name, a.value);
  return origins;
}

function derivedFrom(
  index: ModuleIndex,
  file: FileIr,
  e: Expr,
  origins: ReadonlyMap<string, number>,
  kernel: KernelVersion,
): number | null {
  if (e.kind === 'call' && e.name !== null && e.args[0]) {
    const sameObject =
      CONTAINERS.has(e.name) ||
      behaviourOf(e.name, kernel, index.module.wrappers) !== undefined ||
      index.functions(file, e.name).length > 0 ||
      index.macro(file, e.name) !== null;
    return sameObject
      ? (originOf(e.args[0], origins) ?? derivedFrom(index, file, e.args[0], origins, kernel))
      : null;
  }
  return originOf(e, origins);
}

/**
 * The parameter that an expression points to, or to whose embedded member: `p`, `&p->vdev`, casts
 * of them.
 */
function originOf(e: Expr, origins: ReadonlyMap<string, number>): number | null {
  if (e.kind === 'name') return origins.get(e.name) ?? null;
  if (e.kind === 'cast') return originOf(e.operand, origins);
  if (e.kind === 'unary' && e.op === '&') {
    let base = e.operand;
    for (let arrows = 0; base.kind === 'member'; base = base.base)
      if (base.arrow && ++arrows > 1) return null;
    return base.kind === 'name' ? (origins.get(base.name) ?? null) : null;
  }
  return null;
}

/**
 * Structs that hold a vfio_device: by their definition, by vfio_alloc_device, or because a member
 * of one was given to a life-cycle function.
 */
function containerTags(index: ModuleIndex, kernel: KernelVersion): ReadonlySet<string> {
  const tags = new Set(['vfio_device', 'vfio_pci_core_device', 'vfio_platform_device']);
  for (const { item, list } of kernelCallers(index, kernel)) {
    for (const { call: e, name, effects } of list) {
      if (name === 'vfio_alloc_device' && e.args[0]?.kind === 'name') tags.add(e.args[0].name);
      for (const x of effects) {
        if (
          INCIDENTAL.has(x.op) ||
          !('target' in x) ||
          x.target === 'return' ||
          x.through !== undefined ||
          x.op === 'set-drvdata'
        )
          continue;
        const a = e.args[x.target],
          tag = a ? declaredTags(item).get(rootName(a) ?? '') : undefined;
        if (tag !== undefined) tags.add(tag);
      }
    }
  }
  const holders = new Map<string, string[]>();
  for (const { name, fields } of [...index.module.sources, ...index.module.headers].flatMap(
    (file) => file.structs,
  )) {
    for (const { type } of fields) {
      if (type.pointers > 0) continue;
      const names = holders.get(type.name);
      if (names) names.push(name);
      else holders.set(type.name, [name]);
    }
  }
  // What holds such a struct is one too. A set hands out what is added to it while it is walked.
  for (const tag of tags) for (const holder of holders.get(tag) ?? []) tags.add(holder);
  return tags;
}

/**
 * What leads from a container to its device: the containers that the module defines, and the
 * members of any struct that are, or embed, a device.
 */
interface DeviceMembers {
  readonly tags: ReadonlySet<string>;
  readonly fields: ReadonlySet<string>;
}

function deviceMembers(index: ModuleIndex, containers: ReadonlySet<string>): DeviceMembers {
  const structs = [...index.module.sources, ...index.module.headers].flatMap((f) => f.structs);
  return {
    tags: new Set(structs.filter((x) => x.complete && containers.has(x.name)).map((x) => x.name)),
    fields: new Set(
      structs.flatMap((x) =>
        x.fields
          .filter((f) => f.type.pointers === 0 && containers.has(f.type.name))
          .map((f) => f.name),
      ),
    ),
  };
}

/**
 * `&p->nb` where p is a container and nb is no device: who is given that does not have the device
 * in its hands.
 */
function isOtherMember(
  e: Expr,
  types: ReadonlyMap<string, string>,
  { tags, fields }: DeviceMembers,
): boolean {
  if (e.kind !== 'unary' || e.op !== '&') return false;
  let base = e.operand;
  while (base.kind === 'member' && !base.arrow) base = base.base;
  return (
    base.kind === 'member' &&
    base.base.kind === 'name' &&
    tags.has(types.get(base.base.name) ?? '') &&
    !fields.has(base.field)
  );
}

const declared = new WeakMap<FunctionIr, ReadonlyMap<string, string>>();

/** The tags of the types of parameters and local variables, by name. */
function declaredTags(fn: FunctionIr): ReadonlyMap<string, string> {
  const root = originalOf(fn);
  let tags = declared.get(root);
  if (!tags)
    declared.set(
      root,
      (tags = new Map([
        ...root.params.map((p) => [p.name, p.type.name] as const),
        ...scanOf(root).decls.map((d) => [d.name, d.type.name] as const),
      ])),
    );
  return tags;
}

/** The variable at the bottom of `p`, `&p->a.b`, `(T *)p`. */
function rootName(e: Expr): string | null {
  if (e.kind === 'name') return e.name;
  if (e.kind === 'cast' || e.kind === 'unary') return rootName(e.operand);
  return e.kind === 'member' ? rootName(e.base) : null;
}
