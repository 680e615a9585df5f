/** The driver frees a container that `vfio_alloc_device()` allocated. */
import type { Edit } from '../text/span.ts';
import type { Finding, Fix, Rule, RuleContext } from './types.ts';
import type { ModuleFacts, OperationObservation } from '../lifecycle/types.ts';
import { deviceExpression, nameOf, operationsOn } from './device.ts';
import { callAt, documentOf, isSameSite } from './locate.ts';
import { isReleaseOfCore } from './release-does-not-chain.ts';
import { findingFor, lastOperation } from './report.ts';
import { deleteCall } from './fixes/delete-call.ts';
import { replace } from './fixes/text.ts';
import { freesAfterReaders, wipesMemory } from '../kernel/memory-uses.ts';
import { inRange } from '../kernel/version.ts';
import { freeOfCoreOwnedMemoryExamples } from './free-of-core-owned-memory.examples.ts';
import { say } from './wording.ts';

const messages = {
  afterRelease: '{free}() of {memory}, which the core frees after .release; delete the call',
  freedBeside: '{free}() of {memory}, which {other}() frees too; delete the call',
  inRelease: '{free}() of {memory}, which belongs to the VFIO core; call {other}() last instead',
  errorPointer: '{free}() of {memory}, an error pointer on this path; delete the call',
  afterPut: '{free}() of {memory}, which vfio_put_device() has released; delete the call',
  referenceHeld:
    '{free}() of {memory}, which belongs to the VFIO core; call vfio_put_device() instead',
} as const;

export const freeOfCoreOwnedMemory: Rule = {
  id: 'free-of-core-owned-memory',
  severity: 'error',
  kernels: { since: [6, 1] },
  fixable: 'safe',
  docs: {
    what: 'The driver frees a container that `vfio_alloc_device()` allocated.',
    why: "The core allocated the memory with `kvzalloc()`, keeps a reference count, an index and a device set in it, and frees it itself after `.release` (on 6.1 the driver's `.release` does that with `vfio_free_device()`). A `kfree()` or a similar call leaks all of that, and the core frees the memory a second time. Besides, `kfree()` is the wrong call for memory from `kvzalloc()`.",
    instead:
      'Drop the reference with `vfio_put_device()`. In a `.release` for 6.1 call `vfio_free_device()` last, in that of a vfio-pci device `vfio_pci_core_release_dev()`, which calls it; from 6.2 on do nothing: the core frees the container when `.release` returns.',
    knownProblems:
      'A free of memory that the container points to (`kfree(p->config)`) is right and not reported.',
    references: [
      'v6.1 cb9ff3f3b84c adds vfio_alloc_device and vfio_free_device',
      'v6.2 913447d06f03 removes vfio_free_device',
    ],
  },
  examples: freeOfCoreOwnedMemoryExamples,
  messages,
  check,
};

function check({ facts }: RuleContext): Finding[] {
  return facts.observations.flatMap((one): Finding[] => {
    if (!isFreeOfCoreMemory(one) && !isFreeAfterPut(facts, one)) return [];
    return [
      findingFor({
        rule: freeOfCoreOwnedMemory.id,
        severity: 'error',
        // No unseen call makes the memory the driver's own.
        observation: { ...one, certain: one.certain || one.doubt === 'possible' },
        message: messageFor(facts, one),
        fix: fixFor(facts, one),
      }),
    ];
  });
}

function isFreeOfCoreMemory(one: ModuleFacts['observations'][number]): one is OperationObservation {
  return one.kind === 'operation' && one.op === 'free' && one.before.model === 'new';
}

/**
 * A helper that puts the object and then frees it: only the core allocates what is put, but for a
 * vfio_init_device() driver.
 */
export function isFreeAfterPut(
  facts: ModuleFacts,
  one: ModuleFacts['observations'][number],
): one is OperationObservation {
  return (
    one.kind === 'operation' &&
    one.op === 'free' &&
    one.before.model === 'unknown' &&
    one.before.reference === 'dropped' &&
    lastOperation(one.trace, 'put', 'free', 'free-device')?.op === 'put' &&
    !facts.observations.some((other) => other.kind === 'operation' && other.op === 'init-device')
  );
}

