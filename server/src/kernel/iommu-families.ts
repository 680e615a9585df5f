/** Whether a device has an IOMMU group of its own, as the call says that registers it. */
import { functionRow } from './functions/table.ts';
import type { KernelVersion } from './types.ts';

/**
 * How a device reaches an IOMMU: by itself, or through its driver's emulation. It decides the
 * iommufd members.
 */
export type IommuFamily = 'physical' | 'emulated';

/**
 * The family of the devices that a function registers; undefined for any other function (v6.1
 * drivers/vfio/vfio_main.c and drivers/vfio/pci/vfio_pci_core.c).
 */
export function familyRegisteredBy(name: string | null | undefined): IommuFamily | undefined {
  return functionRow(name ?? '')?.iommu;
}

/** The family that a helper of the core is for, which is the value of an iommufd member. */
export function familyOfHelper(name: string): IommuFamily | null {
  return (/^vfio_iommufd_(physical|emulated)_/.exec(name)?.[1] ?? null) as IommuFamily | null;
}

/**
 * The iommufd members of the ops table, in the order of the struct, with the end of the names of
 * their helpers and the kernel that each came with (v6.2 and v6.6 include/linux/vfio.h).
 */
export const IOMMUFD_MEMBERS: readonly {
  readonly name: string;
  readonly suffix: string;
  readonly since: KernelVersion;
}[] = [
  { name: 'bind_iommufd', suffix: 'bind', since: [6, 2] },
  { name: 'unbind_iommufd', suffix: 'unbind', since: [6, 2] },
  { name: 'attach_ioas', suffix: 'attach_ioas', since: [6, 2] },
  { name: 'detach_ioas', suffix: 'detach_ioas', since: [6, 6] },
];
