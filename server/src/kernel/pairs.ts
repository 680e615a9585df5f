import { ALWAYS, before, words } from './rows.ts';
import type { KernelRange, KernelVersion } from './types.ts';
import { inRange } from './version.ts';

/** Calls that take something and the calls that give it back. */
export interface ResourcePair {
  /** Any of these takes the resource. */
  readonly take: readonly string[];
  /** Any of these gives it back; the first is the usual one. */
  readonly undo: readonly string[];
  /** Where the resource is named when it is taken: by what the call returns, or by an argument. */
  readonly taken: 'return' | number;
  /** The argument that names it when it is given back, in most of the calls of `undo`. */
  readonly given: number;
  /** Calls of `undo` that are given it as another argument. */
  readonly givenAs?: ReadonlyMap<string, number>;
  /** Another argument of the taking call by which some of `undo` name it. */
  readonly alias?: number;
  /** The taking call stores what names it where its argument points to. */
  readonly isStored?: boolean;
  /** Calls of `undo` that name it by a text, which is not compared. */
  readonly byName?: readonly string[];
  /** The call stores it in what the argument `taken` points to. */
  readonly isOut?: true;
}

/** The zero-based argument by which a call of `undo` names what the pair took. */
export function givenTo(pair: ResourcePair, undo: string): number {
  return pair.givenAs?.get(undo) ?? pair.given;
}

const pair = (
  take: string,
  undo: string,
  taken: 'return' | number,
  given: number,
  more: Pick<ResourcePair, 'givenAs' | 'alias' | 'isStored' | 'byName' | 'isOut'> = {},
): ResourcePair => ({ take: words(take), undo: words(undo), taken, given, ...more });

