/**
 * The structs beside the life cycle that drivers fill or read.
 */
import type { ApiEntry } from './types.ts';
import { CORE_H, MDEV_H, VFIO_H, helper, source } from './helper-rows.ts';
import { ALWAYS, before, from } from './behaviour-builders.ts';

export const OTHER_STRUCTS: readonly ApiEntry[] = [
  helper({
    name: 'vfio_log_ops',
    kind: 'struct',
    header: VFIO_H,
    signatures: [[from('6.1'), 'struct vfio_log_ops;']],
    summary: 'The DMA logging callbacks of a driver; `vdev->log_ops` points to it.',
    contract: [
      { text: 'Set `vdev->log_ops` before registration.' },
      { text: 'vfio-pci core requires all three members.' },
    ],
    ownership: 'The table must live as long as the device: make it static and const.',
    sources: [source('6.12', 'drivers/vfio/pci/vfio_pci_core.c', 'vfio_pci_core_register_device')],
  }),
  helper({
    name: 'vfio_info_cap',
    kind: 'struct',
    header: VFIO_H,
    signatures: [[ALWAYS, 'struct vfio_info_cap;']],
    summary: 'A chain of capabilities that an info ioctl builds.',
    contract: [{ text: 'Initialise it to zero.' }],
    ownership: 'The caller frees `buf`.',
    sources: [source('6.12', 'drivers/vfio/vfio_main.c', 'vfio_info_cap_add')],
  }),
  helper({
    name: 'virqfd',
    kind: 'struct',
    header: VFIO_H,
    signatures: [[ALWAYS, 'struct virqfd;']],
    summary: 'A user eventfd that calls the driver when it is signalled.',
    contract: [
      {
        text: 'A driver keeps only a pointer to it, for `vfio_virqfd_enable()` and `vfio_virqfd_disable()`.',
      },
    ],
    ownership: 'The core owns it.',
  }),
  helper({
    name: 'vfio_pci_regops',
    kind: 'struct',
    header: CORE_H,
    signatures: [[from('5.15'), 'struct vfio_pci_regops;']],
    summary: 'The callbacks of a region that a driver adds.',
    contract: [{ text: '`.rw` and `.release` are mandatory.' }],
    ownership: 'The table must live as long as the device is open: make it static and const.',
    sources: [source('6.19', 'drivers/vfio/pci/vfio_pci_core.c', 'vfio_pci_core_disable')],
  }),
  helper({
    name: 'vfio_pci_region',
    kind: 'struct',
    header: CORE_H,
    signatures: [[from('5.15'), 'struct vfio_pci_region;']],
    summary: 'A region that a driver adds to the regions of the PCI device.',
    contract: [{ text: '`vfio_pci_core_register_dev_region()` creates it.' }],
    ownership: 'The core owns it.',
    sources: [
      source('6.19', 'drivers/vfio/pci/vfio_pci_core.c', 'vfio_pci_core_register_dev_region'),
    ],
  }),
  helper({
    name: 'vfio_pci_device_ops',
    kind: 'struct',
    header: CORE_H,
    signatures: [[from('6.19'), 'struct vfio_pci_device_ops;']],
    summary: 'Callbacks of a PCI driver for dma-buf; `vdev->pci_ops` points to it.',
    contract: [{ text: 'Set `pci_ops` between the allocation and the registration.' }],
    ownership: 'The table must live as long as the device: make it static and const.',
  }),
  helper({
    name: 'mdev_parent_ops',
    kind: 'struct',
    header: MDEV_H,
    signatures: [[before('5.19'), 'struct mdev_parent_ops;']],
    summary: 'The callbacks of a driver that provides mediated devices.',
    contract: [
      { text: '`.supported_type_groups` is mandatory.' },
      { kernels: before('5.13'), text: '`.create` and `.remove` are mandatory.' },
      {
        kernels: from('5.13', '5.19'),
        text: 'Either `.device_driver`, or `.create` and `.remove`, must be set.',
      },
    ],
    ownership: 'The table must live as long as the parent is registered.',
    replacement: {
      text: 'a `struct mdev_driver` with `.probe` and `.remove`, and a `struct vfio_device_ops`',
      names: ['mdev_driver'],
    },
    sources: [source('5.15', 'drivers/vfio/mdev/mdev_core.c', 'mdev_register_device')],
  }),
  helper({
    name: 'mdev_type_attribute',
    kind: 'struct',
    header: MDEV_H,
    signatures: [[before('6.1'), 'struct mdev_type_attribute;']],
    summary: 'An attribute of a type of mediated devices.',
    replacement: {
      text: '`.device_api`, `.get_available` and `.show_description` of the mdev_driver, and `sysfs_name` and `pretty_name` of the mdev_type',
      names: ['mdev_driver', 'mdev_type'],
    },
  }),
];
