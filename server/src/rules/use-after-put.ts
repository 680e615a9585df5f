/**
 * The container or its vfio_device is used after its last reference was put, or after its memory
 * was freed.
 */
import type { Finding, Fix, Rule, RuleContext } from './types.ts';
import type {
  ModuleFacts,
  Observation,
  OperationObservation,
  Step,
  UseObservation,
} from '../lifecycle/types.ts';
import { applyEdits } from '../text/edits.ts';
import { nameOf, operationsOn } from './device.ts';
import type { Edit } from '../text/span.ts';
import { isLog } from '../kernel/heuristics.ts';
import { givenBackBy } from '../kernel/resource-pairs.ts';
import { callAt, documentOf, isSameSite } from './locate.ts';
import { givenBackTwice, type GivenBack } from './given-back.ts';
import { reachedFromRoles } from './call-graph.ts';
import { indexOf, memberAccesses } from './members.ts';
import { isFreeAfterPut } from './free-of-core-owned-memory.ts';
import { findingFor, lastOperation } from './report.ts';
import { moveEndBehind } from './fixes/end-last.ts';
import { hoistRead } from './fixes/hoist.ts';
import { deleteCall } from './fixes/delete-call.ts';
import { isLockedSinceLookup } from './held-locks.ts';
import { useAfterPutExamples } from './use-after-put.examples.ts';
import { say } from './wording.ts';

const messages = {
  releasedTwice: '{what} is released again after the put: {release}() calls {call}(); delete this',
  readAfterPut: '{what} is {used} after the last put; read it into a local variable before the put',
  usedAfterPut: '{what} is {used} after the last put; do this before the put',
  readAfterFree:
    '{what} is {used} after its memory was freed; read it into a local variable before',
  usedAfterFree: '{what} is {used} after its memory was freed; do this before the free',
} as const;

export const useAfterPut: Rule = {
  id: 'use-after-put',
  severity: 'error',
  kernels: {},
  fixable: 'safe',
  docs: {
    what: 'The container or its vfio_device is used after its last reference was put, or after its memory was freed.',
    why: 'The last `vfio_put_device()` runs `.release` and frees the container, and the driver cannot know that its put was not the last one. On 6.1 `vfio_free_device()` and `vfio_pci_core_release_dev()`, which calls it, free the memory at once.',
    instead:
      'Put the container last, after all uses. Read values that are needed afterwards, such as a work queue to destroy, into a local before the put. Do not release anything that `.release` releases: before the put that is a double free too. The fix moves the put after log messages, or reads the member into a local of the same type first. If the put would move over other code, you have to decide. On 6.1 the freeing call is the last statement of `.release`.',
    knownProblems:
      'Taking an address in the container without using it is not reported. A pointer that was copied out before the put and is used after it is not a use of the container. A device from a lookup is not reported while a lock that was taken before the lookup is held: the lock may keep another reference.',
    references: [
      'v6.1 cb9ff3f3b84c adds vfio_put_device',
      'v6.2 913447d06f03 moves the free to after .release',
    ],
  },
  examples: useAfterPutExamples,
  messages,
  check,
};

function check({ facts, kernel }: RuleContext): Finding[] {
  const dead = facts.observations.filter((one): one is UseObservation | OperationObservation =>
    isUseOfDead(one, kernel[0] > 6 || (kernel[0] === 6 && kernel[1] >= 1)),
  );
  const embeds = facts.observations.some(
    (one) => one.kind === 'operation' && one.op === 'init-device',
  );
  return dead.flatMap((one) => {
    const end = endOf(one);
    // The driver's free of what the core frees here is the defect, and goes.
    if (
      one.kind === 'operation' &&
      one.role === 'release' &&
      end?.op === 'free' &&
      (one.op === 'core-release' || one.op === 'free-device')
    )
      return [];
    // A put in .init is a defect of its own, which init-callback-contract says once for all that
    // follows; what frees the core's memory is one too.
    if ((one.role === 'init' && end?.op === 'put') || isFreeAfterPut(facts, one)) return [];
    // In a helper of which no caller is seen, a put need not be that of the last reference, nor the
    // memory be the core's.
    const isFound = one.device.originKind === 'return';
    if (
      one.before.model === 'unknown' &&
      end?.op === 'put' &&
      ((embeds && !isFound) || isPutAgain(facts, one))
    )
      return [];
    if (end?.op === 'put' && isFoundUnderLock(one)) return [];
    return findingFor({
      rule: useAfterPut.id,
      severity: isFound ? 'warning' : 'error',
      observation: one,
      message: messageFor(facts, one, end),
      fix: fixFor(facts, dead, one, end),
    });
  });
}

