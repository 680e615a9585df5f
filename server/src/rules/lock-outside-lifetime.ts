/** A lock lives from open to close, and something takes it that may run outside of that. */
import { originalOf } from '../ir/lower.ts';
import type { Finding, Rule, RuleContext } from './types.ts';
import type { FunctionIr } from '../ir/types.ts';
import { scanOf } from '../lifecycle/module/function-scan.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import type { ModuleFacts } from '../lifecycle/types.ts';
import { isSetByDriver } from '../kernel/fixed-members.ts';
import { LOCK_DESTROYERS, LOCK_INITIALISERS, lockTakenBy } from '../kernel/locks.ts';
import { runWhetherOpenOrNot } from './entry-points.ts';
import { lockOutsideLifetimeExamples } from './lock-outside-lifetime.examples.ts';
import { callersOf, keptByFunction } from './function-traits.ts';
import { contains, walk } from './locate.ts';
import { reachedFrom, reachedFromRoles } from './call-graph.ts';
import { changesMember, indexOf, memberAccesses, type MemberAccess } from './members.ts';
import { opensAndCloses } from './open-and-close.ts';
import { quoted, say, written } from './wording.ts';

const messages = {
  initialised: '{lock} is initialised in {function}(), but {user}() takes it on a closed device',
  destroyed: '{lock} is destroyed in {function}(), but {user}() takes it on a closed device',
} as const;

export const lockOutsideLifetime: Rule = {
  id: 'lock-outside-lifetime',
  severity: 'warning',
  kernels: {},
  fixable: 'none',
  docs: {
    what: '`.open_device` initialises a lock or `.close_device` destroys it, but a function that also runs while the device is closed takes it.',
    why: 'Error handlers of the bus, attributes in sysfs and power management run for as long as the driver is bound. Before the first open the lock is zeroed memory, and after a close it is destroyed: taking it then is undefined. An open that initialises a held lock breaks it for its owner.',
    instead:
      'Initialise the lock in `.init`, or before the registration, and destroy it in `.release`.',
    knownProblems:
      'Nothing is reported if the function tests a member of the device before it takes the lock, because that may show whether the device is open. A lock that probe or `.init` initialises and `.close_device` destroys is reported too: the second open would not have it.',
    references: [
      'v6.8 91aeb563bd43: the reset_done of pds took a mutex that close had destroyed',
      'v6.12 drivers/pci/pci.c, pci_dev_restore(): calls reset_done() of a bound driver',
    ],
  },
  examples: lockOutsideLifetimeExamples,
  messages,
  check,
};

/** Where the life of a lock begins or ends too close. */
interface Lifetime {
  readonly access: MemberAccess;
  readonly isBeginning: boolean;
}

function check({ facts }: RuleContext): Finding[] {
  const roots = facts.opsTables.length === 0 ? [] : outside(facts);
  if (roots.length === 0) return [];
  const index = indexOf(facts.module, facts.kernel);
  const takers = reachedFrom(index, roots).functions.filter(mayTakeLock);
  if (takers.length === 0) return [];
  const tooClose = lifetimes(facts, index);
  if (tooClose.length === 0) return [];
  const users = takers.flatMap((fn) => locksTaken(index, fn));
  const changes = changesWithOpening(facts, index);
  return tooClose.flatMap(({ access, isBeginning }): Finding[] => {
    const user = users.find(
      (one) =>
        one.key === access.key &&
        !isBehindTest(index, one, changes) &&
        one.function !== access.function,
    );
    if (user === undefined) return [];
    return [
      {
        rule: lockOutsideLifetime.id,
        severity: lockOutsideLifetime.severity,
        message: say(isBeginning ? messages.initialised : messages.destroyed, {
          lock: quoted(written(access.file.text, access.node)),
          function: access.function.name,
          user: user.function.name,
        }),
        site: access.site,
        functionName: access.function.name,
        related: [{ site: user.site, message: `${user.function.name}() takes it here` }],
        fix: null,
      },
    ];
  });
}

