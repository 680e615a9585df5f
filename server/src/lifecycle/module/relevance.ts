/** Which functions can reach a device, and so are worth an exploration. */
import { originalOf } from '../../ir/lower.ts';
import { leadsOut } from '../../kernel/casts.ts';
import { asksForError } from '../../kernel/macros.ts';
import type { CallExpr, Expr, FileIr, FunctionIr } from '../../ir/types.ts';
import { mayEndContainer } from '../../kernel/containers.ts';
import { behaviourOf, type ExtraFunctions } from '../../kernel/lookup.ts';
import type { EffectOp, KernelVersion } from '../../kernel/types.ts';
import { formatVersion } from '../../kernel/version.ts';
import { askedBy, isShortAnswer } from '../interpret/answering.ts';
import { reaching, targetsOf, type CallGraph } from './call-graph.ts';
import type { Defined, ModuleIndex } from './module.ts';
import { isSameList, isSameSet } from '../../text/lists.ts';
import type { Outline } from './outline.ts';
import { actingIn, scanOf, type Acting, type KernelCalls } from './function-scan.ts';

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

/** What relevance is made of, by functions or by what stands for them. */
export interface RelevantFunctions<K> {
  readonly affecting: ReadonlySet<K>;
  readonly yielding: ReadonlySet<K>;
  readonly testing: ReadonlySet<K>;
  readonly answering: ReadonlySet<K>;
  readonly escapes: ReadonlyMap<K, ReadonlySet<number>>;
}

export function relevantFunctions(
  index: ModuleIndex,
  graph: CallGraph,
  kernel: KernelVersion,
  cache: RelevanceCache,
): RelevantFunctions<FunctionIr> {
  const { containers, members } = structsOf(index, kernel, cache);
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
    asking: FunctionIr[] = [];
  for (const node of graph.nodes) {
    const file = factsOf(index, node, graph.namesOf(node.item).called, kernel, cache);
    facts.set(node.item, file);
    if (file.direct) direct.push(node.item);
    if (file.tests) asking.push(node.item);
  }
  // Callers of what affects a device affect it too.
  const affecting = reaching(graph, direct);
  const passesOn = reaching(graph, asking);
  const those = (holds: (fn: FunctionIr, one: FunctionFacts) => boolean) =>
    new Set([...facts].filter(([fn, one]) => holds(fn, one)).map(([fn]) => fn));
  return {
    affecting,
    yielding: those((_, { yields }) => yields),
    testing: those((fn, { mayTest }) => mayTest && passesOn.has(fn)),
    answering: askedFunctions(index, graph, facts, affecting),
    escapes: escapingParameters(index, graph, facts, affecting),
  };
}

/** Relevance as it was worked out, asked by `keyOf` a function. */
export function relevanceOf<K>(
  { affecting, yielding, testing, answering, escapes }: RelevantFunctions<K>,
  keyOf: (fn: FunctionIr) => K,
  index: Pick<ModuleIndex, 'fileOf'>,
): Relevance {
  return {
    // A macro is a part of who uses it, and is always followed.
    affects: (fn) => affecting.has(keyOf(fn)) || index.fileOf(fn) === undefined,
    yieldsDevice: (fn) => yielding.has(keyOf(fn)),
    testsPointer: (fn) => testing.has(keyOf(fn)),
    answers: (fn) => answering.has(keyOf(fn)),
    escaping: (fn) => escapes.get(keyOf(fn)) ?? NONE,
  };
}

function factsOf(
  index: ModuleIndex,
  { file, item }: Defined<FunctionIr>,
  called: readonly string[],
  kernel: KernelVersion,
  { facts, structs }: RelevanceCache,
): Kept {
  const root = originalOf(item);
  let kept = facts.get(root);
  const isLookedUp = kept?.called === called && structs.lookedUp.has(kept);
  if (!kept || !(isLookedUp || meanTheSame(kept, called, index, file))) {
    kept = {
      called,
      meanings: called.map((name) => meaningOf(index, file, name)),
      ...gather(index, file, item, kernel, structs.containers, structs.members),
    };
    facts.set(root, kept);
  }
  structs.lookedUp.add(kept);
  return kept;
}

/**
 * Whether a function whose body has changed, in a module with the same outline, is to all others
 * what it was: nobody's relevance has changed then. It calls the same functions, which are `called`,
 * and so still affects a device where it did.
 */
