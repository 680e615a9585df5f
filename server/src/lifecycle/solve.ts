import { isExplored, type Analysis } from './analysis.ts';
import { evaluateTest, macrosOf } from './conditions.ts';
import { INITIALISING_DEVICE, RELEASING_DEVICE } from './device.ts';
import { seedRemove } from './exits.ts';
import {
  OPAQUE,
  attempt,
  entryState,
  exploreFunction,
  exploreHelper,
  nameOf,
  type Entry,
  type GivenUp,
} from './kept.ts';
import { createInterner, parameter } from './domain/objects.ts';
import { adoptState } from './domain/path-state.ts';
import { lowered } from './identities.ts';
import type { FileIr, FunctionIr } from '../ir/types.ts';
import type { Defined } from './module.ts';
import type { Answer, Answers, Callbacks } from './questions.ts';
import { isLifecycleName } from './relevance.ts';
import type { HelperResources } from './resources.ts';
import { summaryKey, type Summary } from './summary.ts';
import type { Role } from './types.ts';
import { atOnce, once, spend, type Steps } from '../budget/work.ts';

/** A recursion that has not settled after so many rounds is treated as unknown code. */
const MAX_ROUNDS = 4;
const UNKNOWN_YET: Summary = { outcomes: [], objects: new Map(), gives: [] };

/**
 * Explores functions that call one another, until what they know of each other no longer changes; a
 * function by itself once. One step a function.
 */
export function* solveGroup(m: Analysis, group: readonly Defined<FunctionIr>[]): Steps<void> {
  const [first] = group;
  if (group.length === 1 && !m.graph.calleesOf(first!.item).some((c) => c.item === first!.item)) {
    remember(m, first!.item, yield* exploreGenerally(m, first!));
    yield;
    return;
  }
  for (const d of group) remember(m, d.item, UNKNOWN_YET);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let changed = false;
    for (const d of group) {
      const next = yield* exploreGenerally(m, d);
      yield;
      if (summaryKey(next) === summaryKey(m.summaries.get(d.item)!)) continue;
      remember(m, d.item, next);
      changed = true;
    }
    if (!changed) return;
  }
  for (const d of group) remember(m, d.item, OPAQUE);
  for (const d of group) {
    yield* exploreGenerally(m, d);
    yield;
  }
}

/** `.init` and `.release` begin with the state in which the core calls them. */
export function* exploreCallback(
  m: Analysis,
  d: Defined<FunctionIr>,
  role: 'init' | 'release',
): Steps<void> {
  const isEmbedded = m.ops.some(
    (o) =>
      o.members.get('release')?.value === d.item.name &&
      o.givenTo.some((g) => g.op === 'init-device'),
  );
  const given = role === 'init' ? INITIALISING_DEVICE : RELEASING_DEVICE,
    state = isEmbedded ? { ...given, model: 'embedded' as const } : given;
  yield* exploreOnce(m, d, role, {
    key: `device ${isEmbedded}`,
    before: m.objects.get(d.item),
    objects: undefined,
    states(frame) {
      const s = entryState(frame, role, createInterner());
      s.devices.set(parameter(s.interner, 0), { state, member: null });
      return [s];
    },
  });
}

/**
 * remove begins where probe succeeded: devices are where probe left them, in drvdata, in what the
 * parameter leads to, in globals.
 */