export const RESOURCE_PAIRS: readonly ResourcePair[] = [
  pair(
    `kmalloc kzalloc kcalloc kmalloc_array kmalloc_node kzalloc_node kcalloc_node kmalloc_array_node kmalloc_obj kzalloc_obj kmalloc_objs kzalloc_objs
    kmalloc_flex kzalloc_flex kmemdup kmemdup_nul kmemdup_array kstrdup kstrndup kasprintf kvasprintf krealloc krealloc_array memdup_user memdup_user_nul
    memdup_array_user strndup_user`,
    'kfree kfree_sensitive kvfree kfree_rcu',
    'return',
    0,
  ),
  pair('kstrdup_const', 'kfree_const', 'return', 0),
  pair(
    'kvmalloc kvzalloc kvcalloc kvmalloc_array kvmalloc_node kvzalloc_node kvmalloc_obj kvzalloc_obj kvmemdup kvrealloc vmemdup_user vmemdup_array_user',
    'kvfree kvfree_sensitive kvfree_rcu',
    'return',
    0,
  ),
  pair(
    'vmalloc vzalloc vmalloc_node vzalloc_node vmalloc_user vmalloc_32 vmalloc_32_user vmalloc_huge __vmalloc vcalloc vmalloc_array',
    'vfree vfree_atomic kvfree',
    'return',
    0,
  ),
  pair(
    'kmem_cache_alloc kmem_cache_zalloc kmem_cache_alloc_node',
    'kmem_cache_free kfree',
    'return',
    1,
    { givenAs: new Map([['kfree', 0]]) },
  ),
  pair('mempool_alloc', 'mempool_free', 'return', 0),
  pair('kmem_cache_create', 'kmem_cache_destroy', 'return', 0),
  pair('alloc_page alloc_pages alloc_pages_node', '__free_page __free_pages', 'return', 0),
  pair('__get_free_page __get_free_pages get_zeroed_page', 'free_page free_pages', 'return', 0),
  pair('bitmap_zalloc bitmap_alloc', 'bitmap_free', 'return', 0),
  pair('alloc_percpu', 'free_percpu', 'return', 0),
  pair('dma_alloc_coherent dma_alloc_attrs', 'dma_free_coherent dma_free_attrs', 'return', 2),
  pair('dma_pool_create', 'dma_pool_destroy', 'return', 0),
  pair('dma_pool_alloc dma_pool_zalloc', 'dma_pool_free', 'return', 1),
  pair('ioremap ioremap_wc ioremap_cache', 'iounmap', 'return', 0),
  pair('memremap', 'memunmap', 'return', 0),
  pair('pci_iomap pci_iomap_range', 'pci_iounmap iounmap', 'return', 1, {
    givenAs: new Map([['iounmap', 0]]),
  }),
  pair('pci_ioremap_bar', 'iounmap pci_iounmap', 'return', 0, {
    givenAs: new Map([['pci_iounmap', 1]]),
  }),
  // The core does not call .close_device after a failed .open_device (vfio_df_device_first_open()).
  pair('vfio_pci_core_enable', 'vfio_pci_core_disable vfio_pci_core_close_device', 0, 0),
  pair('pci_enable_device pci_enable_device_mem', 'pci_disable_device', 0, 0),
  pair(
    'pci_request_regions pci_request_regions_exclusive pci_request_selected_regions',
    'pci_release_regions pci_release_selected_regions',
    0,
    0,
  ),
  pair('pci_alloc_irq_vectors', 'pci_free_irq_vectors', 0, 0),
  pair('request_irq request_threaded_irq', 'free_irq', 0, 0),
  pair(
    'alloc_workqueue alloc_ordered_workqueue create_singlethread_workqueue',
    'destroy_workqueue',
    'return',
    0,
  ),
  pair(
    'debugfs_create_dir debugfs_create_file',
    'debugfs_remove debugfs_remove_recursive',
    'return',
    0,
  ),
  pair('sysfs_create_group', 'sysfs_remove_group', 1, 1),
  pair('ida_alloc ida_alloc_max ida_alloc_range ida_alloc_min', 'ida_free', 'return', 1),
  pair('idr_alloc idr_alloc_cyclic', 'idr_remove', 'return', 1),
  pair('eventfd_ctx_fdget eventfd_ctx_fileget', 'eventfd_ctx_put', 'return', 0),
  pair('blocking_notifier_chain_register', 'blocking_notifier_chain_unregister', 1, 1),
  pair('bus_register_notifier', 'bus_unregister_notifier', 1, 1),
  pair('pm_runtime_enable', 'pm_runtime_disable', 0, 0),
  pair('try_module_get', 'module_put', 0, 0),
  pair('get_device', 'put_device', 0, 0),
  pair('pci_dev_get', 'pci_dev_put', 'return', 0),
  // pci_get_device() and its like return a device with a reference, and NULL for none.
  pair(
    'pci_get_device pci_get_subsys pci_get_class pci_get_slot pci_get_domain_bus_and_slot',
    'pci_dev_put',
    'return',
    0,
  ),
  pair(
    'request_firmware request_firmware_direct firmware_request_nowarn',
    'release_firmware',
    0,
    0,
    { isOut: true },
  ),
  pair('iommu_group_get vfio_iommu_group_get', 'iommu_group_put vfio_iommu_group_put', 'return', 0),
  pair('mutex_init', 'mutex_destroy', 0, 0),
  pair('xa_init', 'xa_destroy', 0, 0),
  pair('init_srcu_struct', 'cleanup_srcu_struct', 0, 0),
  pair('kthread_run kthread_create', 'kthread_stop', 'return', 0),
  pair('kfifo_alloc', 'kfifo_free', 0, 0),
  pair(
    'pm_runtime_resume_and_get pm_runtime_get_sync pm_runtime_get pm_runtime_get_noresume',
    'pm_runtime_put pm_runtime_put_sync pm_runtime_put_noidle pm_runtime_put_autosuspend pm_runtime_put_sync_autosuspend pm_runtime_put_sync_suspend',
    0,
    0,
  ),
  pair('clk_prepare_enable', 'clk_disable_unprepare', 0, 0),
  pair('clk_get', 'clk_put', 'return', 0),
  pair('device_register', 'device_unregister device_del put_device', 0, 0),
  pair('device_add', 'device_del device_unregister', 0, 0),
  pair('cdev_add cdev_device_add', 'cdev_del cdev_device_del', 0, 0),
  // It stores the number where argument 0 points to, and unregister_chrdev_region() is given that
  // number (v6.12 fs/char_dev.c).
  pair('alloc_chrdev_region', 'unregister_chrdev_region', 0, 0, { isStored: true }),
  pair('register_chrdev_region', 'unregister_chrdev_region', 0, 0),
  pair('class_create', 'class_destroy', 'return', 0),
  // device_destroy() finds the device by the number that it was created with.
  pair('device_create device_create_with_groups', 'device_destroy device_unregister', 'return', 0, {
    alias: 2,
    givenAs: new Map([['device_destroy', 1]]),
  }),
  pair('misc_register', 'misc_deregister', 0, 0),
  pair(
    'platform_device_register_simple platform_device_register_full',
    'platform_device_unregister',
    'return',
    0,
  ),
  pair('kobject_create_and_add', 'kobject_put', 'return', 0),
  pair('sysfs_create_file', 'sysfs_remove_file', 1, 1),
  pair('device_create_file', 'device_remove_file', 1, 1),
  pair('proc_create proc_create_data proc_mkdir', 'proc_remove remove_proc_entry', 'return', 0, {
    byName: ['remove_proc_entry'],
  }),
  pair('pci_enable_sriov', 'pci_disable_sriov', 0, 0),
  pair('pci_enable_msi pci_enable_msix_range', 'pci_disable_msi pci_disable_msix', 0, 0),
  pair('iommu_domain_alloc iommu_paging_domain_alloc', 'iommu_domain_free', 'return', 0),
  pair('irq_domain_add_linear irq_domain_create_linear', 'irq_domain_remove', 'return', 0),
  pair(
    'register_netdevice_notifier register_reboot_notifier register_pm_notifier',
    'unregister_netdevice_notifier unregister_reboot_notifier unregister_pm_notifier',
    0,
    0,
  ),
];

