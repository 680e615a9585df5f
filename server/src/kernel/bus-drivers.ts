/**
 * The structs by which a driver of a bus is registered, and what each says of the devices of the
 * bus.
 */
import { functionRow } from './functions/table.ts';
import type { KernelRange } from './types.ts';
import { ALWAYS, from } from './behaviour-builders.ts';

/** A struct of driver callbacks. */
export interface BusDriver {
  /** The tag of the struct, and the member that is called for a new device. */
  readonly tag: string;
  readonly probe: string;
  /** The struct of the devices that it is called for. */
  readonly device: string;
  /** Devices of this bus are made by drivers, and have no IOMMU group of their own. */
  readonly mediated?: true;
  /**
   * The kernels in which it has a member that leaves DMA to the driver. Without it the driver core
   * takes the IOMMU group for the kernel's own
   * DMA, and user space cannot open the device (512881eacfa7, 70693f470848).
   */
  readonly managedDma?: KernelRange;
}

/**
 * v6.0 include/linux/{pci,platform_device,amba/bus,fsl/mc,mdev}.h; cdx/cdx_bus.h came with 6.4;
 * mdev_parent_ops ended with 5.18.
 */
export const BUS_DRIVERS: readonly BusDriver[] = [
  { tag: 'pci_driver', probe: 'probe', device: 'pci_dev', managedDma: from('5.19') },
  { tag: 'platform_driver', probe: 'probe', device: 'platform_device', managedDma: from('5.19') },
  { tag: 'amba_driver', probe: 'probe', device: 'amba_device', managedDma: from('5.19') },
  { tag: 'fsl_mc_driver', probe: 'probe', device: 'fsl_mc_device', managedDma: from('5.19') },
  { tag: 'cdx_driver', probe: 'probe', device: 'cdx_device', managedDma: ALWAYS },
  { tag: 'mdev_driver', probe: 'probe', device: 'mdev_device', mediated: true },
  { tag: 'mdev_parent_ops', probe: 'create', device: 'mdev_device', mediated: true },
];

/**
 * True when `name` is a function of the kernel that takes or returns one mediated device: who calls
 * it works on an mdev. Those that make a parent are not among them.
 */
export function isOfMediated(name: string): boolean {
  return functionRow(name)?.isOfMediated === true;
}
