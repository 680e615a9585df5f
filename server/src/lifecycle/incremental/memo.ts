/** What was found out of functions before, kept for the next analysis of a changed text. */
import { buildCfg, canEnd, type Cfg } from '../../flow/cfg.ts';
import { liveVariables } from '../../flow/liveness.ts';
import { readMacroText } from '../../ir/barrier.ts';
import { expandMacros } from '../../ir/expand.ts';
import type { FunctionIr, TypeName } from '../../ir/types.ts';
import type { Analysis } from '../analysis.ts';
import { resolver } from '../interpret/apply-summary.ts';
import { decidingMembers, testedMembers } from '../module/deciding-members.ts';
import {
  LEAVING,
  doubtOwnState,
  observeExits,
  type seedRemove,
} from '../interpret/observe-exits.ts';
import { explore, type Exit } from '../interpret/explore.ts';
import type { Signature } from './identity.ts';
import { createRecent, type Recent } from './recent.ts';
import { framed, type Frame, type Framed, type Kept } from './stable-spans.ts';
import type { Defined } from '../module/module.ts';
import { loseCertainty } from '../interpret/device-operations.ts';
import {
  besidesSurvey,
  recorded,
  isUpToDate,
  type Answers,
  type Asked,
  type OwnFile,
  type Questions,
} from './dependencies.ts';
import { blameHelper, helperResources } from '../interpret/helper-resources.ts';
import {
  emptyLog,
  type HelperResources,
  type ResourceFindings,
  type ResourceLog,
} from '../interpret/resource-log.ts';
import type { ObjectInfo, Run } from '../interpret/run.ts';
import { scanOf } from '../module/function-scan.ts';
import {
  createInterner,
  parameter,
  type AbstractObject,
  type Interner,
} from '../domain/objects.ts';
import { emptyState, type PathState } from '../domain/path-state.ts';
import { POSITIVE } from '../domain/values.ts';
import { sameSummary, summarise, type Summary } from '../interpret/summary.ts';
import type { Observation, Role } from '../types.ts';
import { isLog, soundsLikeCrash } from '../../kernel/heuristics.ts';
import { isNoReturn, memberReadBy } from '../../kernel/lookup.ts';
import { inStepsWithin, type Budgeted, type Steps } from '../../budget/work.ts';

/** What an exploration of a function brought, in the addresses of frames. */
export interface Explored {
  /** Why it was given up; what follows is then empty. */
  readonly reason: string | null;
  readonly isInternal?: boolean;
  readonly objects: ReadonlyMap<string, ObjectInfo>;
  /** Null where nobody begins where this ends. */
  readonly exits: readonly Exit[] | null;
  readonly summary: Summary;
  readonly observations: Framed<readonly Observation[]>;
  readonly resources: Framed<ResourceFindings> | null;
}

/**
 * How a function is entered. Explorations of one function with the same key begin with the same
 * states.
 */
export interface Entry {
  readonly key: unknown;
  /**
   * What an earlier exploration knows of objects, and what is known of those that the states speak
   * of.
   */
  readonly before: ReadonlyMap<string, ObjectInfo> | undefined;
  readonly objects: ReadonlyMap<string, ObjectInfo> | undefined;
  states(frame: Frame): readonly PathState[];
}

/** The result of an exploration with all that it depends on: how it began, and what it asked. */
interface Memo<T> {
  /** The addresses that the result speaks of. */
  readonly frame: Frame;
  readonly role: Role;
  readonly key: unknown;
  readonly before: unknown;
  readonly ends: boolean;
  readonly answers: boolean;
  readonly follows: boolean;
  readonly leaves: boolean;
  readonly asked: readonly Asked[];
  /** Those that are still to be asked in a version whose survey has the same answers. */
  readonly open: readonly Asked[];
  surveyAnswers: object;
  readonly result: Attempt<T>;
  lastUse: number;
}

