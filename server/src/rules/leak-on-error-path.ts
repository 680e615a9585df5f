/**
 * A failing path of probe does not release what `.remove` or another failing path releases, or
 * `.remove` does not release what a failing path does.
 */
import type { Finding, Rule, RuleContext } from './types.ts';
import type { FunctionIr } from '../ir/types.ts';
import type { HeldResource, Leave, ModuleFacts, Role, Undone } from '../lifecycle/types.ts';
import { leakOnErrorPathExamples } from './leak-on-error-path.examples.ts';
import { inRange } from '../kernel/version.ts';
import { giveBackFix } from './fixes/give-back.ts';
import { contains, functionsIn, nameSite } from './locate.ts';
import { reachedFrom } from './call-graph.ts';
import { indexOf } from './members.ts';
import { missingReleaseOp } from './missing-release-op.ts';
import { areGiven, keptName } from './open-and-close.ts';
import { macroNotes } from './exit-place.ts';
import { libraryLeaks, type LibraryUndo } from './library-leaks.ts';
import { relatedOf } from './related.ts';
import {
  beginningsOf,
  bringsUpDevice,
  endsOf,
  forgetfulRelease,
  initWithoutRelease,
  leavings,
  lostWords,
  nameOfTaken,
  taken,
  undoneAnywhere,
  undoneOf,
  undoneWord,
  type Leaving,
} from './resource-leaks.ts';
import { takenBy } from '../kernel/resource-pairs.ts';
import { listedShortly, quoted, say } from './wording.ts';

const messages = {
  leak: '{what} {lost} on this error path; call {undo}',
  neverUndone: '{what} is never {undone}: {function}() does not call {undo}',
  linked: 'a list keeps {node} after the last put; call {undo}() in {function}()',
  failedCall: '{call}() has failed and still holds a reference; call {undo}(), not kfree()',
  noRelease: '{what} is never {undone}: there is no .release; add one',
} as const;

export const leakOnErrorPath: Rule = {
  id: 'leak-on-error-path',
  severity: 'warning',
  isAbsence: true,
  kernels: {},
  fixable: 'unsafe',
  docs: {
    what: 'A failing path of probe does not release what `.remove` or another failing path releases, or `.remove` does not release what a failing path does.',
    why: 'When probe fails the driver core does not call `.remove`: memory, an enabled device, an interrupt or a registration is lost until the next reboot. A resource that only a failing path of probe releases is leaked at each unbind.',
    instead:
      'Unwind in reverse order, with one label for each step, and jump to the label of the last step that succeeded. Resources that `.release` frees need no label: the put runs `.release`.',
    knownProblems:
      "The rule only checks resources that the driver releases on some path. It is silent about resources that only the failing path passes to unknown code, managed resources (devm_, pcim_), resources under a condition of the driver's own, and those in arrays. A node counts if its list belongs to a global; if the driver never removes it, `.remove` has to. A library is checked by its exported pairs of functions. Without the put, everything that only `.release` frees is leaked: missing-put reports that.",
    references: [
      'v6.1 5f6c7e0831a1, ac1237912fbd and others move such pairs into .init and .release',
    ],
  },
  examples: leakOnErrorPathExamples,
  messages,
  check,
};

const BEGINNING: ReadonlySet<Role> = new Set<Role>(['probe', 'module']);
const ENDING: ReadonlySet<Role> = new Set<Role>(['remove', 'release', 'action']);

function check(context: RuleContext): Finding[] {
  const { facts } = context;
  return [
    ...leavings(facts, (leave, one) => isLeaked(facts, leave, one)).map((one) =>
      findingOf(facts, one, (resource) => evidence(facts, resource), messageOfProbe(facts, one)),
    ),
    ...leavings(facts, (leave, one) => isForgotten(facts, leave, one)).map((one) =>
      findingOf(
        facts,
        one,
        (resource) => undoneOf(facts, resource)[0],
        messageOfRemove(facts, one, one.leave.function),
      ),
    ),
    ...libraryLeaks(facts).map(({ leaving, undo }) => ({
      ...findingOf(facts, leaving, () => undefined, messageOfLibrary(facts, leaving, undo)),
      related: [
        ...relatedOf(leaving.leave.trace, leaving.site),
        { site: undo.site, message: `${undo.by}() calls ${undo.api}() here` },
      ],
    })),
    ...leavings(facts, (leave, one) => isLinkedForGood(facts, leave, one)).map((one) =>
      findingOf(facts, one, () => undefined, messageOfLink(facts, one)),
    ),
    ...leavings(
      facts,
      (leave, one) =>
        one.kind === 'pair' && !one.shared && forgetfulRelease(facts, leave, one) !== null,
    ).map((one) => findingOfRelease(facts, one)),
    ...leavings(
      facts,
      (leave, one) =>
        one.kind === 'pair' && !one.shared && initWithoutRelease(facts, leave, one) !== null,
    )
      .filter(() => !isReleaseMissed(context))
      .flatMap((one) => findingOfInit(facts, one)),
  ];
}