export function isAsRelevant(
  index: ModuleIndex,
  definition: Defined<FunctionIr>,
  before: FunctionIr,
  called: readonly string[],
  kernel: KernelVersion,
  { affecting, cache }: { readonly affecting: boolean; readonly cache: RelevanceCache },
): boolean {
  const last = cache.facts.get(before);
  if (!last) return false;
  const now = factsOf(index, definition, called, kernel, cache);
  const asks = (fn: FunctionIr) => askedBy(fn).filter((name) => called.includes(name));
  const passed = (facts: FunctionFacts) =>
    new Set(facts.passed.map(({ param, to, position }) => `${param} ${to} ${position}`));
  return (
    now.direct === last.direct &&
    now.yields === last.yields &&
    now.tests === last.tests &&
    now.mayTest === last.mayTest &&
    (called.length === 0 || isSameList(asks(definition.item), asks(before))) &&
    // What affects a device is explored, whatever it answers and hands on.
    (affecting || (now.answers === last.answers && isSameSet(passed(now), passed(last))))
  );
}

/**
 * Whether the structs that hold devices are those of the last version. With the same outline they
 * have the same definitions.
 */
export function haveSameContainers(
  index: ModuleIndex,
  kernel: KernelVersion,
  cache: RelevanceCache,
): boolean {
  const last = cache.structs,
    now = structsOf(index, kernel, cache);
  return (
    now === last ||
    (isSameSet(now.containers, last.containers) &&
      isSameSet(now.members.tags, last.members.tags) &&
      isSameSet(now.members.fields, last.members.fields))
  );
}

/** The structs that hold devices: those of the last version where nothing else says so. */
function structsOf(index: ModuleIndex, kernel: KernelVersion, cache: RelevanceCache): Structs {
  const { structs } = cache,
    { outline } = index,
    seeds = seedTags(index, kernel);
  if (structs.outline !== outline || !isSameSet(structs.seeds, seeds)) {
    const containers = containerTags(index, seeds);
    const members = deviceMembers(index, containers);
    cache.structs = { outline, lookedUp: new WeakSet(), seeds, containers, members };
  }
  return cache.structs;
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
  if (index.functions(file, name).length > 0) return 'function';
  if (isFollowedMacro(index, file, name)) return 'expansion';
  return index.macro(file, name) ? 'macro' : 'nothing';
}

function isFollowedMacro(index: ModuleIndex, file: FileIr, name: string): boolean {
  return index.macroFunctions(file, name, Infinity).length > 0;
}

function meanTheSame(
  kept: Kept,
  called: readonly string[],
  index: ModuleIndex,
  file: FileIr,
): boolean {
  return (
    kept.called.length === called.length &&
    called.every(
      (name, i) => kept.called[i] === name && kept.meanings[i] === meaningOf(index, file, name),
    )
  );
}

const NONE: ReadonlySet<number> = new Set();
const NOTHING: readonly never[] = [];

/**
 * By function, the parameters that reach unseen code: given to it, or to a parameter of another
 * function that reaches it. What affects a device is explored, and nobody asks for those of it.
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
  for (const node of graph.nodes) {
    // What calls it affects a device too, so that none of the others leads there.
    if (affecting.has(node.item)) continue;
    for (const passed of facts.get(node.item)?.passed ?? NOTHING) {
      if (passed.to === null) {
        escape(node.item, passed.param);
        continue;
      }
      for (const target of targetsOf(index, node, passed.to)) {
        // Most hand on nothing of what they are given.
        if (!facts.get(target.item)?.passing.has(passed.position)) continue;
        const list = givers.get(target.item),
          giver = { fn: node.item, param: passed.param, position: passed.position };
        if (list) list.push(giver);
        else givers.set(target.item, [giver]);
      }
    }
  }
  for (let escaping = work.pop(); escaping; escaping = work.pop())
    for (const giver of givers.get(escaping.fn) ?? [])
      if (giver.position === escaping.param) escape(giver.fn, giver.param);
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
  structs: Structs;
}

/** The structs that hold devices, and what says so of them in a version of a module. */
interface Structs {
  readonly outline: Outline | null;
  /**
   * The facts whose names were looked up in a version with this outline: they mean the same in all
   * of these. Facts that held their outline would hold all that is kept by it.
   */
  readonly lookedUp: WeakSet<Kept>;
  readonly seeds: ReadonlySet<string>;
  readonly containers: ReadonlySet<string>;
  readonly members: DeviceMembers;
}