/** What is kept of a module between two of its versions, for one target kernel. */
export interface Store {
  readonly explored: WeakMap<FunctionIr, Memo<Explored>[]>;
  readonly helpers: WeakMap<FunctionIr, Memo<HelperResources | null>[]>;
  /** The summaries of the last version, by nameOf(). */
  summaries: ReadonlyMap<string, Summary>;
  /** Of functions that the last versions have lost. */
  readonly gone: Recent<Summary>;
  readonly graphs: WeakMap<Frame, Graph>;
  /** Summaries of functions that are not explored. */
  readonly harmless: WeakMap<Signature, { readonly key: string; readonly summary: Summary }>;
  /** What was last found of the resources of those, and what was last told to be equal to it. */
  readonly lastHelpers: WeakMap<
    Signature,
    { readonly settled: HelperResources; readonly equal: HelperResources }
  >;
  /** By the ends of a first function: the beginnings of a second. */
  readonly seeds: WeakMap<
    readonly Exit[],
    {
      readonly root: FunctionIr;
      readonly objects: unknown;
      readonly hasDeferredPut: boolean;
      readonly value: ReturnType<typeof seedRemove>;
    }[]
  >;
  /** The functions whose bodies this version has read, as they were lowered. */
  looked: Set<FunctionIr>;
  /** Whether an exploration of this version asks for more of its document than its definitions. */
  hasReadText: boolean;
  /** Numbers of signatures, for lists of them. */
  readonly ids: WeakMap<Signature, number>;
  nextId: number;
  /** The number of the analysis. */
  now: number;
}

/** To be called before the functions of another version are explored. */
export function beginVersion(store: Store): void {
  store.now++;
  store.looked = new Set();
  store.hasReadText = false;
}

export function createStore(): Store {
  return {
    explored: new WeakMap(),
    helpers: new WeakMap(),
    summaries: new Map(),
    gone: createRecent(),
    graphs: new WeakMap(),
    harmless: new WeakMap(),
    lastHelpers: new WeakMap(),
    seeds: new WeakMap(),
    looked: new Set(),
    hasReadText: false,
    ids: new WeakMap(),
    nextId: 0,
    now: 0,
  };
}

/**
 * What the last version has used of what is kept of its functions, for versions that begin with it:
 * what is kept of those is not seen here.
 */
export function forkStore(store: Store, kept: readonly (Kept & { signature: Signature })[]): Store {
  const { summaries, graphs, nextId, now } = store;
  const fork: Store = { ...createStore(), summaries, graphs, nextId, now };
  const isUsed = (memo: Memo<unknown>): boolean => memo.lastUse === now;
  for (const { root, signature } of kept) {
    const explored = store.explored.get(root)?.filter(isUsed) ?? [],
      helpers = store.helpers.get(root)?.filter(isUsed) ?? [];
    if (explored.length > 0)
      fork.explored.set(
        root,
        explored.map((memo) => ({ ...memo, result: withoutPlaces(memo.result) })),
      );
    if (helpers.length > 0)
      fork.helpers.set(
        root,
        helpers.map((memo) => ({ ...memo })),
      );
    for (const { result } of explored) {
      const exits = result.value?.exits,
        seeds = exits && store.seeds.get(exits);
      if (seeds) fork.seeds.set(exits, [...seeds]);
    }
    copyEntry(store.harmless, fork.harmless, signature);
    copyEntry(store.lastHelpers, fork.lastHelpers, signature);
    copyEntry(store.ids, fork.ids, signature);
  }
  return fork;
}

function copyEntry<K extends object, V>(from: WeakMap<K, V>, to: WeakMap<K, V>, key: K): void {
  const value = from.get(key);
  if (value !== undefined) to.set(key, value);
}

/** The same result, which has not been asked where it is in the documents. */
function withoutPlaces(result: Attempt<Explored>): Attempt<Explored> {
  if (result.value === null) return result;
  const { observations, resources } = result.value;
  const value: Explored = {
    ...result.value,
    observations: framed(observations.value),
    resources: resources && framed(resources.value),
  };
  return { ...result, value };
}

/** What a function is recognised by in the next version of its module. */
export function nameOf({ file, item }: Defined<FunctionIr>): string {
  return `${file.path}\n${item.name}`;
}

export const OPAQUE: Summary = { outcomes: null, objects: new Map(), gives: [] };
/** What was tried and what it cost; where it was given up, why. */
type Attempt<T> =
  | { readonly value: T; readonly givenUp: null; readonly work: number }
  | { readonly value: null; readonly givenUp: GivenUp; readonly work: number };

/** Why nothing is known of a function. `isInternal` where the analysis itself has failed. */
export interface GivenUp {
  readonly reason: string;
  readonly isInternal: boolean;
}