/**
 * A device that a lookup gave, under a lock that is held still: the lookup may have taken a
 * reference beside one that only the lock's holder drops.
 */
function isFoundUnderLock({ device, function: fn, text, site }: Observation): boolean {
  const name = /[A-Za-z_]\w*/.exec(text)?.[0];
  const isLookedUp = device.originKind === 'return' || device.originKind === 'load';
  return isLookedUp && name !== undefined && isLockedSinceLookup(fn, name, site);
}

/**
 * Whether a path of the function puts the device once more: then it was given several references.
 */
function isPutAgain(facts: ModuleFacts, use: Observation): boolean {
  return operationsOn(facts, use.function, use.device).some(
    (one) => one.op === 'put' && one.before.reference === 'dropped',
  );
}

function isUseOfDead(one: Observation, isNewModelKernel: boolean): boolean {
  const { before } = one;
  // A reference beyond the first was taken on the way: the put may be that of another one.
  if (!one.certain && one.role === 'remove' && one.trace.some(({ op }) => op === 'get'))
    return false;
  // `.release` runs while the last put is under way: there the reference is gone and the memory is
  // not.
  const isPut =
    before.model === 'new' &&
    before.reference === 'dropped' &&
    before.extraReferences === 0 &&
    one.role !== 'release';
  const isDead = before.memory === 'freed' || isPut;
  if (!isDead || before.memory === 'error-pointer') return false;
  if (one.kind === 'use') return true;
  if (one.kind !== 'operation') return false;
  switch (one.op) {
    case 'alloc':
    case 'allocate':
    case 'get-drvdata':
    case 'defer':
      return false;
    // A second put is double-put, a free of the core's memory is free-of-core-owned-memory.
    case 'put':
      return before.reference !== 'dropped';
    case 'free':
      return before.model !== 'new';
    // Put and then unregister is put-while-registered, which offers to swap them.
    case 'unregister':
      return !(
        isNewModelKernel &&
        before.model === 'new' &&
        before.registered === 'yes' &&
        before.reference === 'dropped'
      );
    default:
      return true;
  }
}

/** The step that ended the object. */
function endOf(one: Observation): Step | null {
  return one.before.memory === 'freed'
    ? lastOperation(one.trace, 'free', 'free-device', 'core-release', 'put')
    : lastOperation(one.trace, 'put');
}

/** What is done with a device in an expression, in words; anything else hands it on. */
const USED: Readonly<Partial<Record<UseObservation['form'], string>>> = {
  write: 'written',
  read: 'read',
};

function messageFor(
  facts: ModuleFacts,
  one: UseObservation | OperationObservation,
  end: Step | null,
): string {
  const what = nameOf(one);
  const twice = secondTime(facts, one, end);
  if (twice !== null)
    return say(messages.releasedTwice, { what, release: twice.release.name, call: twice.api });
  const used =
    one.kind === 'operation' ? `passed to ${one.api}()` : (USED[one.form] ?? 'passed on');
  const isSaved = one.kind === 'use' && one.form === 'read' && !isGivenAway(facts, one.field);
  if (end?.op === 'put')
    return say(isSaved ? messages.readAfterPut : messages.usedAfterPut, { what, used });
  return say(isSaved ? messages.readAfterFree : messages.usedAfterFree, { what, used });
}

/** The call of `.release`, which the put runs, that does what the use does after the put. */
function secondTime(facts: ModuleFacts, one: Observation, end: Step | null): GivenBack | null {
  return one.kind === 'use' && end?.op === 'put' ? givenBackTwice(facts, one) : null;
}

/**
 * The put goes behind what still uses the device where it passes messages only; else the member is
 * read before the put, which changes no
 * order; else a person must look at what the put passes. What `.release` does too goes, and nothing
 * is moved behind it.
 */
