/**
 * Functions by which others can reach an object, by which it begins to act on its own, or whose
 * resource belongs to the driver's binding and not to
 * the object: debugfs, interrupts, threads, DMA memory. What they do has to end when the driver is
 * unbound, however long the object lives.
 */
const OUTREACH = new RegExp(
  String.raw`^(?:${[
    'debugfs_',
    'sysfs_',
    'proc_',
    'tracefs_',
    'device_create',
    'device_add',
    'device_register',
    'misc_',
    'cdev_',
    'kobject_',
    'class_',
    'bus_register',
    'driver_',
    'request_',
    'free_irq',
    'irq_',
    'pci_request',
    'pci_alloc_irq',
    'pci_enable',
    'pci_set_master',
    'enable_',
    'pm_runtime_',
    'pm_',
    'dma_',
    'clk_',
    'regulator_',
    'reset_control_',
    'phy_',
    'iommu_',
    'kthread_run',
    'kthread_create',
    'wake_up',
    'queue_work',
    'queue_delayed_work',
    'schedule_work',
    'schedule_delayed_work',
    'mod_timer',
    'add_timer',
    'hrtimer_start',
    'register_',
    'blocking_notifier_',
    'atomic_notifier_',
    'raw_notifier_',
    'netlink_',
    'irq_bypass_',
    'component_',
    'auxiliary_',
  ].join('|')})`,
);

/** The words by which functions that no table knows say the same. */
const SAYS_SO = /(?:^|_)(?:register|publish|announce|expose|enqueue|notify|irq|dma)(?:_|$)/;

/**
 * True when a call of `name` lets others reach what it is given, or takes what belongs to the
 * binding of the driver.
 */
export function reachesOut(name: string): boolean {
  return OUTREACH.test(name) || SAYS_SO.test(name);
}
