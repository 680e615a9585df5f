/** What the headers and exports of VFIO have beside the tables, and why no row speaks of it. */

interface Unlisted {
  readonly reason: string;
  /** Names; a member is `struct.member`, and `struct.*` stands for all members of a struct. */
  readonly names: string;
}

const UNLISTED: readonly Unlisted[] = [
  {
    reason: 'private to the core, by the comment in the struct or because only the core reads it',
    names: `vfio_device.cdev vfio_device.cdev_opened vfio_device.comp vfio_device.debug_root vfio_device.dev_set_list
      vfio_device.device vfio_device.device_data vfio_device.group vfio_device.group_next vfio_device.index vfio_device.inode
      vfio_device.iommu_entry vfio_device.iommufd_access vfio_device.iommufd_attached vfio_device.iommufd_device
      vfio_device.iommufd_ictx vfio_device.open_count vfio_device.pasids vfio_device.put_kvm vfio_device.refcount
      vfio_device_set.device_count virqfd.* mdev_device.active mdev_device.next mdev_device.driver_data
      mdev_device.iommu_device mdev_type.kobj mdev_type.devices_kobj mdev_parent.*`,
  },
  {
    reason: 'the state of vfio-pci core, which drivers of one kind of device leave alone',
    names: 'vfio_pci_core_device.*',
  },
  {
    reason: 'for drivers of an IOMMU (vfio_iommu_type1), which this project does not look at',
    names:
      'vfio_iommu_driver_ops vfio_iommu_driver_ops.* vfio_register_iommu_driver vfio_unregister_iommu_driver',
  },
  {
    reason: 'declared in a public header until 6.0, but not exported: only vfio-pci core calls it',
    names: `__vfio_pci_memory_enabled vfio_pci_intx_mask vfio_pci_intx_unmask vfio_pci_set_irqs_ioctl vfio_pci_config_rw vfio_pci_config_rw_single vfio_pci_bar_rw
      vfio_pci_vga_rw vfio_pci_ioeventfd vfio_pci_init_perm_bits vfio_pci_uninit_perm_bits vfio_config_init vfio_config_free
      vfio_pci_memory_lock_and_enable vfio_pci_memory_unlock_and_restore vfio_pci_zap_and_down_write_memory_lock vfio_pci_igd_init
      vfio_pci_info_zdev_add_caps vfio_pci_zdev_open_device vfio_pci_zdev_close_device is_intx is_msi is_msix is_irq_none irq_is
      PCI_CAP_ID_INVALID PCI_CAP_ID_INVALID_VIRT VFIO_PCI_IOEVENTFD_MAX vfio_pci_ioeventfd.* vfio_pci_irq_ctx vfio_pci_irq_ctx.*
      vfio_pci_dummy_resource vfio_pci_dummy_resource.* vfio_pci_vf_token vfio_pci_vf_token.* vfio_pci_mmap_vma vfio_pci_mmap_vma.*`,
  },
  {
    reason: 'a detail of vfio-pci core that its header needs',
    names: 'vfio_pci_eventfd vfio_pci_eventfd.* is_aligned_for_order',
  },
  {
    reason: 'a macro that declares vfio_pci_core_ioread8() and its like, which have rows',
    names: `VFIO_IOREAD_DECLARATION VFIO_IOREAD_DECLATION VFIO_IOWRITE_DECLARATION VFIO_IOWRITE_DECLATION vfio_pci_core_ioread
      vfio_pci_core_iowrite`,
  },
  {
    reason: 'of POWER, called by vfio-pci and vfio_spapr only',
    names: 'vfio_spapr_iommu_eeh_ioctl',
  },
  {
    reason: 'for the reset modules of vfio-platform',
    names: '__vfio_platform_register_reset vfio_platform_unregister_reset',
  },
  {
    reason: 'declared in include/linux/iova_bitmap.h, and no part of VFIO since 6.7',
    names: 'iova_bitmap_set',
  },
];

const REASONS: ReadonlyMap<string, string> = new Map(
  UNLISTED.flatMap(({ reason, names }) =>
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, reason] as const),
  ),
);

/** Why a name has no row; undefined where it should have one. */
export function reasonFor(name: string): string | undefined {
  const dot = name.indexOf('.');
  return REASONS.get(name) ?? (dot < 0 ? undefined : REASONS.get(`${name.slice(0, dot)}.*`));
}
