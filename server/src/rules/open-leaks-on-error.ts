/** `.open_device` fails and keeps what `.close_device` would have given back. */
import type { Finding, Rule, RuleContext } from './types.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import type { HeldResource, Leave, ModuleFacts, Site } from '../lifecycle/types.ts';
import { takenBy } from '../kernel/resource-pairs.ts';
import { macroNotes } from './exit-place.ts';
import { foreignHooks, type ForeignHook } from './foreign-hooks.ts';
import { siteOfCall } from './locate.ts';
import { indexOf } from './members.ts';
import {
  areGiven,
  callsOf,
  endingFunctions,
  isGiven,
  keptName,
  opensAndCloses,
  type OpenAndClose,
} from './open-and-close.ts';
import { openLeaksOnErrorExamples } from './open-leaks-on-error.examples.ts';
import { relatedOf } from './related.ts';
import { leavings, taken, undoneAnywhere, lostWords, type Leaving } from './resource-leaks.ts';
import { listedShortly, quoted, say } from './wording.ts';

const messages = {
  leak: '{what} {lost} on this error path; call {undo}',
  hook: '{open}() fails with {place} still set; set it to NULL first',
} as const;

export const openLeaksOnError: Rule = {
  id: 'open-leaks-on-error',
  severity: 'warning',
  isAbsence: true,
  kernels: {},
  fixable: 'none',
  docs: {
    what: '`.open_device` fails after it took a resource that `.close_device` releases.',
    why: 'The core does not call `.close_device` for a device whose `.open_device` failed. An enabled PCI device, memory or a reference is leaked, and the next open takes it again.',
    instead:
      'Let `.open_device` undo its own steps in reverse order before it returns the error: `vfio_pci_core_disable()` after `vfio_pci_core_enable()`.',
    knownProblems:
      'The rule only checks resources that `.close_device`, or another failing path of `.open_device`, releases; the undo of `vfio_pci_core_enable()` is always owed. The address of a member that is stored in another object counts if `.close_device` sets it to NULL. The rule is silent about resources that `.remove` or `.release` releases too: the driver may keep them from one open to the next.',
    references: [
      'v6.1 drivers/vfio/vfio_main.c, vfio_device_open(): a failed open_device goes past close_device',
      'v6.12 drivers/vfio/vfio_main.c, vfio_df_device_first_open()',
    ],
  },
  examples: openLeaksOnErrorExamples,
  messages,
  check,
};

const ENABLE = 'vfio_pci_core_enable';
const DISABLE = 'vfio_pci_core_disable';

function check({ facts }: RuleContext): Finding[] {
  const index = indexOf(facts.module, facts.kernel);
  const pairs = opensAndCloses(facts, index);
  if (pairs.length === 0) return [];
  const ways = new Map<string, GivenBack | null>();
  const wayOf = (leave: Leave, one: HeldResource): GivenBack | null => {
    const key = `${leave.function.name} ${one.id}`;
    let way = ways.get(key);
    if (way === undefined) ways.set(key, (way = givenBack(facts, index, pairs, leave, one)));
    return way;
  };
  const kept = leavings(
    facts,
    (leave, one) =>
      leave.role === 'callback' &&
      leave.outcome === 'failure' &&
      one.kind !== 'counter' &&
      !one.shared &&
      pairs.some(({ open }) => open === leave.function) &&
      wayOf(leave, one) !== null,
  ).map((leaving) => findingOf(facts, leaving, (one) => wayOf(leaving.leave, one)!));
  return [...kept, ...foreignHooks(facts, index, pairs).map((hook) => findingOfHook(hook))];
}

/** The object lives on without the device, and finds it where nobody has opened it. */
function findingOfHook({ fn, store, place, failure, reset: { by, site } }: ForeignHook): Finding {
  return {
    rule: openLeaksOnError.id,
    severity: openLeaksOnError.severity,
    message: say(messages.hook, { open: fn.name, place: quoted(place) }),
    site: failure,
    functionName: fn.name,
    related: [
      {
        site: { path: failure.path, start: store.start, end: store.end },
        message: 'the address of a member of the device is stored here',
      },
      { site, message: `${by.name}() resets it here` },
    ],
    fix: null,
  };
}

/** Who gives a resource back where all goes well. */
interface GivenBack {
  readonly api: string;
  readonly by: string | null;
  readonly site: Site | null;
}

/** How a resource is given back elsewhere; null where nothing shows that an open owes it. */
function givenBack(
  facts: ModuleFacts,
  index: ModuleIndex,
  pairs: readonly OpenAndClose[],
  leave: Leave,
  one: HeldResource,
): GivenBack | null {
  if (one.api === ENABLE) return { api: DISABLE, by: null, site: null };
  const [own] = undoneAnywhere(facts, one).filter(({ role }) => role === 'callback');
  const name = keptName(facts, index, one);
  // What lasts longer than one opening may have been taken by an earlier one.
  if (
    name !== null &&
    takenBy(one.api)?.taken === 'return' &&
    areGiven(index, endingFunctions(facts, index), one.undo, name)
  )
    return null;
  if (own !== undefined) return { api: own.api, by: own.function.name, site: own.site };
  const closing = pairs.flatMap(({ open, closing: list }) => (open === leave.function ? list : []));
  if (name === null) return null;
  for (const found of callsOf(index, closing, one.undo)) {
    const { call, fn } = found;
    const file = index.fileOf(fn);
    if (file !== undefined && isGiven(index, found, name))
      return {
        api: call.name!,
        by: fn.name,
        site: siteOfCall(file, found),
      };
  }
  return null;
}

function findingOf(
  facts: ModuleFacts,
  { leave, function: fn, site, owed }: Leaving,
  wayOf: (one: HeldResource) => GivenBack,
): Finding {
  const ways = owed.map(wayOf);
  return {
    rule: openLeaksOnError.id,
    severity: openLeaksOnError.severity,
    message: say(messages.leak, {
      what: listedShortly(owed.map((one) => taken(facts, one))),
      lost: lostWords(owed),
      undo: listedShortly(ways.map(({ api }) => `${api}()`)),
    }),
    site,
    functionName: fn.name,
    related: [
      ...relatedOf(leave.trace, site),
      ...macroNotes(facts, fn, site),
      ...owed.map((one) => ({ site: one.site, message: `${one.api}() is called here` })),
      ...ways.flatMap(({ api, by, site: at }) =>
        at === null || by === null ? [] : [{ site: at, message: `${by}() calls ${api}() here` }],
      ),
      ...(leave.function === fn ? [] : [calledFrom(leave)]),
    ],
    fix: null,
    owed: owed.map((one) => one.site),
  };
}

function calledFrom({ function: open, returns }: Leave) {
  const { start, end } = open.nameSpan;
  return { site: { path: returns.path, start, end }, message: `${open.name}() opens the device` };
}