/** That a table lacks its .release is then the one defect. */
function isReleaseMissed(context: RuleContext): boolean {
  return (
    inRange(context.kernel, missingReleaseOp.kernels) && missingReleaseOp.check(context).length > 0
  );
}

/** Held where probe fails, although the driver gives it back elsewhere. */
function isLeaked(facts: ModuleFacts, leave: Leave, one: HeldResource): boolean {
  if (
    (leave.role !== 'probe' && leave.role !== 'module') ||
    leave.outcome !== 'failure' ||
    one.kind === 'counter' ||
    (one.shared && !isStillOwn(facts, leave, one))
  )
    return false;
  if (isOfFailure(one)) return true;
  return (
    evidence(facts, one) !== undefined &&
    !isPut(facts, leave, one) &&
    bringsUpDevice(facts, leave.function)
  );
}

/** device_register() that has failed: nobody else need show that its reference is to be dropped. */
function isOfFailure({ api, undo }: HeldResource): boolean {
  return takenBy(api)?.whenFailed === undo;
}

/**
 * The memory of a device that is put: whoever put it took it for that of the core, and that is the
 * defect.
 */
function isPut(facts: ModuleFacts, leave: Leave, one: HeldResource): boolean {
  return (
    leave.trace.some(({ op }) => op === 'put') &&
    beginningsOf(facts).some(
      ({ device }) =>
        device.originKind === 'allocation' &&
        device.origin.path === one.site.path &&
        contains(device.origin, one.site),
    )
  );
}

/**
 * The memory of the device: remove frees it on another path, and what it leaves registered on this
 * one is remove-without-unregister's to say.
 */
function isFreedByRemove(facts: ModuleFacts, one: HeldResource): boolean {
  return facts.observations.some(
    (end) =>
      end.kind === 'operation' &&
      end.op === 'free' &&
      end.role === 'remove' &&
      end.device.originKind === 'allocation' &&
      end.device.origin.path === one.site.path &&
      contains(end.device.origin, one.site),
  );
}

/**
 * Unseen code was given it on the way to success too, and remove gives it back all the same: nobody
 * has taken it over.
 */
function isStillOwn(facts: ModuleFacts, { function: fn }: Leave, one: HeldResource): boolean {
  return (
    undoneOf(facts, one).some(({ role, via }) => role === 'remove' && via === 'call') &&
    facts.resources.leaves.some(
      (other) =>
        other.function === fn &&
        other.outcome === 'success' &&
        other.held.some(({ id, shared }) => id === one.id && shared),
    )
  );
}

/**
 * Who gives it back by a call, remove before all others. What only `.release` does is owed by the
 * put, and a failing `.init` undoes for itself alone.
 */
function evidence(facts: ModuleFacts, resource: HeldResource): Undone | undefined {
  const undone = undoneOf(facts, resource).filter(
    ({ via, role }) => via === 'call' && role !== 'init',
  );
  return undone.find(({ role }) => ENDING.has(role)) ?? undone[0];
}

/** Held where remove ends, although probe gives it back where it fails. */
function isForgotten(facts: ModuleFacts, leave: Leave, one: HeldResource): boolean {
  if (leave.role !== 'remove' || one.kind !== 'pair' || one.shared) return false;
  const undone = undoneOf(facts, one);
  if (takenBy(one.api)?.into !== undefined && isTakenOutBy(facts, leave.function, one))
    return false;
  if (isPut(facts, leave, one) || isFreedByRemove(facts, one)) return false;
  return (
    undone.length > 0 && undone.every(({ role, via }) => via === 'call' && BEGINNING.has(role))
  );
}

/** A list that lasts still leads to the device whose last reference remove drops, or to its memory. */
function isLinkedForGood(facts: ModuleFacts, leave: Leave, one: HeldResource): boolean {
  return (
    leave.role === 'remove' &&
    takenBy(one.api)?.into !== undefined &&
    undoneAnywhere(facts, one).length === 0 &&
    !isTakenOutBy(facts, leave.function, one) &&
    leave.trace.some(({ op }) => op === 'put' || op === 'free')
  );
}

