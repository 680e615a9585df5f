/**
 * Members that say what a device is. The bus sets them before a driver is probed and nothing in the
 * kernel changes them while the driver
 * is bound (pci_setup_device() and pci_iov_add_virtfn(), platform_device_add(),
 * mdev_device_create() of 6.0).
 */
const FIXED: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    pci_dev:
      'vendor device subsystem_vendor subsystem_device class revision hdr_type is_virtfn is_physfn physfn devfn bus slot',
    pci_bus: 'number parent self',
    platform_device: 'name id',
    mdev_device: 'type uuid',
    mdev_type: 'parent',
    mdev_parent: 'dev',
    device: 'parent of_node fwnode bus',
    amba_device: 'periphid',
    fsl_mc_device: 'obj_desc',
    ap_device: 'device_type',
    subchannel: 'schid st',
    pci_device_id: 'vendor device subvendor subdevice class driver_data',
  }).map(([tag, members]) => [tag, new Set(members.split(' '))]),
);

/** True when a member of a kernel struct, by tag, stays what it is while a driver is bound. */
export function isFixedMember(tag: string, member: string): boolean {
  return FIXED.get(tag)?.has(member) === true;
}

/**
 * Structs of the kernel that drivers embed to lock, list, count or defer: no device lies in them.
 */
const SMALL: ReadonlySet<string> = new Set(
  `mutex rw_semaphore semaphore list_head hlist_head hlist_node llist_head llist_node work_struct delayed_work timer_list hrtimer
  tasklet_struct irq_work completion kref wait_queue_head xarray idr ida rb_root rb_root_cached rb_node notifier_block blocking_notifier_head srcu_struct rcu_head
  eventfd_ctx file inode page scatterlist sg_table msix_entry resource workqueue_struct task_struct pci_device_id`.split(
    /\s+/,
  ),
);

/** True when no device, nor what a driver defines, lies in a struct of the kernel, by its tag. */
export function isSmallStruct(tag: string): boolean {
  return SMALL.has(tag);
}

/**
 * The members of struct vfio_device that drivers set, before the register (include/linux/vfio.h of
 * 5.18 to 6.12). All others are the core's,
 * and those of vfio_init_group_dev(): `dev` and `ops`.
 */
const SET_BY_DRIVER: ReadonlySet<string> = new Set(['migration_flags', 'mig_ops', 'log_ops', 'pm']);

/** True when a driver may set the member of its vfio_device. */
export function isSetByDriver(member: string): boolean {
  return SET_BY_DRIVER.has(member);
}
