/**
 * What functions of the kernel do with the bytes behind a pointer that they are given, and what
 * they need of the memory there.
 */

import { words } from './rows.ts';

/** A stretch of memory that a function reads or writes, by the positions of its arguments. */
export interface ByteRange {
  readonly pointer: number;
  /** The number of bytes; null where something else ends the stretch. */
  readonly size: number | null;
  readonly writes: boolean;
}

const writes = (pointer: number, size: number | null): ByteRange => ({
  pointer,
  size,
  writes: true,
});
const reads = (pointer: number, size: number | null): ByteRange => ({
  pointer,
  size,
  writes: false,
});

/** <linux/string.h>, <linux/uaccess.h>, <linux/uio.h>, <linux/io.h>, <linux/random.h> as of 6.1. */
const RANGES: ReadonlyMap<string, readonly ByteRange[]> = new Map<string, readonly ByteRange[]>([
  ...words('memset memset_explicit __memset __builtin_memset memset16 memset32 memset64').map(
    (name) => [name, [writes(0, 2)]] as const,
  ),
  ...words('memzero_explicit bzero clear_user').map((name) => [name, [writes(0, 1)]] as const),
  ...words('memset_after memset_startat memset_p memset_l').map(
    (name) => [name, [writes(0, null)]] as const,
  ),
  ...words(
    'memcpy memmove __memcpy __memmove __builtin_memcpy __builtin_memmove unsafe_memcpy memcpy_flushcache',
  ).map((name) => [name, [writes(0, 2), reads(1, 2)]] as const),
  ['memcpy_and_pad', [writes(0, 1), reads(2, 3)]],
  ...words('strcpy strcat').map((name) => [name, [writes(0, null), reads(1, null)]] as const),
  ...words('strncpy strlcpy strscpy strscpy_pad strlcat strncat').map(
    (name) => [name, [writes(0, 2), reads(1, 2)]] as const,
  ),
  ...words(
    'memcpy_fromio copy_from_user __copy_from_user copy_from_user_nofault _copy_from_user',
  ).map((name) => [name, [writes(0, 2)]] as const),
  ...words('memcpy_toio copy_to_user __copy_to_user _copy_to_user').map(
    (name) => [name, [reads(1, 2)]] as const,
  ),
  ['copy_struct_from_user', [writes(0, 1)]],
  ['copy_to_iter', [reads(0, 1)]],
  ...words('copy_from_iter copy_from_iter_full').map((name) => [name, [writes(0, 1)]] as const),
  ...words('get_random_bytes get_random_bytes_wait').map((name) => [name, [writes(0, 1)]] as const),
  ...words('memcmp bcmp crypto_memneq').map((name) => [name, [reads(0, 2), reads(1, 2)]] as const),
  ...words('memchr memchr_inv memscan').map((name) => [name, [reads(0, 2)]] as const),
  ...words(
    'crc32 crc32_le crc32_be crc32c crc16 crc_itu_t crc8 jhash jhash2 xxhash xxh32 xxh64',
  ).map((name) => [name, [reads(0, null), reads(1, null)]] as const),
  ['simple_read_from_buffer', [reads(3, 4)]],
  ['simple_write_to_buffer', [writes(0, 1)]],
  ...words('kmemdup kvmemdup devm_kmemdup').map(
    (name) =>
      [name, [reads(name.startsWith('devm') ? 1 : 0, name.startsWith('devm') ? 2 : 1)]] as const,
  ),
  ['print_hex_dump', [reads(5, 6)]],
  ...words('print_hex_dump_bytes print_hex_dump_debug').map(
    (name) => [name, [reads(name.endsWith('bytes') ? 2 : 5, null)]] as const,
  ),
  ['hex_dump_to_buffer', [reads(0, 1)]],
  ...words('ioread8_rep ioread16_rep ioread32_rep insb insw insl readsb readsw readsl').map(
    (name) => [name, [writes(1, 2)]] as const,
  ),
  ...words(
    'iowrite8_rep iowrite16_rep iowrite32_rep outsb outsw outsl writesb writesw writesl',
  ).map((name) => [name, [reads(1, 2)]] as const),
  ...words('kvm_write_guest vfio_dma_rw').map((name) => [name, [reads(2, 3)]] as const),
  ['kvm_read_guest', [writes(2, 3)]],
]);

/**
 * The stretches that a call of the kernel's `name` reads and writes; none where it is not known for
 * that.
 */
export function byteRangesOf(name: string): readonly ByteRange[] {
  return RANGES.get(name) ?? [];
}

const WIPING =
  /(?:^|_)(?:wipe|zero|zeroi[sz]e|memzero|clear|scrub|poison|burn|shred|erase|saniti[sz]e|cleanse|bzero|memset|scramble)(?:_|$)/;

/** A guess: by its name, a function that no table knows overwrites what it is given. */
export function saysItOverwrites(name: string): boolean {
  return WIPING.test(name);
}

/**
 * Frees that overwrite the memory first. kzfree() became kfree_sensitive() in 5.10 (453431a54934).
 */
const WIPING_FREES: ReadonlySet<string> = new Set([
  'kfree_sensitive',
  'kvfree_sensitive',
  'kzfree',
]);

/** True when a free leaves nothing of the content behind. */
export function wipesMemory(name: string): boolean {
  return WIPING_FREES.has(name);
}

/**
 * The argument whose memory must be one physical stretch: what is mapped for DMA, or translated to
 * a page or a physical address, as one.
 */