function fixFor(
  facts: ModuleFacts,
  dead: readonly Observation[],
  one: UseObservation | OperationObservation,
  end: Step | null,
): Fix | null {
  const file = documentOf(facts.module, one.function);
  if (file === null || end === null || end.site.path !== file.path) return null;
  const fixOf = (title: string, safety: Fix['safety'], edits: readonly Edit[]): Fix => ({
    title,
    safety,
    edits: [{ path: file.path, edits }],
  });
  const uses = usesBehind(facts, dead, one, end);
  if (uses === null) return null;
  const word = end.op === 'put' ? 'put' : 'free';
  if (secondTime(facts, one, end) !== null) return withoutCall(file.text, one, fixOf);
  const isMovable = uses.every((other) => secondTime(facts, other, end) === null);
  const later = !isMovable
    ? null
    : moveEndBehind(
        file.text,
        one.function,
        end.site,
        uses.map(({ site }) => site),
      );
  if (later?.safety === 'safe')
    return fixOf(`Move the ${word} after the last use`, 'safe', later.edits);
  const edits = savedRead(facts, one, uses, end);
  if (edits !== null)
    return fixOf(`Read \`${(one as UseObservation).field}\` before the ${word}`, 'safe', edits);
  // Of two equal lines one behind the other, neither is better first.
  return later === null || applyEdits(file.text, later.edits) === file.text
    ? null
    : fixOf(`Move the ${word} after the last use (check the order)`, 'unsafe', later.edits);
}

/** The statement of a call deleted: `.release` may not do the same on all of its paths. */
function withoutCall(
  text: string,
  { function: fn, site }: Observation,
  fixOf: (title: string, safety: Fix['safety'], edits: readonly Edit[]) => Fix,
): Fix | null {
  const call = callAt(fn.body, site);
  // A function of the driver may do more than that.
  if (call?.name == null || givenBackBy(call.name).length === 0) return null;
  const edit = deleteCall(text, fn, site);
  return edit === null
    ? null
    : fixOf(`Delete ${call.name}() (check that .release does it on every path)`, 'unsafe', [edit]);
}

type Use = UseObservation | OperationObservation;

/**
 * The uses that this end makes wrong; null when a path comes to one of them with the device alive
 * or ended elsewhere.
 */
function usesBehind(
  facts: ModuleFacts,
  dead: readonly Observation[],
  one: Use,
  end: Step,
): readonly Use[] | null {
  const isOfDevice = (other: Observation): other is Use =>
    (other.kind === 'use' || other.kind === 'operation') &&
    other.function === one.function &&
    other.device.id === one.device.id;
  const isBehind = (other: Observation): boolean =>
    dead.includes(other) && isSameSite(endOf(other)?.site ?? other.site, end.site);
  const uses = dead.filter(isOfDevice).filter(isBehind);
  const isReachedOtherwise = facts.observations.some(
    (other) =>
      isOfDevice(other) &&
      !isBehind(other) &&
      uses.some((use) => isSameSite(use.site, other.site) && use.kind === other.kind),
  );
  // Several paths come to one place.
  return isReachedOtherwise
    ? null
    : uses.filter(
        (use, i) =>
          uses.findIndex((other) => other.kind === use.kind && isSameSite(other.site, use.site)) ===
          i,
      );
}

/**
 * The member read into a local before the end, unless `.release`, which the end runs, gives away
 * what the member points to.
 */
function savedRead(facts: ModuleFacts, one: Use, uses: readonly Use[], end: Step): Edit[] | null {
  const file = documentOf(facts.module, one.function);
  if (file === null || one.kind !== 'use' || one.form !== 'read' || one.field === null) return null;
  const reads = uses.filter((other) => other.kind === 'use' && other.field === one.field);
  const index = indexOf(facts.module, facts.kernel);
  return isGivenAway(facts, one.field)
    ? null
    : hoistRead(
        file.text,
        index,
        one.function,
        reads.map(({ site }) => site),
        end.site,
      );
}

/**
 * Whether `.release` gives a member to a call, which may free what it points to, or another value.
 */
function isGivenAway(facts: ModuleFacts, field: string | null): boolean {
  if (field === null) return false;
  const index = indexOf(facts.module, facts.kernel);
  return reachedFromRoles(facts, index, 'release').functions.some((fn) =>
    memberAccesses(index, fn).some(
      ({ key, call, form }) =>
        key.endsWith(`.${field}`) &&
        ((call !== null && !isLog(call.name ?? '')) || form === 'write'),
    ),
  );
}
