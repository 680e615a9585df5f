/**
 * The order in which the functions of a module are explored: helpers before their callers, `.init`
 * before probe, probe before remove and `.release`.
 */
import { originalOf } from '../ir/lower.ts';
import type { Analysis } from './analysis.ts';
import { isExplored, type Group } from './survey.ts';
import { evaluateTest, macrosOf } from './module/preprocessor.ts';
import { macrosIn } from './module/expand.ts';
import { INITIALISING_DEVICE, RELEASING_DEVICE } from './interpret/device.ts';
import { seedRemove } from './interpret/observe-exits.ts';
import {
  OPAQUE,
  attempt,
  entryState,
  exploreFunction,
  exploreHelper,
  keptExploration,
  keptHelper,
  nameOf,
  type Entry,
  type Explored,
  type GivenUp,
} from './incremental/memo.ts';
import { createInterner, parameter } from './domain/objects.ts';
import { adoptState } from './domain/path-state.ts';
import type { FileIr, FunctionIr } from '../ir/types.ts';
import type { EffectOp } from '../kernel/types.ts';
import { startOf } from './module/macro-places.ts';
import type { Defined } from './module/module.ts';
import type { Answer, Answers, Callbacks } from './incremental/dependencies.ts';
import { isLifecycleName } from './module/relevance.ts';
import { actingIn } from './module/function-scan.ts';
import type { HelperResources } from './interpret/resource-log.ts';
import { sameHelper, summaryKey, type Summary } from './interpret/summary.ts';
import type { Role } from './types.ts';
import { atOnce, once, spend, type Steps } from '../budget/work.ts';

/** A recursion that has not settled after so many rounds is treated as unknown code. */
const MAX_ROUNDS = 4;
const UNKNOWN_YET: Summary = { outcomes: [], objects: new Map(), gives: [] };

/**
 * Explores functions that call one another, until what they know of each other no longer changes; a
 * function by itself once. One step a function.
 */
export function* solveGroup(
  analysis: Analysis,
  { members: group, isRecursive }: Group,
): Steps<void> {
  if (!isRecursive) {
    for (const definition of group) {
      const wanted = generally(analysis, definition),
        kept = keptSummary(analysis, wanted) ?? (yield* exploreNow(analysis, wanted));
      analysis.settled.set(nameOf(definition), kept);
      remember(analysis, definition.item, kept);
      yield;
    }
    return;
  }
  for (const definition of group) remember(analysis, definition.item, UNKNOWN_YET);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let changed = false;
    for (const definition of group) {
      const next = yield* exploreGenerally(analysis, definition);
      yield;
      if (summaryKey(next) === summaryKey(analysis.summaries.get(definition.item)!)) continue;
      remember(analysis, definition.item, next);
      changed = true;
    }
    if (!changed) return;
  }
  for (const definition of group) remember(analysis, definition.item, OPAQUE);
  for (const definition of group) {
    yield* exploreGenerally(analysis, definition);
    yield;
  }
}

/** `.init` and `.release` begin with the state in which the core calls them. */
export function* exploreCallback(
  analysis: Analysis,
  definition: Defined<FunctionIr>,
  role: 'init' | 'release',
): Steps<void> {
  const isEmbedded = analysis.ops.some(
    (table) =>
      table.members.get('release')?.value === definition.item.name &&
      table.givenTo.some((item) => item.op === 'init-device'),
  );
  const given = role === 'init' ? INITIALISING_DEVICE : RELEASING_DEVICE,
    state = isEmbedded ? { ...given, model: 'embedded' as const } : given;
  yield* exploreOnce(analysis, definition, role, {
    key: `device ${isEmbedded}`,
    before: analysis.objects.get(definition.item),
    objects: undefined,
    states(frame) {
      const next = entryState(frame, role, createInterner());
      next.devices.set(parameter(next.interner, 0), { state, member: null });
      return [next];
    },
  });
}

/**
 * remove begins where probe succeeded: devices are where probe left them, in drvdata, in what the
 * parameter leads to, in globals.
 */