export function* exploreRemove(
  m: Analysis,
  probe: Defined<FunctionIr>,
  remove: Defined<FunctionIr>,
): Steps<void> {
  const exits = m.explored.get(probe.item)?.exits,
    objects = m.objects.get(probe.item);
  if (!exits?.length) return;
  const root = m.identities.rootOf(remove.item);
  // The same ends of probe give the same beginnings of remove: the same objects, by which what
  // comes of them is known again.
  let list = m.store.seeds.get(exits);
  if (!list) m.store.seeds.set(exits, (list = []));
  let seed = list.find((one) => one.root === root && one.objects === objects);
  if (!seed) {
    const frame = m.identities.frame(remove);
    const from = {
      fn: m.identities.frame(probe).fn,
      role: 'probe',
      file: { path: probe.file.path, isOwn: true },
    } as const;
    const made = yield* attempt(
      m.budgets,
      once(() =>
        seedRemove(exits, from, objects ?? new Map(), remove.item.name, (interner) =>
          entryState(frame, 'remove', interner),
        ),
      ),
    );
    if (made.givenUp) {
      giveUp(m, remove, made.givenUp);
      return;
    }
    list.push((seed = { root, objects, value: made.value }));
  }
  const { value } = seed;
  if (!value.states.length) return;
  yield* exploreOnce(m, remove, 'remove', {
    key: value,
    before: m.objects.get(remove.item),
    objects: value.objects,
    // Each exploration has objects of its own: those of probe do not grow with edits of remove.
    states() {
      const interner = createInterner();
      return value.states.map((s) => adoptState(interner, s));
    },
  });
}

/** Calls nested deeper than this, where the call graph did not see them, are unknown code. */
const MAX_NESTING = 20;

function summaryOf(m: Analysis, d: Defined<FunctionIr>): Summary {
  const known = m.summaries.get(d.item);
  if (known) return known;
  if (!isExplored(m, d.item)) return remember(m, d.item, harmless(m, d));
  if (m.inProgress.has(d.item) || m.inProgress.size >= MAX_NESTING) return OPAQUE;
  m.inProgress.add(d.item);
  const summary = atOnce(exploreGenerally(m, d));
  m.inProgress.delete(d.item);
  return remember(m, d.item, summary);
}

function remember(m: Analysis, fn: FunctionIr, s: Summary): Summary {
  m.summaries.set(fn, s);
  return s;
}

/**
 * A function that is not explored does nothing to devices, but may hand its parameters on to unseen
 * code.
 */
function harmless(m: Analysis, d: Defined<FunctionIr>): Summary {
  const escaping = [...m.relevance.escaping(d.item)].sort((a, b) => a - b),
    key = escaping.join();
  const root = m.identities.rootOf(d.item),
    known = m.store.harmless.get(root);
  if (known?.key === key) return known.summary;
  const interner = createInterner();
  const ops = escaping.map((i) => ({
    op: 'escape' as const,
    ok: true,
    place: parameter(interner, i).start,
    api: root.name,
    argument: i,
    site: { path: '', start: 0, end: 0 },
    settled: true,
  }));
  const config = new Map(root.conditions.map((c) => [c.test, c.holds] as const));
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
        ownState: false,
        takes: [],
      },
    ],
    objects: new Map(),
    gives: [],
    isHarmless: true,
  };
  m.store.harmless.set(root, { key, summary });
  return summary;
}

/** Explores a function for whoever may call it. */
function* exploreGenerally(m: Analysis, d: Defined<FunctionIr>): Steps<Summary> {
  const role = m.roles.get(d.item) ?? 'helper';
  const summary = yield* exploreOnce(m, d, role, {
    key: 'any',
    before: m.objects.get(d.item),
    objects: undefined,
    states: (frame) => [entryState(frame, role, createInterner())],
  });
  m.settled.set(nameOf(d), summary);
  return summary;
}

function* exploreOnce(
  m: Analysis,
  d: Defined<FunctionIr>,
  role: Role,
  entry: Entry,
): Steps<Summary> {
  const result = yield* exploreFunction(m, d, role, entry, answersFor(m, d));
  m.objects.set(d.item, result.objects);
  if (result.reason === null) m.explored.set(d.item, result);
  else giveUp(m, d, { reason: result.reason, isInternal: result.isInternal ?? false });
  return result.summary;
}

function giveUp(m: Analysis, d: Defined<FunctionIr>, { reason, isInternal }: GivenUp): void {
  if (!m.notAnalysed.has(d.item) || isInternal)
    m.notAnalysed.set(d.item, { path: d.file.path, reason, isInternal });
}

const NO_RESOURCES: HelperResources = { takes: [], gives: [], left: [] };

/**
 * What a function that does nothing to devices takes and gives back; null when that cannot be
 * followed.
 */
