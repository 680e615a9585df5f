/** The structs of the life cycle. */
import type { ApiEntry } from './types.ts';
import { ALWAYS, before, from } from './behaviour-builders.ts';

const EMBEDDED = from('5.13');
const SINCE_5_15 = from('5.15');

/** The structs of the life cycle. A signature shows what matters of the struct, not all of it. */
export const STRUCTS: readonly ApiEntry[] = [
  {
    name: 'vfio_device',
    kind: 'struct',
    model: 'both',
    kernels: ALWAYS,
    signatures: [{ kernels: ALWAYS, text: 'struct vfio_device;' }],
    summary: 'One device that user space can open through VFIO.',
    contract: [
      {
        kernels: before('5.13'),
        text: 'It belongs to the core; a driver sees a pointer at most. In 5.10.137 and later of 5.10.y the driver embeds it, as since 5.13.',
      },
      {
        kernels: from('5.13', '6.1'),
        text: 'The driver embeds it in a struct of its own, and owns that memory.',
      },
      {
        kernels: from('6.1'),
        text: 'The driver embeds it at offset 0 of a struct of its own. The core allocates the struct and frees it after the last put.',
      },
      {
        kernels: from('6.1'),
        text: '`vdev->device` counts the references to the object; `vdev->dev` is the parent. They are different devices.',
      },
      {
        kernels: from('5.18', '6.0'),
        text: 'Set `migration_flags` before registration.',
      },
      {
        kernels: from('6.0'),
        text: 'Set `mig_ops`, `migration_flags` and the like before registration.',
      },
      {
        kernels: EMBEDDED,
        text: 'The members that the header marks as private belong to the core.',
      },
    ],
    behaviours: [],
    header: 'linux/vfio.h',
    commits: [
      { id: '0bfc6a4ea63c', text: 'lets drivers embed it', kernel: '5.13' },
      { id: '3c28a76124b2', text: 'adds the struct device that counts references', kernel: '6.1' },
    ],
  },
  {
    name: 'vfio_device_ops',
    kind: 'struct',
    model: 'both',
    kernels: ALWAYS,
    signatures: [{ kernels: ALWAYS, text: 'struct vfio_device_ops;' }],
    summary: 'The callbacks of a driver.',
    contract: [
      { kernels: before('5.13'), text: 'The callbacks take `void *device_data`.' },
      {
        kernels: before('5.15'),
        text: '`.open` and `.release` are called for each file descriptor.',
      },
      {
        kernels: from('5.15', '6.1'),
        text: 'There is no `.init` and no `.release`: probe and remove do that work.',
      },
      {
        kernels: from('6.1', '6.2'),
        text: '`.init` and `.release` are the two ends of the object. `.release` is mandatory.',
      },
      {
        kernels: from('6.2'),
        text: '`.init` and `.release` are the two ends of the object. Both are optional.',
      },
      {
        kernels: from('6.4', '6.6'),
        text: 'With CONFIG_IOMMUFD the members `.bind_iommufd`, `.unbind_iommufd` and `.attach_ioas` are needed.',
      },
      {
        kernels: from('6.6'),
        text: 'With CONFIG_IOMMUFD the members `.bind_iommufd`, `.unbind_iommufd`, `.attach_ioas` and `.detach_ioas` are needed.',
      },
    ],
    ownership: 'The table must live as long as the device: make it static and const.',
    behaviours: [],
    header: 'linux/vfio.h',
    commits: [
      { id: '6df62c5b05f4', text: 'lets the callbacks take a struct vfio_device', kernel: '5.13' },
      { id: '2fd585f4ed9d', text: 'adds open_device and close_device', kernel: '5.15' },
      { id: 'cb9ff3f3b84c', text: 'adds init and release', kernel: '6.1' },
    ],
  },
  {
    name: 'vfio_migration_ops',
    kind: 'struct',
    model: 'both',
    kernels: from('6.0'),
    signatures: [{ kernels: from('6.0'), text: 'struct vfio_migration_ops;' }],
    summary: 'The migration callbacks of a driver; `vdev->mig_ops` points to it.',
    contract: [
      { text: 'Set `vdev->mig_ops` and `vdev->migration_flags` before registration.' },
      {
        kernels: from('6.0', '6.2'),
        text: 'vfio-pci core requires `.migration_set_state`, `.migration_get_state` and the flag VFIO_MIGRATION_STOP_COPY.',
      },
      {
        kernels: from('6.2'),
        text: 'vfio-pci core requires `.migration_set_state`, `.migration_get_state`, `.migration_get_data_size` and the flag VFIO_MIGRATION_STOP_COPY.',
      },
    ],
    ownership: 'The table must live as long as the device: make it static and const.',
    behaviours: [],
    header: 'linux/vfio.h',
    commits: [],
  },
  {
    name: 'vfio_device_set',
    kind: 'struct',
    model: 'both',
    kernels: SINCE_5_15,
    signatures: [{ kernels: SINCE_5_15, text: 'struct vfio_device_set;' }],
    summary: 'A set of devices that are opened and closed under one lock.',
    contract: [
      {
        text: 'A device joins a set with `vfio_assign_device_set()`, or gets one of its own when it is registered.',
      },
      {
        kernels: from('5.15', '6.1'),
        text: '`vfio_uninit_group_dev()` removes the device from the set.',
      },
      {
        kernels: from('6.1'),
        text: 'The core removes the device from the set at the last put, before `ops->release()`.',
      },
    ],
    ownership: 'The core owns it.',
    behaviours: [],
    header: 'linux/vfio.h',
    commits: [
      { id: '2fd585f4ed9d', text: 'adds it with open_device and close_device', kernel: '5.15' },
    ],
  },
  {
    name: 'vfio_pci_core_device',
    kind: 'struct',
    model: 'core',
    kernels: SINCE_5_15,
    signatures: [{ kernels: SINCE_5_15, text: 'struct vfio_pci_core_device;' }],
    summary:
      'A PCI device of VFIO. A driver for one kind of device embeds it in a struct of its own.',
    contract: [
      { text: 'Its first member is the vfio_device, `vdev`.' },
      {
        kernels: from('6.1'),
        text: "It must be the first member of the driver's struct, so that the vfio_device is at offset 0.",
      },
      {
        kernels: from('5.19'),
        text: 'The drvdata of the PCI device must hold its address before `vfio_pci_core_register_device()`.',
      },
    ],
    behaviours: [],
    header: 'linux/vfio_pci_core.h',
    commits: [
      { id: 'ff53edf6d6ab', text: 'splits it from vfio-pci', kernel: '5.15' },
      { id: '91be0bd6c6cf', text: 'requires the drvdata', kernel: '5.19' },
    ],
  },
  {
    name: 'vfio_platform_device',
    kind: 'struct',
    model: 'both',
    isPrivate: true,
    kernels: ALWAYS,
    signatures: [{ kernels: ALWAYS, text: 'struct vfio_platform_device;' }],
    summary: 'A platform device of VFIO, shared by vfio-platform and vfio-amba.',
    contract: [{ kernels: EMBEDDED, text: 'It embeds the vfio_device as `vdev`.' }],
    behaviours: [],
    header: 'drivers/vfio/platform/vfio_platform_private.h',
    commits: [{ id: 'cb6164586814', text: 'embeds the vfio_device', kernel: '5.13' }],
  },
  {
    name: 'mdev_device',
    kind: 'struct',
    model: 'general',
    kernels: ALWAYS,
    signatures: [{ kernels: ALWAYS, text: 'struct mdev_device;' }],
    summary: 'A mediated device: the parent of an emulated vfio_device.',
    contract: [
      {
        kernels: from('6.1'),
        text: '`mdev->type` is the type, and `mdev->type->parent->dev` is the device that provides the type.',
      },
    ],
    ownership: 'The mdev core owns it.',
    behaviours: [],
    header: 'linux/mdev.h',
    commits: [],
  },
  {
    name: 'mdev_driver',
    kind: 'struct',
    model: 'general',
    kernels: ALWAYS,
    signatures: [{ kernels: ALWAYS, text: 'struct mdev_driver;' }],
    summary:
      'A driver on the mdev bus. `.probe` creates the vfio_device of a mediated device, and `.remove` ends its life.',
    contract: [
      { kernels: from('5.19', '6.1'), text: '`.supported_type_groups` is mandatory.' },
      {
        kernels: from('6.1'),
        text: '`.device_api` names the kind of device and is mandatory: without it `mdev_register_driver()` returns `-EINVAL`.',
      },
      {
        kernels: from('6.1'),
        text: '`.get_available` or `.max_instances` limits how many devices there can be.',
      },
    ],
    behaviours: [],
    header: 'linux/mdev.h',
    commits: [],
  },
  {
    name: 'mdev_parent',
    kind: 'struct',
    model: 'general',
    kernels: from('6.1'),
    signatures: [{ kernels: from('6.1'), text: 'struct mdev_parent;' }],
    summary: 'A device that provides mediated devices; the driver embeds it.',
    contract: [{ text: 'Pass it to `mdev_register_parent()`.' }],
    ownership: 'The driver owns it.',
    behaviours: [],
    header: 'linux/mdev.h',
    commits: [{ id: '89345d5177aa', text: 'lets the driver embed it', kernel: '6.1' }],
  },
  {
    name: 'mdev_type',
    kind: 'struct',
    model: 'general',
    kernels: from('5.13'),
    signatures: [{ kernels: from('5.13'), text: 'struct mdev_type;' }],
    summary: 'A type of mediated device that a parent offers.',
    contract: [
      {
        kernels: from('5.13', '6.1'),
        text: 'It is opaque to drivers: they tell types apart by `mdev_get_type_group_id()`.',
      },
      {
        kernels: from('6.1'),
        text: 'The driver embeds it and reaches its own struct with `container_of()`.',
      },
    ],
    behaviours: [],
    header: 'linux/mdev.h',
    commits: [],
  },
];