const NO_RESULT = {
  objects: new Map(),
  exits: null,
  summary: OPAQUE,
  observations: framed([]),
  resources: null,
} as const;

function beginningOf(
  analysis: Analysis,
  { item }: Defined<FunctionIr>,
  role: Role,
  { key, before }: Entry,
): Beginning {
  return {
    role,
    key,
    before,
    ends: analysis.begins.has(item),
    follows: analysis.owning.has(item),
    leaves: LEAVING.has(role) || analysis.exported.has(item),
    answers: analysis.relevance.answers(item),
  };
}

/**
 * The result of an earlier exploration of a function that began alike and whose questions have the
 * same answers today, if there is one: it is for nearly all functions, and takes no steps.
 */
export function keptExploration(
  analysis: Analysis,
  definition: Defined<FunctionIr>,
  role: Role,
  entry: Entry,
  answers: Answers,
): Explored | null {
  const beginning = beginningOf(analysis, definition, role, entry);
  const kept = keptResult(analysis, analysis.store.explored, definition, beginning, answers);
  return kept && (kept.value ?? { ...NO_RESULT, ...kept.givenUp });
}

/** Explores a function of which no result is kept. */
export function* exploreFunction(
  analysis: Analysis,
  definition: Defined<FunctionIr>,
  role: Role,
  entry: Entry,
  answers: Answers,
): Steps<Explored> {
  const beginning = beginningOf(analysis, definition, role, entry),
    { follows, ends, leaves } = beginning;
  const { value, givenUp } = yield* memoise(
    analysis,
    analysis.store.explored,
    definition,
    beginning,
    answers,
    function* (run, frame, graph) {
      const kept = liveFor(analysis, definition, role, run, graph);
      const states = entry.states(frame);
      const begun = (resources: ResourceLog | null): Run =>
        begin(
          run,
          frame,
          role,
          new Map([...(entry.before ?? []), ...(entry.objects ?? [])]),
          resources,
          states[0]?.interner ?? createInterner(),
          leaves,
        );
      let one = begun(follows ? emptyLog() : null);
      let exits = yield* explore(one, graph.cfg, kept, states);
      // What it holds may be what tells too many paths apart.
      if (typeof exits === 'string')
        exits = yield* explore((one = begun(null)), graph.cfg, kept, states);
      if (typeof exits === 'string') return { ...NO_RESULT, reason: exits, objects: one.objects };
      if (exits.length === 0 && hasLostItsEnd(one, graph.cfg))
        return { ...NO_RESULT, reason: 'no path comes to its end', objects: one.objects };
      if (role === 'helper') blameHelper(one, exits);
      const summary = settled(
        analysis,
        definition,
        summarise(
          exits.map((exit) => exit.state),
          one.objects,
          [...(one.resources?.gives.values() ?? [])],
        ),
      );
      observeExits(one, exits);
      doubtOwnState(one);
      return {
        reason: null,
        objects: one.objects,
        exits: ends ? exits : null,
        summary,
        observations: framed([...one.observations.values()]),
        resources: one.resources && framed(findingsOf(one.resources)),
      };
    },
  );
  return value ?? { ...NO_RESULT, ...givenUp };
}

/**
 * Whether a function that can end was explored to no end: what its paths know contradicts itself.
 * One that the configuration leaves out, that crashes on purpose or that calls what never comes back
 * has none.
 */
function hasLostItsEnd(run: Run, cfg: Cfg): boolean {
  if (run.fn.conditions.length > 0 || !canEnd(cfg)) return false;
  const stops = (name: string) =>
    isNoReturn(name) ||
    soundsLikeCrash(name) ||
    run.index.functions(run.file, name).some((callee) => {
      const summary = run.index.summaryOf(callee.item);
      return summary === null || summary.outcomes?.length === 0;
    });
  return !scanOf(run.fn).names.called.some(stops);
}

function findingsOf({ undone, leaves, teardowns }: ResourceLog): ResourceFindings {
  return { undone, leaves, teardowns };
}

/** What is kept of the resources of a function that does nothing to devices; undefined for nothing. */
export function keptHelper(
  analysis: Analysis,
  definition: Defined<FunctionIr>,
  answers: Answers,
): HelperResources | GivenUp | null | undefined {
  const kept = keptResult(analysis, analysis.store.helpers, definition, HELPER, answers);
  return kept ? (kept.givenUp ?? kept.value) : undefined;
}