export function* exploreRemove(
  analysis: Analysis,
  probe: Defined<FunctionIr>,
  remove: Defined<FunctionIr>,
): Steps<void> {
  const exits = analysis.explored.get(probe.item)?.exits,
    objects = analysis.objects.get(probe.item);
  if (!exits?.length) return;
  const root = analysis.identities.rootOf(remove.item);
  // The same ends of probe give the same beginnings of remove: the same objects, by which what
  // comes of them is known again.
  let list = analysis.store.seeds.get(exits);
  if (!list) analysis.store.seeds.set(exits, (list = []));
  const hasDeferredPut = putsLater(analysis);
  let seed = list.find(
    (one) => one.root === root && one.objects === objects && one.hasDeferredPut === hasDeferredPut,
  );
  if (!seed) {
    const frame = analysis.identities.frame(remove);
    const from = {
      fn: analysis.identities.frame(probe).fn,
      role: 'probe',
      file: { path: probe.file.path, isOwn: true },
    } as const;
    const made = yield* attempt(
      analysis.budgets,
      once(() =>
        seedRemove(
          exits,
          from,
          objects ?? new Map(),
          remove.item.name,
          hasDeferredPut,
          (interner) => entryState(frame, 'remove', interner),
        ),
      ),
    );
    if (made.givenUp) {
      giveUp(analysis, remove, made.givenUp);
      return;
    }
    list.push((seed = { root, objects, hasDeferredPut, value: made.value }));
  }
  const { value } = seed;
  if (!value.states.length) return;
  yield* exploreOnce(analysis, remove, 'remove', {
    key: value,
    before: analysis.objects.get(remove.item),
    objects: value.objects,
    // Each exploration has objects of its own: those of probe do not grow with edits of remove.
    states() {
      const interner = createInterner();
      return value.states.map((state) => adoptState(interner, state));
    },
  });
}

/** A function that others call back (work, a timer, RCU) drops a reference of a device. */
function putsLater({ index, summaries, roles, uncalled }: Analysis): boolean {
  return index.allFunctions.some(
    ({ item }) =>
      roles.get(item) === 'helper' &&
      summaries.get(item)?.outcomes?.some(({ ops }) => ops.some(({ op }) => op === 'put')) &&
      uncalled.has(item),
  );
}

/**
 * Functions nested deeper than this are unknown code: helpers whose resources alone are followed,
 * and `.release`s that put devices of each other, which the call graph does not see.
 */
const MAX_NESTING = 20;

function summaryOf(analysis: Analysis, definition: Defined<FunctionIr>): Summary {
  const known = analysis.summaries.get(definition.item);
  if (known) return known;
  if (!isExplored(analysis, definition.item))
    return remember(analysis, definition.item, harmless(analysis, definition));
  if (analysis.inProgress.has(definition.item) || analysis.inProgress.size >= MAX_NESTING)
    return OPAQUE;
  analysis.inProgress.add(definition.item);
  const summary = atOnce(exploreGenerally(analysis, definition));
  analysis.inProgress.delete(definition.item);
  return remember(analysis, definition.item, summary);
}

function remember(analysis: Analysis, fn: FunctionIr, summary: Summary): Summary {
  analysis.summaries.set(fn, summary);
  return summary;
}

/**
 * A function that is not explored does nothing to devices, but may hand its parameters on to unseen
 * code.
 */
function harmless(analysis: Analysis, definition: Defined<FunctionIr>): Summary {
  const escaping = [...analysis.relevance.escaping(definition.item)].sort(
      (left, right) => left - right,
    ),
    key = escaping.join();
  const { item } = definition,
    signature = analysis.identities.signatureOf(item),
    known = analysis.store.harmless.get(signature);
  if (known?.key === key) return known.summary;
  const interner = createInterner();
  const ops = escaping.map((i) => ({
    op: 'escape' as const,
    ok: true,
    place: parameter(interner, i).start,
    api: item.name,
    argument: i,
    site: { path: '', start: 0, end: 0 },
    settled: true,
  }));
  const config = new Map(
    item.conditions.map((condition) => [condition.test, condition.holds] as const),
  );
  const summary: Summary = {
    outcomes: [
      {
        config,
        assumes: new Map(),
        ops,
        writes: [],
        result: null,
        resultMask: 7,
        deferred: [],
        uncertain: false,
        hidden: 0,
        ownState: false,
        endsElements: false,
        takes: [],
        finds: null,
      },
    ],
    objects: new Map(),
    gives: [],
    isHarmless: true,
  };
  analysis.store.harmless.set(signature, { key, summary });
  return summary;
}

/** An exploration that is asked for. */
interface Wanted {
  readonly definition: Defined<FunctionIr>;
  readonly role: Role;
  readonly entry: Entry;
  readonly answers: Answers;
}

