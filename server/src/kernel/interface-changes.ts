/**
 * What later kernels changed beside the life cycle, as far as drivers of VFIO devices meet it: a
 * converted driver that still has the old form does
 * not build. What only belongs to the mdev bus and went as a whole is in api-mdev.ts. Read off the
 * headers of 6.0.8, 6.1, 6.12 and 6.19;
 * the release that a row names is that of the commit beside it.
 */
import type { KernelVersion } from './types.ts';

/** Where the old form shows in a driver's text. */
export type ChangedForm =
  /** A function or macro that is gone. */
  | { readonly kind: 'call'; readonly name: string }
  /**
   * A function that took another number of arguments: a call with as many as `was` has the old
   * form.
   */
  | { readonly kind: 'arguments'; readonly name: string; readonly was: number }
  /**
   * A function whose argument `index` had another type, though the number of arguments stayed: the
   * tag, or any pointer.
   */
  | {
      readonly kind: 'argument-type';
      readonly name: string;
      readonly index: number;
      readonly was: 'pointer' | { readonly tag: string };
    }
  /** A struct that a table of the driver is of. */
  | { readonly kind: 'struct'; readonly tag: string }
  /** A member that such a table, or an assignment, sets. */
  | { readonly kind: 'member'; readonly owner: string; readonly name: string }
  /** A callback whose result is void now. */
  | { readonly kind: 'returns-void'; readonly owner: string; readonly name: string }
  /** A callback whose first parameter is another struct now. */
  | {
      readonly kind: 'parameter';
      readonly owner: string;
      readonly name: string;
      readonly tag: string;
    };

/** A change of the kernel's interface. */
export interface InterfaceChange {
  readonly form: ChangedForm;
  /** The first kernel without the old form. */
  readonly since: KernelVersion;
  /** What to write instead; ends a sentence that began with the name of the form. */
  readonly instead: string;
}

const call = (name: string, since: KernelVersion, instead: string): InterfaceChange => ({
  form: { kind: 'call', name },
  since,
  instead,
});
const takes = (
  name: string,
  was: number,
  since: KernelVersion,
  instead: string,
): InterfaceChange => ({ form: { kind: 'arguments', name, was }, since, instead });
const member = (
  owner: string,
  name: string,
  since: KernelVersion,
  instead: string,
): InterfaceChange => ({ form: { kind: 'member', owner, name }, since, instead });
const returnsVoid = (owner: string, since: KernelVersion): InterfaceChange => ({
  form: { kind: 'returns-void', owner, name: 'remove' },
  since,
  instead: 'return nothing',
});