function isOnly61(facts: ModuleFacts): boolean {
  return inRange(facts.kernel, { since: [6, 1], until: [6, 2] });
}

/**
 * What frees the container at the end of a `.release` for 6.1: for a vfio-pci device it does
 * the core's part too.
 */
function freeingCall(facts: ModuleFacts, { function: fn }: OperationObservation): string {
  return isReleaseOfCore(facts, fn) ? 'vfio_pci_core_release_dev' : 'vfio_free_device';
}

/** What frees the container on the same path as the driver's free, before it or after it. */
function freedBeside(facts: ModuleFacts, free: OperationObservation): string | null {
  const calls = operationsOn(facts, free.function, free.device).filter(
    ({ op }) => op === 'free-device' || op === 'core-release',
  );
  const passes = (one: OperationObservation, other: OperationObservation): boolean =>
    one.trace.some(({ kind, site }) => kind === 'operation' && isSameSite(site, other.site));
  return calls.find((one) => passes(one, free) || passes(free, one))?.api ?? null;
}

function messageFor(facts: ModuleFacts, one: OperationObservation): string {
  const names = { free: one.api, memory: nameOf(one) };
  if (one.role === 'release' && !isOnly61(facts)) return say(messages.afterRelease, names);
  if (one.role === 'release') {
    const other = freedBeside(facts, one);
    return other === null
      ? say(messages.inRelease, { ...names, other: freeingCall(facts, one) })
      : say(messages.freedBeside, { ...names, other });
  }
  if (one.before.memory === 'error-pointer') return say(messages.errorPointer, names);
  if (one.before.reference === 'dropped') return say(messages.afterPut, names);
  return say(messages.referenceHeld, names);
}

function fixFor(facts: ModuleFacts, free: OperationObservation): Fix | null {
  const file = documentOf(facts.module, free.function);
  const call = callAt(free.function.body, free.site);
  if (file === null || free.inner !== null || call === null || !isSameOnAllPaths(facts, free))
    return null;
  const doubt = whatElse(free.api);
  const fixOf = (title: string, edit: Edit): Fix => ({
    title: doubt === null ? title : `${title} (${doubt})`,
    safety: doubt === null ? 'safe' : 'unsafe',
    edits: [{ path: file.path, edits: [edit] }],
  });
  const isRelease = free.role === 'release';
  const goes = isRelease
    ? !isOnly61(facts) || freedBeside(facts, free) !== null
    : free.before.reference !== 'held';
  if (goes) {
    const edit = deleteCall(file.text, free.function, free.site);
    return edit === null ? null : fixOf(`Delete ${free.api}()`, edit);
  }
  const name = isRelease ? freeingCall(facts, free) : 'vfio_put_device';
  const [param] = free.function.params;
  const device =
    isRelease && param?.type.name === 'vfio_device'
      ? param.name
      : deviceExpression(facts, free.function, free.device, file.text);
  return device === null
    ? null
    : fixOf(`Call ${name}() instead`, replace(call, `${name}(${device})`));
}

/** What a person has to look at where a free does more than to free; null where it does not. */
function whatElse(free: string): string | null {
  if (wipesMemory(free)) return 'check that nothing in the memory has to be wiped';
  return freesAfterReaders(free) ? 'check that no reader under RCU is left' : null;
}

/**
 * Whether the device is in the same state on every path that comes to the call: one edit must be
 * right for all.
 */
function isSameOnAllPaths(facts: ModuleFacts, free: OperationObservation): boolean {
  return operationsOn(facts, free.function, free.device)
    .filter((one) => isSameSite(one.site, free.site))
    .every(
      (one) =>
        isFreeOfCoreMemory(one) &&
        one.before.reference === free.before.reference &&
        one.before.memory === free.before.memory,
    );
}