/** That of a function for whoever may call it. */
function generally(analysis: Analysis, definition: Defined<FunctionIr>): Wanted {
  const role = analysis.roles.get(definition.item) ?? 'helper';
  const entry: Entry = {
    key: 'any',
    before: analysis.objects.get(definition.item),
    objects: undefined,
    states: (frame) => [entryState(frame, role, createInterner())],
  };
  return { definition, role, entry, answers: answersFor(analysis, definition) };
}

function* exploreGenerally(analysis: Analysis, definition: Defined<FunctionIr>): Steps<Summary> {
  const wanted = generally(analysis, definition);
  const summary = keptSummary(analysis, wanted) ?? (yield* exploreNow(analysis, wanted));
  analysis.settled.set(nameOf(definition), summary);
  return summary;
}

function* exploreOnce(
  analysis: Analysis,
  definition: Defined<FunctionIr>,
  role: Role,
  entry: Entry,
): Steps<Summary> {
  const wanted = { definition, role, entry, answers: answersFor(analysis, definition) };
  return keptSummary(analysis, wanted) ?? (yield* exploreNow(analysis, wanted));
}

/** What an earlier version has found: a key changes few functions, and this takes no steps. */
function keptSummary(
  analysis: Analysis,
  { definition, role, entry, answers }: Wanted,
): Summary | null {
  const kept = keptExploration(analysis, definition, role, entry, answers);
  return kept && take(analysis, definition, kept);
}

function* exploreNow(
  analysis: Analysis,
  { definition, role, entry, answers }: Wanted,
): Steps<Summary> {
  const result = yield* exploreFunction(analysis, definition, role, entry, answers);
  return take(analysis, definition, result);
}

function take(analysis: Analysis, definition: Defined<FunctionIr>, result: Explored): Summary {
  analysis.objects.set(definition.item, result.objects);
  if (result.reason === null) analysis.explored.set(definition.item, result);
  else
    giveUp(analysis, definition, { reason: result.reason, isInternal: result.isInternal ?? false });
  return result.summary;
}

function giveUp(
  analysis: Analysis,
  definition: Defined<FunctionIr>,
  { reason, isInternal }: GivenUp,
): void {
  if (!analysis.notAnalysed.has(definition.item) || isInternal)
    analysis.notAnalysed.set(definition.item, { path: definition.file.path, reason, isInternal });
}

const NO_RESOURCES: HelperResources = { takes: [], gives: [], left: [] };

/**
 * What a function that does nothing to devices takes and gives back; null when that cannot be
 * followed.
 */
function helperOf(analysis: Analysis, definition: Defined<FunctionIr>): HelperResources | null {
  const known = analysis.helpers.get(definition.item);
  if (known !== undefined) return known;
  let result: HelperResources | null = NO_RESOURCES;
  if (analysis.touching.has(definition.item)) {
    if (analysis.inProgress.size >= MAX_NESTING) return null;
    result = null;
    analysis.helpers.set(definition.item, null); // a recursion
    analysis.inProgress.add(definition.item);
    const answers = answersFor(analysis, definition),
      kept = keptHelper(analysis, definition, answers);
    const explored =
      kept === undefined ? atOnce(exploreHelper(analysis, definition, answers)) : kept;
    analysis.inProgress.delete(definition.item);
    if (explored !== null && 'reason' in explored) giveUp(analysis, definition, explored);
    else result = explored && settledHelper(analysis, definition, explored);
  }
  analysis.helpers.set(definition.item, result);
  return result;
}

/** What is equal to what was found last is that, so that callers see that nothing has changed. */
function settledHelper(
  { store, identities }: Analysis,
  { item }: Defined<FunctionIr>,
  helper: HelperResources,
): HelperResources {
  const signature = identities.signatureOf(item),
    last = store.lastHelpers.get(signature);
  if (last?.settled === helper || last?.equal === helper) return last.settled;
  const settled = last && sameHelper(last.settled, helper) ? last.settled : helper;
  store.lastHelpers.set(signature, { settled, equal: helper });
  return settled;
}

function plain(value: string | number | boolean | null): Answer {
  return { value, print: value };
}

