/** Proves that all of a device's life is here: one init, one register, one program, one allocation. */
import type { FileIr, FunctionIr } from '../../ir/types.ts';
import { familyRegisteredBy, type IommuFamily } from '../../kernel/iommu-families.ts';
import { baseName, typeOf } from '../../lifecycle/module/types-of.ts';
import type { Module } from '../../lifecycle/types.ts';
import {
  assignedTo,
  callSites,
  levelOf,
  unfollowedRegister,
  type CallSite,
} from '../query/call-sites.ts';
import { lineOf, refuse } from '../refusal-error.ts';
import type { AllocationPlan, Container } from '../types.ts';
import { rootOf } from './allocation.ts';
import { embedsDevice } from './container.ts';

/** The struct of the variable that the target of a call is a member of. */
export function rootTag(site: CallSite): string | undefined {
  const root = rootOf(site.scope, site.target);
  return root ? typeOf(site.scope, root)?.tag : undefined;
}

/** An arm that is there for old kernels is right as it is. */
export function refuseVersionArms(file: FileIr, group: readonly CallSite[]): void {
  for (const { fn } of group) {
    if (
      !fn.conditions.some((condition) =>
        /\b(?:LINUX_VERSION_CODE|KERNEL_VERSION)\b/.test(condition.test),
      )
    )
      continue;
    refuse(
      'conditional-code',
      `${fn.name}() is in an #if arm for certain kernels, which the conversion would change into one for others. Convert by hand.`,
      file,
      fn.nameSpan,
    );
  }
}

/** Refuses several inits in one function, which reach one register or are of one struct. */
export function refuseSeveralInits(file: FileIr, group: readonly CallSite[]): void {
  for (const site of group) {
    const same = group.filter((other) => other.fn === site.fn);
    if (same.length < 2) continue;
    const lines = same.map((other) => lineOf(file, other.call.start)).join(', ');
    const variables = new Set(same.map((other) => rootOf(other.scope, other.target)?.name));
    if (variables.size === same.length && !variables.has(undefined)) {
      refuse(
        'several-inits',
        `${site.fn.name}() initialises ${same.length} devices of one struct, \`${[...variables].join('` and `')}\` (lines ${lines}), whose error paths cannot be told apart. Initialise each in a helper that allocates one.`,
        file,
        same[1]!.call,
      );
    }
    refuse(
      'several-inits',
      `${site.fn.name}() has ${same.length} calls of ${site.call.name ?? 'the init'}() (lines ${lines}) that lead to the same registration. Set a local variable to the ops table before the allocation, and initialise the device once.`,
      file,
      same[1]!.call,
    );
  }
}

/**
 * The struct is allocated a second time, where no init is seen: frees by type would then hit the
 * wrong object.
 */
export function refuseOtherAllocations(
  file: FileIr,
  container: Container,
  allocations: readonly AllocationPlan[],
  sites: readonly CallSite[],
): void {
  for (const site of sites) {
    if (site.op !== 'allocate' || allocations.some((item) => item.call === site.call)) continue;
    const target = assignedTo(site);
    if (
      !target ||
      typeOf(site.scope, target)?.tag !== container.tag ||
      typeOf(site.scope, target)?.pointers !== 1
    )
      continue;
    refuse(
      'several-allocations',
      `\`struct ${container.tag}\` is also allocated at line ${lineOf(file, site.call.start)}, where no device is initialised, so it is not known which free belongs to which object. Give that object its own type.`,
      file,
      site.call,
    );
  }
}

/**
 * How the device is registered; an mdev is by now registered as one. What only a vendor's core
 * registers may be either.
 */
export function registration(
  file: FileIr,
  container: Container,
  group: readonly CallSite[],
  sites: readonly CallSite[],
): IommuFamily | 'unknown' {
  const registers = sites.filter(
    (site) =>
      site.op === 'register' &&
      (levelOf(site.scope, container, site.target) >= 0 || rootTag(site) === container.tag),
  );
  const first = registers[0];
  const wrapped = first ? undefined : unfollowedRegister(group[0]!.scope.module, file);
  if (wrapped)
    refuse(
      'registered-elsewhere',
      `${wrapped.name}() registers the device, according to the settings, but it takes the parent or does more than register. Let it take the device and only register.`,
      file,
      wrapped,
    );
  if (!first) {
    refuse(
      'registered-elsewhere',
      `No registration of \`struct ${container.tag}\` was found in this file: the life cycle spans several files. First register it where it is allocated.`,
      file,
      group[0]!.call,
    );
  }
  const known = registers.filter((site) => familyRegisteredBy(site.call.name) !== undefined);
  if (known.length === 0) return 'unknown';
  const emulated = known.filter((site) => familyRegisteredBy(site.call.name) === 'emulated');
  if (emulated.length > 0 && emulated.length < known.length) {
    refuse(
      'registered-elsewhere',
      `\`struct ${container.tag}\` is registered both with and without an IOMMU of its own; the ops table can serve only one.`,
      file,
      emulated[0]!.call,
    );
  }
  return emulated.length > 0 ? 'emulated' : 'physical';
}

/**
 * All that is edited stands in the same #if arms, so that one program is converted and not a
 * mixture.
 */
export function checkConditions(
  file: FileIr,
  first: FunctionIr,
  items: readonly {
    readonly name: string;
    readonly nameSpan: { start: number; end: number };
    readonly conditions: FunctionIr['conditions'];
  }[],
): void {
  const key = (conditions: FunctionIr['conditions']): string =>
    conditions.map((item) => `${item.holds ? '' : '!'}${item.test}`).join(' && ');
  for (const item of items) {
    if (key(item.conditions) === key(first.conditions)) continue;
    refuse(
      'conditional-code',
      `${item.name} and ${first.name}() are in different #if arms: they are not always the same program. Convert by hand.`,
      file,
      item.nameSpan,
    );
  }
}

/**
 * A file without an init of its own that nevertheless holds a part of the life of such an object.
 */
export function refuseForeignLife(
  module: Module,
  file: FileIr,
  sites: readonly CallSite[],
  functionName: string | undefined,
): void {
  if (sites.some((site) => site.op === 'alloc' || site.op === 'put' || site.op === 'init-device'))
    return;
  const here = (site: CallSite): boolean =>
    functionName === undefined || site.fn.name === functionName;
  const uninit = sites.find((site) => site.op === 'uninit' && here(site));
  if (uninit) {
    refuse(
      'initialised-elsewhere',
      `${uninit.fn.name}() uninitialises a device that another file initialises: the life cycle spans several files. First move probe and remove into one file.`,
      file,
      uninit.call,
    );
  }
  const initialiser = module.sources.find(
    (other) => other !== file && callSites(module, other).some((site) => site.op === 'init'),
  );
  if (!initialiser) return;
  for (const site of sites) {
    if (site.op !== 'allocate' || !here(site)) continue;
    const target = assignedTo(site);
    const type = target && typeOf(site.scope, target);
    if (
      !target ||
      type?.pointers !== 1 ||
      type.tag === 'vfio_device' ||
      !embedsDevice(module, file, type.tag)
    )
      continue;
    refuse(
      'initialised-elsewhere',
      `\`struct ${type.tag}\` is allocated here but its vfio_device is initialised in ${baseName(initialiser.path)}: the life cycle spans several files. First move the allocation, the init and the registration into one file.`,
      file,
      site.call,
    );
  }
}
