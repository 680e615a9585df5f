/** All entries of the interface, by name. */
import type { ApiEntry, EffectOp, KernelVersion } from './types.ts';
import { DMA_API } from './api-dma.ts';
import { FILES_API } from './api-files.ts';
import { HELPER_API } from './api-helpers.ts';
import { IOMMUFD_API } from './api-iommufd.ts';
import { MDEV_BUS_API } from './api-mdev-bus.ts';
import { MDEV_API } from './api-mdev.ts';
import { OTHER_MEMBERS } from './api-members.ts';
import { NEW_API } from './api-new.ts';
import { OLD_API } from './api-old.ts';
import { OPS_MEMBERS } from './api-ops.ts';
import { OTHER_STRUCTS } from './api-other-structs.ts';
import { PCI_CORE_API } from './api-pci-core.ts';
import { PCI_REGIONS_API } from './api-pci-regions.ts';
import { PLATFORM_OPS_API } from './api-platform-ops.ts';
import { PLATFORM_API } from './api-platform.ts';
import { REGISTER_API } from './api-register.ts';
import { STRUCTS } from './api-structs.ts';
import { nearest } from './version.ts';

/** Functions and macros of the life-cycle interface. */
export const API_FUNCTIONS: readonly ApiEntry[] = [
  ...OLD_API,
  ...NEW_API,
  ...REGISTER_API,
  ...PCI_CORE_API,
  ...PLATFORM_API,
  ...MDEV_API,
];

/**
 * What stands beside it: functions, macros, constants, variables and enums of the same headers that
 * have no effect on the life of a device.
 */
export const API_HELPERS: readonly ApiEntry[] = [
  ...DMA_API,
  ...IOMMUFD_API,
  ...HELPER_API,
  ...FILES_API,
  ...PCI_REGIONS_API,
  ...PLATFORM_OPS_API,
  ...MDEV_BUS_API,
];

const MEMBERS: readonly ApiEntry[] = [...OPS_MEMBERS, ...OTHER_MEMBERS];

/** Every entry: functions, macros, members, structs and the rest. */
export const API_ENTRIES: readonly ApiEntry[] = [
  ...API_FUNCTIONS,
  ...API_HELPERS,
  ...MEMBERS,
  ...STRUCTS,
  ...OTHER_STRUCTS,
];

const named = new Map([...API_FUNCTIONS, ...API_HELPERS].map((entry) => [entry.name, entry]));
const structs = new Map([...STRUCTS, ...OTHER_STRUCTS].map((entry) => [entry.name, entry]));
const members = new Map<string, ApiEntry[]>();
for (const entry of MEMBERS) {
  const key = `${entry.owner}.${entry.name}`;
  members.set(key, [...(members.get(key) ?? []), entry]);
}

/**
 * The row of a function, macro, constant, variable or enum, whatever the kernel; undefined for any
 * other name.
 */
export function apiEntry(name: string): ApiEntry | undefined {
  return named.get(name);
}

/** The row of a struct, by its tag. */
export function apiStruct(tag: string): ApiEntry | undefined {
  return structs.get(tag);
}

/**
 * The row of a member of an ops table, by the tag of its struct. A name with two lives gives the
 * one of `kernel`; a kernel that
 * has neither gives the older one (`.release` in 5.15 to 6.0 is what is left of the file
 * descriptor's).
 */
export function apiMember(
  owner: string,
  name: string,
  kernel: KernelVersion,
): ApiEntry | undefined {
  return nearest(kernel, members.get(`${owner}.${name}`) ?? []);
}

/** The names of the members of a struct in all releases, each once. */
export function apiMemberNames(owner: string): readonly string[] {
  return [...new Set(MEMBERS.filter((entry) => entry.owner === owner).map(({ name }) => name))];
}

/** All lives of a member, oldest first. */
export function apiMemberHistory(owner: string, name: string): readonly ApiEntry[] {
  return members.get(`${owner}.${name}`) ?? [];
}

/** The rows of the members of that name in any struct. */
export function apiMembersNamed(name: string): readonly ApiEntry[] {
  return MEMBERS.filter((entry) => entry.name === name);
}

/** Functions of the interface all of whose effects are one of these. */
function functionsThatOnly(...ops: readonly EffectOp[]): string[] {
  return API_FUNCTIONS.filter(
    ({ behaviours }) =>
      behaviours.length > 0 &&
      behaviours.every(({ success }) => success.length === 1 && ops.includes(success[0]!.op)),
  ).map(({ name }) => name);
}

/** What begins and ends the use of a device in the memory of the driver, up to 6.0. */
export const OLD_MODEL_CALLS: readonly string[] = functionsThatOnly('init', 'uninit');

/** Functions that make a device or make it known: what defines one is a part of VFIO. */
export const CORE_FUNCTIONS: ReadonlySet<string> = new Set(
  functionsThatOnly('alloc', 'init', 'register'),
);

/**
 * The struct that argument 0 of a function of the interface points to, by its prototype; undefined
 * for what has none.
 */
export function deviceParameter(name: string): string | undefined {
  const text = apiEntry(name)?.signatures[0]?.text ?? '';
  return /\((?:const )?struct (\w+) \*/.exec(text)?.[1];
}