/** What today's module answers to the questions of a function's exploration. */
function answersFor(analysis: Analysis, { file, item }: Defined<FunctionIr>): Answers {
  const { index, identities } = analysis;
  return (kind, about) => {
    if (typeof about !== 'string') {
      const definition = identities.signed(about);
      if (definition === undefined) return plain(null);
      const value =
        kind === 'summary' ? summaryOf(analysis, definition) : helperOf(analysis, definition);
      return { value, print: value };
    }
    switch (kind) {
      case 'functions': {
        const value = index.functions(file, about);
        return { value, print: printOf(analysis, value) };
      }
      case 'macros': {
        const value = index.macroFunctions(file, about, startOf(index, item));
        return { value, print: printOf(analysis, value) };
      }
      case 'written-out': {
        const value = macrosIn(index.module, item);
        return { value, print: [...value].join(' ') };
      }
      case 'variable': {
        const value = index.variable(file, about);
        return { value, print: value && originalOf(value.item) };
      }
      case 'struct': {
        const value = index.struct(file, about);
        return { value, print: value && originalOf(value.item) };
      }
      case 'constant':
        return plain(index.constant(file, about));
      case 'truth':
        return plain(evaluateTest(about, analysis.kernel, macrosOf(index.module, analysis.kernel)));
      case 'again':
        return plain(comesAgain(file, about));
      case 'called':
        return plain(analysis.called.has(about));
      case 'ends':
        return plain(endsOrBegins(analysis, { file, item }, about));
      case 'makes':
        return plain(makesDevices(analysis));
      case 'callbacks': {
        const value = callbacksOf(analysis, about);
        return {
          value,
          print: `${value.isWhole} ${value.functions.map((definition) => idOf(analysis, definition)).join()}`,
        };
      }
      default:
        return { value: null, print: null };
    }
  };
}

/** One thing for equal lists of functions. Nearly all have one function or none. */
function printOf(analysis: Analysis, list: readonly Defined<FunctionIr>[]): unknown {
  if (list.length === 0) return null;
  return list.length === 1
    ? analysis.identities.signatureOf(list[0]!.item)
    : list.map((definition) => idOf(analysis, definition)).join();
}

/** A number that a function has while it has its signature. */
function idOf(analysis: Analysis, definition: Defined<FunctionIr>): number {
  const signature = analysis.identities.signatureOf(definition.item);
  let id = analysis.store.ids.get(signature);
  if (id === undefined) analysis.store.ids.set(signature, (id = analysis.store.nextId++));
  return id;
}

const counted = new WeakMap<FileIr, Map<string, boolean>>();

/** Characters that are searched for what a step costs. */
const SEARCHED = 4_096;

/**
 * Whether a test stands more than once in a document, or not as it was read. What is known costs
 * what it cost, so that all answers cost the same.
 */
function comesAgain(file: FileIr, test: string): boolean {
  spend(Math.floor(file.text.length / SEARCHED));
  let known = counted.get(file);
  if (!known) counted.set(file, (known = new Map()));
  let again = known.get(test);
  if (again === undefined) known.set(test, (again = file.text.split(test).length !== 2));
  return again;
}

/** Calls that change a device's life, here or further down. */
function endsOrBegins(analysis: Analysis, definition: Defined<FunctionIr>, name: string): boolean {
  const defined = analysis.index.functions(definition.file, name);
  return defined.length
    ? defined.some((target) => analysis.relevance.affects(target.item))
    : analysis.index.macroFunctions(definition.file, name, definition.item.start).length > 0 ||
        isLifecycleName(name, analysis.kernel, analysis.index.module.wrappers);
}

/** The module allocates devices, and initialises none in memory of its own. */
export function makesDevices({ index, kernel }: Pick<Analysis, 'index' | 'kernel'>): boolean {
  const { calls } = actingIn(index, kernel);
  const isDone = (op: EffectOp) => calls.some(({ ops }) => ops.has(op));
  return isDone('alloc') && !isDone('init') && !isDone('init-device');
}

/** The functions that the core calls for the devices of the module. */
function callbacksOf(analysis: Analysis, member: string): Callbacks {
  const functions = new Map<FunctionIr, Defined<FunctionIr>>();
  let isWhole = analysis.ops.length > 0;
  for (const table of analysis.ops) {
    const name = table.style === 'fd' ? undefined : table.members.get(member)?.value,
      file = [...analysis.index.module.sources, ...analysis.index.module.headers].find(
        (item) => item.path === table.path,
      );
    isWhole &&= table.complete;
    if (name === undefined) continue;
    const defined = file ? analysis.index.functions(file, name) : [];
    for (const definition of defined) functions.set(definition.item, definition);
    if (!defined.length && !isLifecycleName(name, analysis.kernel, analysis.index.module.wrappers))
      isWhole = false;
  }
  return { functions: [...functions.values()], isWhole };
}