export function createRelevanceCache(): RelevanceCache {
  const none: ReadonlySet<string> = new Set();
  return {
    signature: '',
    wrappers: undefined,
    facts: new WeakMap(),
    structs: {
      outline: null,
      lookedUp: new WeakSet(),
      seeds: none,
      containers: none,
      members: { tags: none, fields: none },
    },
  };
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
    fn.params.some((param) => param.type.pointers > 0 && mayBeDevice(param.type.name));
  let direct = false,
    yields = false,
    tests = false,
    answers = isShortAnswer(fn);
  const scan = scanOf(fn);
  if (scan.unknown.some((name) => isLifecycleName(name, kernel, index.module.wrappers)))
    direct = true;
  // What a macro does with its arguments that was not understood.
  if (fn.macro && scan.unknown.length > 0)
    fn.params.forEach(({ name }, i) => {
      if (scan.unknown.includes(name)) passed.push({ param: i, to: null, position: i });
    });
  for (const call of scan.calls) {
    const name = call.name;
    if (name !== null && leadsOut(name)) {
      yields ||= returnsDevice;
      continue;
    }
    if (name !== null && asksForError(name)) {
      const expr = call.args[0];
      tests ||= mayTest && expr !== undefined && originOf(expr, origins) !== null;
      continue;
    }
    if (
      name !== null &&
      (index.functions(file, name).length || isFollowedMacro(index, file, name))
    ) {
      notePassed(call, origins, (param, position) => passed.push({ param, to: name, position }));
      continue;
    }
    const behaviour = name === null ? undefined : behaviourOf(name, kernel, index.module.wrappers);
    const isOther = (expr: Expr) =>
      (name === null || !mayEndContainer(name)) && isOtherMember(expr, types, members);
    if (behaviour === undefined)
      notePassed(call, origins, (param, position) => {
        if (!isOther(call.args[position]!)) passed.push({ param, to: null, position });
      });
    if (behaviour === undefined) answers = false;
    if (behaviour === undefined || behaviour === 'neutral') continue;
    for (const effect of behaviour.success) {
      if (!INCIDENTAL.has(effect.op)) direct = true;
      if (effect.op === 'free') {
        const expr = call.args[effect.target];
        if (
          expr &&
          originOf(expr, origins) !== null &&
          mayBeDevice(types.get(rootName(expr) ?? ''))
        )
          direct = true;
      }
      if (effect.op === 'allocate' || effect.op === 'alloc' || effect.op === 'get-drvdata')
        yields ||= returnsDevice;
    }
  }
  const passing = new Set(passed.map((one) => one.param));
  return { direct, yields, tests, mayTest, answers, passed, passing };
}

/** A kernel function that changes a device's life, and not memory or drvdata alone. */
export function isLifecycleName(
  name: string,
  kernel: KernelVersion,
  wrappers: ExtraFunctions | undefined,
): boolean {
  const behaviour = behaviourOf(name, kernel, wrappers);
  return (
    behaviour !== undefined &&
    behaviour !== 'neutral' &&
    behaviour.success.some((effect) => !INCIDENTAL.has(effect.op))
  );
}

