/** Whether a device has an IOMMU group of its own, as the call says that registers it. */

/**
 * How a device reaches an IOMMU: by itself, or through its driver's emulation. It decides the
 * iommufd members.
 */
export type IommuFamily = 'physical' | 'emulated';

/** v6.1 drivers/vfio/vfio_main.c and drivers/vfio/pci/vfio_pci_core.c. */
const REGISTERS: ReadonlyMap<string, IommuFamily> = new Map([
  ['vfio_register_group_dev', 'physical'],
  ['vfio_register_emulated_iommu_dev', 'emulated'],
  ['vfio_pci_core_register_device', 'physical'],
]);

/** The family of the devices that a function registers; undefined for any other function. */
export function familyRegisteredBy(name: string | null | undefined): IommuFamily | undefined {
  return REGISTERS.get(name ?? '');
}