/** Members of the ops table are not here: removed-api finds them by api-ops.ts. */
export const INTERFACE_CHANGES: readonly InterfaceChange[] = [
  // Buses. 0edb555a65d1 (platform); the others by Uwe Kleine-König's series of 2021 to 2023.
  returnsVoid('platform_driver', [6, 11]),
  returnsVoid('fsl_mc_driver', [6, 5]),
  returnsVoid('amba_driver', [5, 12]),
  returnsVoid('css_driver', [5, 15]),
  member(
    'platform_driver',
    'remove_new',
    [6, 13],
    'name the function in `.remove`, which returns nothing',
  ),
  // The mdev bus: 66873b5fa738, 89345d5177aa; the rest by the headers.
  {
    form: { kind: 'struct', tag: 'mdev_parent_ops' },
    since: [5, 19],
    instead: 'use a `struct mdev_driver` with `.probe` and `.remove`',
  },
  {
    form: { kind: 'struct', tag: 'mdev_type_attribute' },
    since: [6, 1],
    instead:
      'describe types in `struct mdev_type`, and use `.get_available` and `.show_description` of the mdev_driver',
  },
  ...['MDEV_TYPE_ATTR', 'MDEV_TYPE_ATTR_RO', 'MDEV_TYPE_ATTR_RW', 'MDEV_TYPE_ATTR_WO'].map((name) =>
    call(
      name,
      [6, 1],
      'use `.device_api`, `.get_available` and `.show_description` of the mdev_driver',
    ),
  ),
  member(
    'mdev_driver',
    'supported_type_groups',
    [6, 1],
    'give the types to mdev_register_parent()',
  ),
  member('mdev_driver', 'name', [5, 13], 'set `.driver.name`'),
  ...['probe', 'remove'].map((name): InterfaceChange => ({
    form: { kind: 'parameter', owner: 'mdev_driver', name, tag: 'mdev_device' },
    since: [5, 13],
    instead: 'take a `struct mdev_device *`',
  })),
  takes('mdev_register_driver', 2, [5, 13], 'pass the driver alone, and set `.driver.owner`'),
  call(
    'mtype_get_type_group_id',
    [6, 1],
    'use container_of() on a `struct mdev_type` that the driver embeds',
  ),
  call('mtype_get_parent_dev', [6, 1], 'use `mtype->parent->dev`'),
  call('mdev_uuid', [6, 0], 'name the device by dev_name()'),
  call('mdev_get_iommu_device', [5, 16], 'no mdev has an IOMMU of its own'),
  // VFIO beside the life cycle.
  call(
    'vfio_register_notifier',
    [6, 0],
    'use `.dma_unmap` of the ops table, and `kvm` of the vfio_device',
  ),
  call(
    'vfio_unregister_notifier',
    [6, 0],
    'use `.dma_unmap` of the ops table, and `kvm` of the vfio_device',
  ),
  call('vfio_group_pin_pages', [6, 0], 'use vfio_pin_pages()'),
  call('vfio_group_unpin_pages', [6, 0], 'use vfio_unpin_pages()'),
  call('vfio_pci_register_dev_region', [6, 1], 'use vfio_pci_core_register_dev_region()'),
  call('vfio_pci_set_power_state', [6, 1], 'it is private to vfio-pci-core'),
  ...['vfio_pin_pages', 'vfio_unpin_pages', 'vfio_dma_rw'].map((name): InterfaceChange => ({
    form: { kind: 'argument-type', name, index: 0, was: { tag: 'device' } },
    since: [5, 19],
    instead: 'pass the vfio_device',
  })),
  {
    form: { kind: 'argument-type', name: 'vfio_pin_pages', index: 1, was: 'pointer' },
    since: [6, 0],
    instead: 'pass the first IOVA, and an array of `struct page *`',
  },
  {
    form: { kind: 'argument-type', name: 'vfio_unpin_pages', index: 1, was: 'pointer' },
    since: [6, 0],
    instead: 'pass the first IOVA',
  },
  // The IOMMU.
  call('iommu_domain_alloc', [6, 13], 'use iommu_paging_domain_alloc()'),
  call('iommu_capable', [6, 1], 'use device_iommu_capable()'),
  takes('iommu_map', 5, [6, 3], 'pass the flags of its allocations last'),
  // Others that such drivers call. 1aaba11da9aa, 3652117f8548, bc292ab00f6c, 54d020692b34 and
  // ca5e863233e8.
  takes('class_create', 2, [6, 4], 'pass the name alone'),
  takes('eventfd_signal', 2, [6, 8], 'pass the context alone'),
  member('vm_area_struct', 'vm_flags', [6, 3], 'use vm_flags_set() and vm_flags_clear()'),
  takes('pin_user_pages', 5, [6, 5], 'leave out the array of areas'),
  takes('get_user_pages', 5, [6, 5], 'leave out the array of areas'),
  takes('pin_user_pages_remote', 7, [6, 5], 'leave out the array of areas'),
  takes('get_user_pages_remote', 7, [6, 5], 'leave out the array of areas'),
  call('strlcpy', [6, 8], 'use strscpy()'),
  call('pci_enable_pcie_error_reporting', [6, 6], 'the PCI core does it'),
  call('pci_disable_pcie_error_reporting', [6, 6], 'the PCI core does it'),
];