function notePassed(
  call: CallExpr,
  origins: ReadonlyMap<string, number>,
  note: (param: number, position: number) => void,
): void {
  call.args.forEach((expr, position) => {
    const param = originOf(expr, origins);
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
  const origins = new Map(fn.params.map((param, i) => [param.name, i] as const));
  const note = (name: string, value: Expr) => {
    const origin = derivedFrom(index, file, value, origins, kernel);
    if (origin !== null && !origins.has(name)) origins.set(name, origin);
  };
  for (const decl of scanOf(fn).decls) if (decl.init) note(decl.name, decl.init);
  for (const assign of scanOf(fn).assigns)
    if (assign.target.kind === 'name') note(assign.target.name, assign.value);
  return origins;
}

function derivedFrom(
  index: ModuleIndex,
  file: FileIr,
  expr: Expr,
  origins: ReadonlyMap<string, number>,
  kernel: KernelVersion,
): number | null {
  if (expr.kind === 'call' && expr.name !== null && expr.args[0]) {
    const sameObject =
      leadsOut(expr.name) ||
      behaviourOf(expr.name, kernel, index.module.wrappers) !== undefined ||
      index.functions(file, expr.name).length > 0 ||
      index.macro(file, expr.name) !== null;
    return sameObject
      ? (originOf(expr.args[0], origins) ?? derivedFrom(index, file, expr.args[0], origins, kernel))
      : null;
  }
  return originOf(expr, origins);
}

/**
 * The parameter that an expression points to, or to whose embedded member: `p`, `&p->vdev`, casts
 * of them.
 */
function originOf(expr: Expr, origins: ReadonlyMap<string, number>): number | null {
  if (expr.kind === 'name') return origins.get(expr.name) ?? null;
  if (expr.kind === 'cast') return originOf(expr.operand, origins);
  if (expr.kind === 'unary' && expr.op === '&') {
    let base = expr.operand;
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
function containerTags(index: ModuleIndex, seeds: ReadonlySet<string>): ReadonlySet<string> {
  const tags = new Set(seeds);
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

/** Those of them that code says to be. */
function seedTags(index: ModuleIndex, kernel: KernelVersion): ReadonlySet<string> {
  const acting = actingIn(index, kernel);
  let tags = seedsOf.get(acting);
  if (!tags) {
    const said = acting.calls.flatMap((calls, i) =>
      tagsSaidBy(index.roots[acting.positions[i]!]!, calls),
    );
    tags = new Set(['vfio_device', 'vfio_pci_core_device', 'vfio_platform_device', ...said]);
    seedsOf.set(acting, tags);
  }
  return tags;
}

const seedsOf = new WeakMap<Acting, ReadonlySet<string>>();

const saidTags = new WeakMap<KernelCalls, readonly string[]>();

/** Those that one function says to be, by its calls, which are kept with it. */
function tagsSaidBy(fn: FunctionIr, calls: KernelCalls): readonly string[] {
  let tags = saidTags.get(calls);
  if (!tags) saidTags.set(calls, (tags = findTagsSaid(fn, calls)));
  return tags;
}

function findTagsSaid(fn: FunctionIr, { list }: KernelCalls): readonly string[] {
  const tags = new Set<string>();
  for (const { call: called, name, effects } of list) {
    if (name === 'vfio_alloc_device' && called.args[0]?.kind === 'name')
      tags.add(called.args[0].name);
    for (const effect of effects) {
      if (
        INCIDENTAL.has(effect.op) ||
        !('target' in effect) ||
        effect.target === 'return' ||
        effect.through !== undefined ||
        effect.op === 'set-drvdata'
      )
        continue;
      const expr = called.args[effect.target],
        tag = expr ? declaredTags(fn).get(rootName(expr) ?? '') : undefined;
      if (tag !== undefined) tags.add(tag);
    }
  }
  return [...tags];
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
  const structs = [...index.module.sources, ...index.module.headers].flatMap(
    (file) => file.structs,
  );
  return {
    tags: new Set(
      structs
        .filter((struct) => struct.complete && containers.has(struct.name))
        .map((struct) => struct.name),
    ),
    fields: new Set(
      structs.flatMap((struct) =>
        struct.fields
          .filter((field) => field.type.pointers === 0 && containers.has(field.type.name))
          .map((field) => field.name),
      ),
    ),
  };
}

/**
 * `&p->nb` where p is a container and nb is no device: who is given that does not have the device
 * in its hands.
 */
function isOtherMember(
  expr: Expr,
  types: ReadonlyMap<string, string>,
  { tags, fields }: DeviceMembers,
): boolean {
  if (expr.kind !== 'unary' || expr.op !== '&') return false;
  let base = expr.operand;
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
        ...root.params.map((param) => [param.name, param.type.name] as const),
        ...scanOf(root).decls.map((decl) => [decl.name, decl.type.name] as const),
      ])),
    );
  return tags;
}

/** The variable at the bottom of `p`, `&p->a.b`, `(T *)p`. */
function rootName(expr: Expr): string | null {
  if (expr.kind === 'name') return expr.name;
  if (expr.kind === 'cast' || expr.kind === 'unary') return rootName(expr.operand);
  return expr.kind === 'member' ? rootName(expr.base) : null;
}
