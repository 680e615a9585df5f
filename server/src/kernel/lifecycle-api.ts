import type { ApiEntry, KernelVersion } from './types.ts';
import { MDEV_API } from './api-mdev.ts';
import { NEW_API } from './api-new.ts';
import { OLD_API } from './api-old.ts';
import { OPS_MEMBERS } from './api-ops.ts';
import { PCI_CORE_API } from './api-pci-core.ts';
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

/** Every entry: functions, macros, members, structs. */
export const API_ENTRIES: readonly ApiEntry[] = [...API_FUNCTIONS, ...OPS_MEMBERS, ...STRUCTS];

const functions = new Map(API_FUNCTIONS.map((entry) => [entry.name, entry]));
const structs = new Map(STRUCTS.map((entry) => [entry.name, entry]));
const members = new Map<string, ApiEntry[]>();
for (const entry of OPS_MEMBERS) {
  const key = `${entry.owner}.${entry.name}`;
  members.set(key, [...(members.get(key) ?? []), entry]);
}

/** The row of a life-cycle function or macro, whatever the kernel; undefined for any other name. */
export function apiEntry(name: string): ApiEntry | undefined {
  return functions.get(name);
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
  return [...new Set(OPS_MEMBERS.filter((entry) => entry.owner === owner).map(({ name }) => name))];
}

/** All lives of a member, oldest first. */
export function apiMemberHistory(owner: string, name: string): readonly ApiEntry[] {
  return members.get(`${owner}.${name}`) ?? [];
}