/** Whether a function, or what it calls, takes the same node out, on whichever path. */
function isTakenOutBy(facts: ModuleFacts, fn: FunctionIr, one: HeldResource): boolean {
  const index = indexOf(facts.module, facts.kernel);
  const name = keptName(facts, index, one);
  const ends = reachedFrom(index, [fn, ...functionsIn(facts, 'release', 'action')]);
  return name !== null && areGiven(index, ends.functions, one.undo, name);
}

function messageOfLibrary(facts: ModuleFacts, { owed }: Leaving, { api }: LibraryUndo): string {
  return say(messages.leak, {
    what: listedShortly(owed.map((one) => taken(facts, one))),
    lost: lostWords(owed),
    undo: `${api}()`,
  });
}

function messageOfLink(facts: ModuleFacts, { leave, owed }: Leaving): string {
  const [one] = owed;
  const name = one === undefined ? null : nameOfTaken(facts, one);
  return say(messages.linked, {
    node: quoted(name ?? 'the node'),
    undo: one?.undo[0] ?? '',
    function: leave.function.name,
  });
}

function findingOf(
  facts: ModuleFacts,
  leaving: Leaving,
  undone: (resource: HeldResource) => Undone | undefined,
  message: string,
): Finding {
  const { leave, site, owed } = leaving;
  return {
    rule: leakOnErrorPath.id,
    severity: leakOnErrorPath.severity,
    message,
    site,
    functionName: leaving.function.name,
    related: [
      ...relatedOf(leave.trace, site),
      ...macroNotes(facts, leaving.function, site),
      ...endsOf(facts, owed, leave.trace, undone),
    ],
    fix: leave.role === 'remove' || leave.role === 'helper' ? null : giveBackFix(facts, leaving),
    owed: owed.map((one) => one.site),
  };
}

/** The last put in remove runs the `.release` that forgets: the defect is there. */
function findingOfRelease(facts: ModuleFacts, leaving: Leaving): Finding {
  const { leave, site, owed } = leaving;
  const fn = owed[0] === undefined ? null : forgetfulRelease(facts, leave, owed[0]);
  const at = fn === null ? null : nameSite(facts.module, fn);
  const finding = findingOf(
    facts,
    leaving,
    (resource) => undoneOf(facts, resource)[0],
    messageOfRemove(facts, leaving, fn ?? leave.function),
  );
  return fn === null || at === null
    ? finding
    : {
        ...finding,
        site: at,
        functionName: fn.name,
        related: [...finding.related, { site, message: `${leave.function.name}() ends here` }],
      };
}

/** `.init` takes it, and there is no `.release` that the last put could run. */
function findingOfInit(facts: ModuleFacts, leaving: Leaving): Finding[] {
  const { leave, site, owed } = leaving;
  const fn = owed[0] === undefined ? null : initWithoutRelease(facts, leave, owed[0]);
  const at = fn === null ? null : nameSite(facts.module, fn);
  if (fn === null || at === null) return [];
  const message = say(messages.noRelease, {
    what: listedShortly(owed.map((one) => taken(facts, one))),
    undone: undoneWord(owed),
  });
  const finding = findingOf(facts, leaving, (resource) => undoneOf(facts, resource)[0], message);
  const related = [
    ...finding.related,
    { site, message: `${leave.function.name}() makes the last put and ends here` },
  ];
  return [{ ...finding, site: at, functionName: fn.name, related, fix: null }];
}

function messageOfProbe(facts: ModuleFacts, { owed }: Leaving): string {
  const failed = owed.find((one) => isOfFailure(one));
  if (failed !== undefined)
    return say(messages.failedCall, { call: failed.api, undo: failed.undo[0] ?? '' });
  return say(messages.leak, {
    what: listedShortly(owed.map((one) => taken(facts, one))),
    lost: lostWords(owed),
    undo: listedShortly(owed.flatMap((one) => evidence(facts, one) ?? []).map(calledBy)),
  });
}

function messageOfRemove(facts: ModuleFacts, { owed }: Leaving, by: FunctionIr): string {
  return say(messages.neverUndone, {
    what: listedShortly(owed.map((one) => taken(facts, one))),
    undone: undoneWord(owed),
    function: by.name,
    undo: listedShortly(owed.flatMap((one) => undoneOf(facts, one)[0] ?? []).map(calledBy)),
  });
}

function calledBy({ api }: Undone): string {
  return `${api}()`;
}