function outside(facts: ModuleFacts): FunctionIr[] {
  return runWhetherOpenOrNot(facts, indexOf(facts.module, facts.kernel));
}

/** The locks that only an open initialises, and those that a close destroys. */
function lifetimes(facts: ModuleFacts, index: ModuleIndex): Lifetime[] {
  const pairs = opensAndCloses(facts, index);
  const opening = reachedFrom(
    index,
    pairs.map(({ open }) => open),
  );
  const closing = new Set(pairs.flatMap((pair) => pair.closing));
  const ending = reachedFromRoles(facts, index, 'remove', 'release', 'action');
  const beginning = reachedFromRoles(facts, index, 'probe', 'init');
  const initialisers = callersOf(index, LOCK_INITIALISERS).map(({ item }) => item);
  const destroyers = callersOf(index, LOCK_DESTROYERS).map(({ item }) => item);
  const initialised = initialisers
    .filter((fn) => !opening.has(fn) || beginning.has(fn))
    .flatMap((fn) => accessesBy(index, fn, LOCK_INITIALISERS));
  const early = new Set(initialised.map(({ key }) => key));
  return [
    ...initialisers
      .filter((fn) => opening.has(fn))
      .flatMap((fn) => accessesBy(index, fn, LOCK_INITIALISERS))
      .filter(({ key }) => !early.has(key))
      .map((access) => ({ access, isBeginning: true })),
    ...destroyers
      .filter((fn) => closing.has(fn) && !ending.has(fn))
      .flatMap((fn) => accessesBy(index, fn, LOCK_DESTROYERS))
      .filter(({ key }) => early.has(key))
      .map((access) => ({ access, isBeginning: false })),
  ];
}

function accessesBy(
  index: ModuleIndex,
  fn: FunctionIr,
  names: ReadonlySet<string>,
): MemberAccess[] {
  return memberAccesses(index, fn).filter(
    ({ lowered, form }) => form === 'address' && names.has(lowered.call?.name ?? ''),
  );
}

function locksTaken(index: ModuleIndex, fn: FunctionIr): MemberAccess[] {
  return memberAccesses(index, fn).filter(
    ({ lowered, form }) =>
      form === 'address' && lockTakenBy(lowered.call?.name ?? '') !== undefined,
  );
}

/** Whether a function has a guard, or a call that takes a lock. */
const mayTakeLock = keptByFunction((root) => {
  const { calls, names } = scanOf(root);
  return (
    names.called.some((name) => name.startsWith('guard_')) ||
    calls.some(({ name }) => name !== null && lockTakenBy(name) !== undefined)
  );
});

/**
 * A condition stands before the lock is taken, or around that, which may tell whether the device is
 * open: a member that an opening, or a callback, writes. One that is what it is for the whole life
 * of the device tells nothing.
 */
function isBehindTest(
  index: ModuleIndex,
  { function: fn, lowered: { node } }: MemberAccess,
  isWritten: (one: MemberAccess) => boolean,
): boolean {
  const conditions = [...walk(originalOf(fn).body)].flatMap((one) =>
    one.kind === 'if' && one.start < node.start ? [one.condition] : [],
  );
  return (
    conditions.length > 0 &&
    memberAccesses(index, fn).some(
      (one) =>
        conditions.some((condition) => contains(condition, one.lowered.node)) && isWritten(one),
    )
  );
}

/** What a driver sets once, before the registration. */
function isSetOnce({ key, owner }: MemberAccess): boolean {
  const member = key.slice(owner.length + 1);
  return owner === 'vfio_device' && (isSetByDriver(member) || /^(?:dev|ops)$/.test(member));
}

/** The accesses of members that may change between an opening and its close. */
function changesWithOpening(
  facts: ModuleFacts,
  index: ModuleIndex,
): (one: MemberAccess) => boolean {
  const beginning = reachedFromRoles(facts, index, 'probe', 'init');
  const others = index.allFunctions.filter(({ item }) => !beginning.has(item));
  return (one) =>
    index.struct(one.file, one.owner) === null
      ? !isSetOnce(one)
      : others.some(({ file, item }) => changesMember(index, file, item, one.key));
}