/**
 * Explores a function that does nothing to devices for what it takes and gives back, of which
 * nothing is kept.
 */
export function* exploreHelper(
  analysis: Analysis,
  definition: Defined<FunctionIr>,
  answers: Answers,
): Steps<HelperResources | GivenUp | null> {
  const { store } = analysis;
  const { value, givenUp } = yield* memoise(
    analysis,
    store.helpers,
    definition,
    HELPER,
    answers,
    function* (run, frame, graph) {
      const interner = createInterner();
      const one = begin(run, frame, 'helper', new Map(), emptyLog(), interner);
      const exits = yield* explore(one, graph.cfg, graph.live(), [
        entryState(frame, 'helper', interner),
      ]);
      return typeof exits === 'string'
        ? null
        : helperResources(one, exits, one.resources!.gives.values());
    },
  );
  return givenUp ?? value;
}

const HELPER: Beginning = {
  role: 'helper',
  key: 'helper',
  before: undefined,
  ends: false,
  answers: false,
  follows: true,
  leaves: false,
};

type Beginning = Pick<
  Memo<unknown>,
  'role' | 'key' | 'before' | 'ends' | 'answers' | 'follows' | 'leaves'
>;
/** What two explorations of one function share. */
type Basis = Pick<Run, 'fn' | 'frame' | 'file' | 'kernel' | 'index' | 'locals' | 'labels'>;

function begin(
  basis: Basis,
  { fn }: Frame,
  role: Role,
  objects: Map<string, ObjectInfo>,
  resources: ResourceLog | null,
  interner: Interner,
  leaves = false,
): Run {
  const run: Run = {
    leaves,
    role,
    objects,
    resources,
    observations: new Map(),
    ownState: new Set(),
    names: new Map(fn.params.map((param, i) => [parameter(interner, i), param.name])),
    resolver: (state, call, summary, args) => resolver(run, state, call, summary, args),
    ...basis,
  };
  return run;
}

/** What is known of a function without an exploration; null where one has to be made. */
function keptResult<T>(
  analysis: Analysis,
  store: WeakMap<FunctionIr, Memo<T>[]>,
  definition: Defined<FunctionIr>,
  beginning: Beginning,
  answers: Answers,
): Attempt<T> | null {
  // What was kept is counted like what is new, so that the same functions are given up with any
  // cache.
  if (analysis.work.spent > analysis.budgets.module)
    return { value: null, givenUp: TOO_MUCH_BEFORE, work: 0 };
  const root = analysis.identities.rootOf(definition.item),
    known = store.get(root);
  const frame = analysis.identities.frame(definition);
  const beginsAlike = (memo: Memo<T>) =>
    memo.frame === frame &&
    memo.role === beginning.role &&
    memo.key === beginning.key &&
    memo.before === beginning.before &&
    memo.follows === beginning.follows &&
    memo.leaves === beginning.leaves &&
    memo.ends === beginning.ends &&
    memo.answers === beginning.answers;
  const { surveyAnswers } = analysis;
  const found = known?.find(
    (memo) =>
      beginsAlike(memo) &&
      isUpToDate(memo.surveyAnswers === surveyAnswers ? memo.open : memo.asked, answers),
  );
  analysis.store.looked.add(root);
  if (!found) return null;
  noteText(analysis.store, found.open);
  found.surveyAnswers = surveyAnswers;
  found.lastUse = analysis.store.now;
  count(analysis, found.result.work);
  return found.result;
}