const CONTIGUOUS: ReadonlyMap<string, number> = new Map([
  ...words('dma_map_single dma_map_single_attrs pci_map_single sg_init_one sg_set_buf').map(
    (name) => [name, 1] as const,
  ),
  ...words(
    'virt_to_phys virt_to_page virt_to_head_page virt_to_bus virt_to_pfn virt_to_folio virt_to_dma __pa __pa_symbol pfn_of_virt',
  ).map((name) => [name, 0] as const),
]);

/**
 * The position of the argument of the kernel's `name` that must be physically contiguous; undefined
 * where there is none.
 */
export function contiguousArgument(name: string): number | undefined {
  return CONTIGUOUS.get(name);
}

/** The argument that must be memory of kmalloc() itself. */
const SLAB: ReadonlyMap<string, number> = new Map(words('ksize').map((name) => [name, 0] as const));

/**
 * The position of the argument of the kernel's `name` that must come from kmalloc(); undefined
 * where there is none.
 */
export function slabArgument(name: string): number | undefined {
  return SLAB.get(name);
}

/** The argument that must be memory of vmalloc(). */
const VMALLOC: ReadonlyMap<string, number> = new Map([
  ...words('vmalloc_to_page vmalloc_to_pfn find_vm_area').map((name) => [name, 0] as const),
  ['remap_vmalloc_range', 1],
  ['remap_vmalloc_range_partial', 2],
]);

/**
 * The position of the argument of the kernel's `name` that must come from vmalloc(); undefined
 * where there is none.
 */
export function vmallocArgument(name: string): number | undefined {
  return VMALLOC.get(name);
}

/**
 * Calls that end a count: true when it was the last reference (<linux/refcount.h>,
 * <linux/atomic.h>). Argument 0 or 1 is the counter.
 */
const LAST_DROPS: ReadonlyMap<string, number> = new Map([
  ...words(`refcount_dec_and_test refcount_dec_and_lock refcount_dec_and_mutex_lock refcount_dec_and_lock_irqsave atomic_dec_and_test atomic_dec_return
    atomic_dec_and_lock atomic_long_dec_and_test atomic_long_dec_return atomic64_dec_and_test atomic64_dec_return`).map(
    (name) => [name, 0] as const,
  ),
  ...words(
    'refcount_sub_and_test atomic_sub_and_test atomic_sub_return atomic_long_sub_and_test',
  ).map((name) => [name, 1] as const),
]);

/**
 * The position of the counter in a call of the kernel's `name` that tells whether it was the last
 * reference; undefined for any other.
 */
export function counterOfLastDrop(name: string): number | undefined {
  return LAST_DROPS.get(name);
}

/**
 * Functions that keep a pointer for the driver and hand it back as it is, to a callback or a
 * getter. The table of neutral functions has more.
 */
const COOKIE_TAKERS: ReadonlySet<string> = new Set(
  words(`devm_add_action devm_add_action_or_reset kthread_run kthread_create kthread_run_on_cpu xa_store xa_insert xa_alloc idr_alloc
  idr_alloc_cyclic idr_replace radix_tree_insert irq_set_chip_data irq_set_handler_data free_irq devm_free_irq synchronize_irq debugfs_create_file debugfs_create_file_unsafe proc_create_data
  request_irq request_threaded_irq request_any_context_irq request_percpu_irq devm_request_irq devm_request_threaded_irq pci_request_irq pci_free_irq setup_timer tasklet_init
  smp_call_function_single on_each_cpu async_schedule single_open seq_open bus_for_each_dev device_for_each_child driver_for_each_device device_find_child bus_find_device
  anon_inode_getfile anon_inode_getfd mdev_set_drvdata kvm_set_userspace iommu_set_fault_handler request_firmware_nowait pci_walk_bus acpi_install_notify_handler
  vb2_queue_init rcu_assign_pointer smp_store_release WRITE_ONCE xchg cmpxchg list_entry container_of`),
);

/** True when a call of the kernel's `name` takes a pointer without looking behind it. */
export function takesCookie(name: string): boolean {
  return COOKIE_TAKERS.has(name);
}

/**
 * The members of the kernel's links that lead to another link (<linux/types.h>, <linux/llist.h>,
 * <linux/rbtree_types.h>, <linux/plist.h> of 6.12).
 */
const LINK_MEMBERS: ReadonlySet<string> = new Set(
  words('next prev first pprev rb_node rb_left rb_right rb_leftmost node_list prio_list'),
);

/**
 * True for a member that is most often a link of a list or tree, which is embedded in an object.
 */
export function isLinkMember(name: string): boolean {
  return LINK_MEMBERS.has(name);
}

/**
 * Functions that return a link (<linux/llist.h>, <linux/rbtree.h>, <linux/list.h>,
 * <linux/timerqueue.h>).
 */
const LINK_RETURNERS: ReadonlySet<string> = new Set(
  words(`llist_del_first llist_del_all __llist_del_all llist_next llist_reverse_order rb_first rb_last rb_next rb_prev rb_parent
  rb_first_cached rb_first_postorder rb_next_postorder rb_find rb_add_cached timerqueue_getnext klist_next list_next_rcu hlist_first_rcu`),
);

/** True when the kernel's `name` returns a link of a list or tree. */
export function returnsLink(name: string): boolean {
  return LINK_RETURNERS.has(name);
}

/**
 * Stores that are macros and publish a pointer: argument 0 is the place, argument 1 the pointer.
 */
const PUBLISHERS: ReadonlySet<string> = new Set(
  words(
    'rcu_assign_pointer RCU_INIT_POINTER WRITE_ONCE smp_store_release smp_store_mb xchg cmpxchg',
  ),
);

/**
 * True when a call of the kernel's `name` stores its argument 1, a pointer, where argument 0 says.
 */
export function publishes(name: string): boolean {
  return PUBLISHERS.has(name);
}
