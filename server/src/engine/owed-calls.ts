/**
 * What somebody has yet to do with a device in some state, and what a path still holds where it
 * returns.
 */
import type { FunctionIr } from '../ir/types.ts';
import { takenBy } from '../kernel/resource-pairs.ts';
import type { KernelVersion } from '../kernel/types.ts';
import { compareVersions } from '../kernel/version.ts';
import type {
  DeviceState,
  ExitObservation,
  HeldResource,
  ModuleFacts,
  Site,
} from '../lifecycle/types.ts';
import { isSameSite } from '../rules/locate.ts';

/** Since this kernel the old model has vfio_uninit_group_dev(): 5.15. */
const UNINIT_SINCE: KernelVersion = [5, 15];

/** The functions that somebody has yet to call, in their order. */
export function owedCalls(state: DeviceState, kernel: KernelVersion): string[] {
  if (state.memory === 'freed' || state.memory === 'null' || state.memory === 'error-pointer')
    return [];
  const calls: string[] = [];
  if (state.registered === 'yes')
    calls.push(state.viaCore ? 'vfio_pci_core_unregister_device' : 'vfio_unregister_group_dev');
  if (
    state.model === 'old' &&
    state.initialised === 'yes' &&
    compareVersions(kernel, UNINIT_SINCE) >= 0
  )
    calls.push(state.viaCore ? 'vfio_pci_core_uninit_device' : 'vfio_uninit_group_dev');
  if (state.model !== 'old' && state.reference === 'held') calls.push('vfio_put_device');
  const free =
    state.model === 'old' && state.memory === 'live' && state.allocator !== null
      ? takenBy(state.allocator)?.undo[0]
      : undefined;
  if (free !== undefined) calls.push(free);
  return calls;
}

/**
 * By the returns of a function that begins or ends a device's life: what some path to this one has
 * taken.
 * @param outcome only the paths that end so; all of them without it.
 */
export function heldAt(
  facts: ModuleFacts,
  place: Site,
  outcome?: ExitObservation['outcome'],
): HeldResource[] {
  const leaves = facts.resources.leaves.filter(
    (leave) =>
      isSameSite(leave.returns, place) && (outcome === undefined || leave.outcome === outcome),
  );
  const held = leaves.flatMap((leave) =>
    leave.held.filter((one) => !one.shared && one.kind !== 'counter'),
  );
  return each(held);
}

/** What functions hold where they do not fail. */
export function heldOnSuccess(
  { resources }: ModuleFacts,
  functions: readonly FunctionIr[],
): HeldResource[] {
  const leaves = resources.leaves.filter(
    (one) => functions.includes(one.function) && one.outcome !== 'failure',
  );
  return each(leaves.flatMap(({ held }) => held)).filter(isNamed);
}

/** A count that an operator changes says nothing to a reader. */
export function isNamed({ api }: { readonly api: string }): boolean {
  return /^\w+$/.test(api);
}

function each(held: readonly HeldResource[]): HeldResource[] {
  return [...new Map(held.map((one) => [one.id, one])).values()];
}