/** Does the work, and keeps what comes of it. */
function* memoise<T>(
  analysis: Analysis,
  store: WeakMap<FunctionIr, Memo<T>[]>,
  definition: Defined<FunctionIr>,
  beginning: Beginning,
  answers: Answers,
  work: (run: Basis, frame: Frame, graph: Graph) => Steps<T>,
): Steps<Attempt<T>> {
  const root = analysis.identities.rootOf(definition.item),
    known = store.get(root) ?? [],
    frame = analysis.identities.frame(definition),
    { surveyAnswers } = analysis;
  const { questions, asked } = recorded(
    answers,
    analysis.identities.signatureOf,
    analysis.index.module,
  );
  const result = yield* attempt(
    analysis.budgets,
    (function* () {
      const ownFile: OwnFile = { path: definition.file.path, isOwn: true };
      const expanded = withMacros(analysis, frame, ownFile, questions);
      const graph = expanded === frame.fn ? graphOf(analysis.store, frame) : newGraph(expanded);
      const run: Basis = {
        fn: frame.fn,
        frame,
        file: ownFile,
        kernel: analysis.kernel,
        index: questions,
        locals: localsOf(expanded),
        labels: new Set(scanOf(expanded).labels),
      };
      return yield* work(run, frame, graph);
    })(),
  );
  count(analysis, result.work);
  const open = besidesSurvey(asked);
  noteText(analysis.store, open);
  // What neither this version nor the last had use for belongs to texts that are gone.
  store.set(root, [
    ...known.filter((memo) => memo.lastUse >= analysis.store.now - 1),
    {
      frame,
      asked,
      open,
      surveyAnswers,
      result,
      lastUse: analysis.store.now,
      ...beginning,
    },
  ]);
  return result;
}

function noteText(store: Store, asked: readonly Asked[]): void {
  store.hasReadText ||= asked.some(({ kind }) => kind === 'again');
}

/** Frames have addresses of their own; each has room for as many nodes that macros bring. */
const IDENTITIES = 10_000;

/** A function with the macros of the module written out, each at the address that it has itself. */
function withMacros(
  analysis: Analysis,
  frame: Frame,
  file: OwnFile,
  questions: Pick<Questions, 'macrosIn' | 'macroFunctions' | 'functions'>,
): FunctionIr {
  const names = questions.macrosIn();
  const hasAttributes = scanOf(frame.fn).decls.some((decl) => decl.attributes !== undefined);
  if (!hasAttributes && names.size === 0) return frame.fn;
  return expandMacros(frame.fn, {
    identities: -frame.start * IDENTITIES,
    macrosOf: (name) => {
      const found = names.has(name) ? questions.macroFunctions(file, name) : [];
      return sayingMore(found).flatMap((one) => {
        const macro = analysis.identities.frame(one).fn.macro;
        return macro ? [{ path: one.file.path, macro }] : [];
      });
    },
    functionsOf: (name) => questions.functions(file, name).map(({ item }) => item.conditions),
  });
}

/** Where all configurations only print something, or nothing, they are all like the first. */
function sayingMore(found: readonly Defined<FunctionIr>[]): readonly Defined<FunctionIr>[] {
  return found.length > 1 && found.every(({ item }) => onlySays(item)) ? found.slice(0, 1) : found;
}

/** It neither jumps nor sets anything, and calls nothing but what logs. */
function onlySays(fn: FunctionIr): boolean {
  const text = fn.macro?.bodyText ?? '';
  return (
    !readMacroText(text).isOpaque &&
    scanOf(fn).names.called.every((name) => isLog(name) || name === 'no_printk') &&
    (fn.macro?.body == null || fn.macro.body.kind === 'call' || text === '((void)0)')
  );
}

const TOO_MUCH: GivenUp = { reason: 'too much work', isInternal: false };
const TOO_MUCH_BEFORE: GivenUp = {
  reason: 'too much work for the functions before it',
  isInternal: false,
};

/**
 * Works within the budget of a function. An error in it is an error of the analysis: it costs this
 * function, and no other.
 */
export function* attempt<T>(budgets: Analysis['budgets'], work: Steps<T>): Steps<Attempt<T>> {
  try {
    const done: Budgeted<T> = yield* inStepsWithin(budgets.function, work);
    return done.isSpent
      ? { value: null, givenUp: TOO_MUCH, work: done.spent }
      : { value: done.value, givenUp: null, work: done.spent };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return {
      value: null,
      givenUp: { reason: `internal error: ${text.split('\n', 1)[0]!}`, isInternal: true },
      work: 0,
    };
  }
}

function count({ work }: Analysis, units: number): void {
  work.spent += units;
  work.most = Math.max(work.most, units);
}

/**
 * A summary that is equal to the last one is that one, so that callers see that nothing has changed
 * for them.
 */
function settled(analysis: Analysis, definition: Defined<FunctionIr>, summary: Summary): Summary {
  const name = nameOf(definition),
    { summaries, gone } = analysis.store;
  const before = summaries.get(name) ?? gone.get(name);
  return before && sameSummary(before, summary) ? before : summary;
}