/** What the driver core gives back of its own accord where a driver has called `by`. */
const MANAGED: readonly {
  readonly by: string;
  readonly takes: ReadonlySet<string>;
  readonly kernels: KernelRange;
}[] = [
  {
    // v6.17 drivers/pci/msi/msi.c, pcim_setup_msi_release().
    by: 'pcim_enable_device',
    takes: new Set(words('pci_alloc_irq_vectors pci_enable_msi pci_enable_msix_range')),
    kernels: ALWAYS,
  },
  {
    // v6.14 drivers/pci/pci.c, __pci_request_region() asks pci_is_managed(); v6.17 does not. The
    // releases between were not at hand: nothing is said to leak there.
    by: 'pcim_enable_device',
    takes: new Set(
      words(
        'pci_request_regions pci_request_regions_exclusive pci_request_selected_regions pci_request_region',
      ),
    ),
    kernels: before('6.17'),
  },
];

/**
 * Whether what `name` takes needs no undoing in a kernel, in a driver that calls what `isCalled`
 * says.
 */
export function isManaged(
  name: string,
  kernel: KernelVersion,
  isCalled: (name: string) => boolean,
): boolean {
  return MANAGED.some(
    ({ by, takes, kernels }) => takes.has(name) && inRange(kernel, kernels) && isCalled(by),
  );
}

/**
 * What a call returns when it has done its work: a valid pointer, 0, 0 or more, anything but 0;
 * `always` when it cannot fail.
 */
export type Outcome = 'pointer' | 'zero' | 'non-negative' | 'true' | 'always';

const OUTCOMES: ReadonlyMap<string, Outcome> = new Map([
  ...words('ida_alloc ida_alloc_max ida_alloc_range ida_alloc_min idr_alloc idr_alloc_cyclic').map(
    (name) => [name, 'non-negative'] as const,
  ),
  ...words(
    'pm_runtime_enable pm_runtime_get pm_runtime_get_sync pm_runtime_get_noresume get_device pci_dev_get xa_init mutex_init',
  ).map((name) => [name, 'always'] as const),
  ['try_module_get', 'true'],
  ...words('pci_alloc_irq_vectors pci_enable_msix_range').map(
    (name) => [name, 'non-negative'] as const,
  ),
]);

/** How a taker of a pair tells that it has taken. */
export function outcomeOfTaking(name: string): Outcome {
  return OUTCOMES.get(name) ?? (byTaker.get(name)?.taken === 'return' ? 'pointer' : 'zero');
}

const byTaker = new Map(
  RESOURCE_PAIRS.flatMap((row) => row.take.map((name) => [name, row] as const)),
);
const byUndo = new Map<string, ResourcePair[]>();
for (const row of RESOURCE_PAIRS)
  for (const name of row.undo) byUndo.set(name, [...(byUndo.get(name) ?? []), row]);

/** The pair that `name` takes a resource in, or undefined. */
export function takenBy(name: string): ResourcePair | undefined {
  return byTaker.get(name);
}

/** The pairs that `name` gives a resource back in; empty when there is none. */
export function givenBackBy(name: string): readonly ResourcePair[] {
  return byUndo.get(name) ?? [];
}

/**
 * Pairs of the life cycle, beside those of the wider kernel: what takes, what undoes, and whether
 * the result names it.
 */
export const LIFE_CYCLE_PAIRS: readonly {
  readonly take: string;
  readonly undo: string;
  readonly byResult: boolean;
}[] = [
  { take: 'vfio_alloc_device', undo: 'vfio_put_device', byResult: true },
  { take: 'vfio_register_group_dev', undo: 'vfio_unregister_group_dev', byResult: false },
  { take: 'vfio_register_emulated_iommu_dev', undo: 'vfio_unregister_group_dev', byResult: false },
  {
    take: 'vfio_pci_core_register_device',
    undo: 'vfio_pci_core_unregister_device',
    byResult: false,
  },
  { take: 'vfio_init_group_dev', undo: 'vfio_uninit_group_dev', byResult: false },
  { take: 'vfio_pci_core_init_device', undo: 'vfio_pci_core_uninit_device', byResult: false },
];
