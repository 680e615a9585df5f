/** Whether a device has an IOMMU group of its own, as the call says that registers it. */
import { functionRow } from './functions/table.ts';

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