interface Graph {
  readonly cfg: Cfg;
  /** What may be read at the entry of each block, by the function itself. */
  live(): readonly ReadonlySet<string>[];
}

function graphOf(store: Store, frame: Frame): Graph {
  let graph = store.graphs.get(frame);
  if (!graph) store.graphs.set(frame, (graph = newGraph(frame.fn)));
  return graph;
}

function newGraph(fn: FunctionIr): Graph {
  const cfg = buildCfg(fn);
  let live: readonly ReadonlySet<string>[] | undefined;
  return { cfg, live: () => (live ??= liveVariables(cfg)) };
}

/**
 * What may still be read at the entry of each block: by the function, by what it calls, and for
 * helpers by callers, who may know the members that decide what a helper does or answers.
 */
function liveFor(
  analysis: Analysis,
  definition: Defined<FunctionIr>,
  role: Role,
  run: Pick<Run, 'index' | 'file'>,
  graph: Graph,
): readonly ReadonlySet<string>[] {
  const reads = readByCallees(run, definition.item);
  const { cfg } = graph;
  const live = reads.size > 0 ? liveVariables(cfg, (name) => reads.get(name)) : graph.live();
  const isAnswer = analysis.relevance.answers(definition.item);
  if (!isAnswer && role !== 'helper' && role !== 'action') return live;
  const members = isAnswer
    ? testedMembers(cfg)
    : decidingMembers(cfg, ({ name }) => name !== null && run.index.endsOrBegins(name));
  return members.size > 0 ? withMembers(live, members) : live;
}

/** Blocks that had one set have one again. */
function withMembers(
  live: readonly ReadonlySet<string>[],
  members: ReadonlySet<string>,
): readonly ReadonlySet<string>[] {
  const known = new Map<ReadonlySet<string>, ReadonlySet<string>>();
  return live.map((names) => {
    let both = known.get(names);
    if (both === undefined) known.set(names, (both = new Set([...names, ...members])));
    return both;
  });
}

/** By the names that a function calls: the members, as `.name`, that decide what these do. */
function readByCallees(
  { index, file }: Pick<Run, 'index' | 'file'>,
  fn: FunctionIr,
): ReadonlyMap<string, ReadonlySet<string>> {
  const reads = new Map<string, ReadonlySet<string>>();
  for (const name of scanOf(fn).names.called) {
    const member = memberReadBy(name),
      defined = index.functions(file, name);
    // Most are of the kernel, and read nothing that counts.
    if (member === undefined && defined.length === 0) continue;
    const members = new Set<string>();
    if (member !== undefined) members.add(`.${member}`);
    for (const { item } of defined)
      for (const outcome of index.summaryOf(item)?.outcomes ?? [])
        for (const object of outcome.assumes.keys()) addMembers(object, members);
    if (members.size > 0) reads.set(name, members);
  }
  return reads;
}

function addMembers(object: AbstractObject, members: Set<string>): void {
  if (object.kind === 'load') {
    const { step } = object.from;
    if (step?.kind === 'field') members.add(`.${step.name}`);
    addMembers(object.from.object, members);
  } else if (object.kind === 'computed')
    for (const operand of object.operands)
      if (operand.kind === 'pointer') addMembers(operand.object, members);
}

function localsOf(fn: FunctionIr): Map<string, TypeName> {
  const locals = new Map(fn.params.map((param) => [param.name, param.type] as const));
  for (const decl of scanOf(fn).decls) if (!locals.has(decl.name)) locals.set(decl.name, decl.type);
  return locals;
}

/** Who begins or ends a device's life is called by the core with an object, never with NULL. */
const CALLED_BY_CORE: ReadonlySet<Role> = new Set<Role>(['probe', 'remove', 'init', 'release']);

/** The state in which nothing is known but that each parameter is what it is. */
export function entryState({ fn }: Frame, role: Role, interner: Interner): PathState {
  const state = emptyState(interner);
  if (CALLED_BY_CORE.has(role)) state.masks.set(parameter(interner, 0), POSITIVE);
  fn.params.forEach((param, i) => state.env.set(param.name, parameter(interner, i).start));
  if (fn.opaque) loseCertainty(state);
  state.ownsGlobals = role === 'module';
  return state;
}