function helperOf(m: Analysis, d: Defined<FunctionIr>): HelperResources | null {
  const known = m.helpers.get(d.item);
  if (known !== undefined) return known;
  let result: HelperResources | null = NO_RESOURCES;
  if (m.touching.has(d.item)) {
    if (m.inProgress.size >= MAX_NESTING) return null;
    result = null;
    m.helpers.set(d.item, null); // a recursion
    m.inProgress.add(d.item);
    const explored = atOnce(exploreHelper(m, d, answersFor(m, d)));
    m.inProgress.delete(d.item);
    if (explored !== null && 'reason' in explored) giveUp(m, d, explored);
    else result = explored;
  }
  m.helpers.set(d.item, result);
  return result;
}

/** What today's module answers to the questions of a function's exploration. */
function answersFor(m: Analysis, { file, item }: Defined<FunctionIr>): Answers {
  const { index, identities } = m,
    from = { file, item };
  const plain = (value: string | number | boolean | null): Answer => ({ value, print: value });
  return (kind, about) => {
    if (typeof about !== 'string') {
      const d = identities.current(about);
      const value = d === undefined ? null : kind === 'summary' ? summaryOf(m, d) : helperOf(m, d);
      return { value, print: value };
    }
    switch (kind) {
      case 'functions': {
        const value = index.functions(file, about);
        return { value, print: printOf(m, value) };
      }
      case 'macro': {
        const value = index.macroFunction(file, about);
        return { value, print: value?.item };
      }
      case 'variable': {
        const value = index.variable(file, about);
        return { value, print: value && lowered(value.item) };
      }
      case 'struct': {
        const value = index.struct(file, about);
        return { value, print: value && lowered(value.item) };
      }
      case 'constant':
        return plain(index.constant(file, about));
      case 'truth':
        return plain(evaluateTest(about, m.kernel, macrosOf(index.module, m.kernel)));
      case 'again':
        return plain(comesAgain(file, about));
      case 'called':
        return plain(m.called.has(about));
      case 'ends':
        return plain(endsOrBegins(m, from, about));
      case 'callbacks': {
        const value = callbacksOf(m, about);
        return {
          value,
          print: `${value.isWhole} ${value.functions.map((d) => idOf(m, d)).join()}`,
        };
      }
      default:
        return { value: null, print: null };
    }
  };
}

/** One thing for equal lists of functions. Nearly all have one function or none. */
function printOf(m: Analysis, list: readonly Defined<FunctionIr>[]): unknown {
  return list.length === 0
    ? null
    : list.length === 1
      ? m.identities.rootOf(list[0]!.item)
      : list.map((d) => idOf(m, d)).join();
}

/** A number that a function has while it is the same. */
function idOf(m: Analysis, d: Defined<FunctionIr>): number {
  const root = m.identities.rootOf(d.item);
  let id = m.store.ids.get(root);
  if (id === undefined) m.store.ids.set(root, (id = m.store.nextId++));
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
function endsOrBegins(m: Analysis, d: Defined<FunctionIr>, name: string): boolean {
  const defined = m.index.functions(d.file, name);
  return defined.length
    ? defined.some((f) => m.relevance.affects(f.item))
    : m.index.macroFunction(d.file, name) !== null ||
        isLifecycleName(name, m.kernel, m.index.module.wrappers);
}

/** The functions that the core calls for the devices of the module. */
function callbacksOf(m: Analysis, member: string): Callbacks {
  const functions = new Map<FunctionIr, Defined<FunctionIr>>();
  let isWhole = m.ops.length > 0;
  for (const table of m.ops) {
    const name = table.style === 'fd' ? undefined : table.members.get(member)?.value,
      file = [...m.index.module.sources, ...m.index.module.headers].find(
        (f) => f.path === table.path,
      );
    isWhole &&= table.complete;
    if (name === undefined) continue;
    const defined = file ? m.index.functions(file, name) : [];
    for (const d of defined) functions.set(d.item, d);
    if (!defined.length && !isLifecycleName(name, m.kernel, m.index.module.wrappers))
      isWhole = false;
  }
  return { functions: [...functions.values()], isWhole };
}
