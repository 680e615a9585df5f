/** Locks: what takes and releases them, and the classes of guard(). */
import { column, functionRow } from './functions/table.ts';
import type { AtomicRegion, LockKind } from './functions/row.ts';
import { words } from './behaviour-builders.ts';

/** The kind of lock that a call of `name` takes, by argument 0; undefined for any other function. */
export function lockTakenBy(name: string): LockKind | undefined {
  const use = functionRow(name)?.lock;
  return use?.does === 'take' ? use.kind : undefined;
}

/** The kind of lock that a call of `name` releases, by argument 0. */
export function lockReleasedBy(name: string): LockKind | undefined {
  const use = functionRow(name)?.lock;
  return use?.does === 'release' ? use.kind : undefined;
}

/** True when a call of `name` takes or releases a lock, and cannot come back without having done so. */
export function locksForSure(name: string): boolean {
  const use = functionRow(name)?.lock;
  return use !== undefined && use.mayFail !== true;
}

/** Locks under which nothing may sleep. */
const SPINNING: ReadonlySet<LockKind> = new Set<LockKind>([
  'spinlock',
  'rwlock_read',
  'rwlock_write',
  'seqlock',
  'rcu',
]);

/**
 * What a call of `name` enters or leaves where nothing may sleep: a lock of a kind, and with
 * spin_lock_irq() and its like also what can be left without that lock.
 */
export function atomicRegions(name: string): readonly AtomicRegion[] {
  const { lock, holds, atomic } = functionRow(name) ?? {};
  const kind = lock?.kind ?? holds;
  const regions = kind !== undefined && SPINNING.has(kind) ? [kind] : [];
  return [...regions, ...(atomic?.regions ?? [])];
}

/** Whether from a call of `name` on nothing may sleep, or something may again. */
export function atomicChange(name: string): 'enters' | 'leaves' | undefined {
  const row = functionRow(name);
  if (row?.holds !== undefined && SPINNING.has(row.holds)) return 'enters';
  if (row?.lock === undefined || !SPINNING.has(row.lock.kind)) return row?.atomic?.does;
  return row.lock.does === 'take' ? 'enters' : 'leaves';
}

/** Whether a call of `name` has entered what it enters only where it returns true. */
export function entersIfTrue(name: string): boolean {
  const { lock, holds, atomic } = functionRow(name) ?? {};
  return lock?.mayFail === true || holds !== undefined || atomic?.mayFail === true;
}

/**
 * A class of guard() with the calls that it makes; they are given what the guard is given, by
 * argument 0 of each.
 */
interface GuardClass {
  readonly classes: readonly string[];
  readonly take: string;
  readonly release: string;
}

/**
 * DEFINE_GUARD() and DEFINE_LOCK_GUARD_1() of mutex.h, spinlock.h, rwsem.h, srcu.h, rcupdate.h,
 * preempt.h and device.h (Linux 6.12).
 */
const GUARD_CLASSES: readonly GuardClass[] = [
  {
    classes: words('mutex mutex_try mutex_intr mutex_kill'),
    take: 'mutex_lock',
    release: 'mutex_unlock',
  },
  { classes: words('spinlock spinlock_try'), take: 'spin_lock', release: 'spin_unlock' },
  {
    classes: words('spinlock_irq spinlock_irq_try'),
    take: 'spin_lock_irq',
    release: 'spin_unlock_irq',
  },
  {
    classes: words('spinlock_bh spinlock_bh_try'),
    take: 'spin_lock_bh',
    release: 'spin_unlock_bh',
  },
  {
    classes: words('spinlock_irqsave spinlock_irqsave_try'),
    take: 'spin_lock_irqsave',
    release: 'spin_unlock_irqrestore',
  },
  {
    classes: words('raw_spinlock raw_spinlock_try raw_spinlock_nested'),
    take: 'raw_spin_lock',
    release: 'raw_spin_unlock',
  },
  {
    classes: words('raw_spinlock_irq raw_spinlock_irq_try'),
    take: 'raw_spin_lock_irq',
    release: 'raw_spin_unlock_irq',
  },
  {
    classes: words('raw_spinlock_bh raw_spinlock_bh_try'),
    take: 'raw_spin_lock_bh',
    release: 'raw_spin_unlock_bh',
  },
  {
    classes: words('raw_spinlock_irqsave raw_spinlock_irqsave_try'),
    take: 'raw_spin_lock_irqsave',
    release: 'raw_spin_unlock_irqrestore',
  },
  { classes: words('read_lock'), take: 'read_lock', release: 'read_unlock' },
  { classes: words('read_lock_irq'), take: 'read_lock_irq', release: 'read_unlock_irq' },
  {
    classes: words('read_lock_irqsave'),
    take: 'read_lock_irqsave',
    release: 'read_unlock_irqrestore',
  },
  { classes: words('write_lock'), take: 'write_lock', release: 'write_unlock' },
  { classes: words('write_lock_irq'), take: 'write_lock_irq', release: 'write_unlock_irq' },
  {
    classes: words('write_lock_irqsave'),
    take: 'write_lock_irqsave',
    release: 'write_unlock_irqrestore',
  },
  {
    classes: words('rwsem_read rwsem_read_try rwsem_read_intr'),
    take: 'down_read',
    release: 'up_read',
  },
  {
    classes: words('rwsem_write rwsem_write_try rwsem_write_kill'),
    take: 'down_write',
    release: 'up_write',
  },
  { classes: words('srcu'), take: 'srcu_read_lock', release: 'srcu_read_unlock' },
  { classes: words('rcu'), take: 'rcu_read_lock', release: 'rcu_read_unlock' },
  {
    classes: words('preempt preempt_notrace'),
    take: 'preempt_disable',
    release: 'preempt_enable',
  },
  { classes: words('irq'), take: 'local_irq_disable', release: 'local_irq_enable' },
  { classes: words('irqsave'), take: 'local_irq_save', release: 'local_irq_restore' },
  { classes: words('local_lock'), take: 'local_lock', release: 'local_unlock' },
  { classes: words('local_lock_irq'), take: 'local_lock_irq', release: 'local_unlock_irq' },
  {
    classes: words('local_lock_irqsave'),
    take: 'local_lock_irqsave',
    release: 'local_unlock_irqrestore',
  },
  { classes: words('device device_intr'), take: 'device_lock', release: 'device_unlock' },
];

const byClass = new Map(
  GUARD_CLASSES.flatMap((row) => row.classes.map((name) => [name, row] as const)),
);

/**
 * What a guard of a class calls when its scope begins and when it is left; undefined for a class
 * that is not the kernel's.
 */
export function guardClass(
  name: string,
): { readonly take: string; readonly release: string } | undefined {
  return byClass.get(name);
}

/**
 * Classes of guard() of the kernel's headers beside these under which code may sleep (Linux 6.12 and
 * 6.19).
 */
const SLEEPING_CLASSES: ReadonlySet<string> = new Set(
  words(
    'console_lock cooling_dev cpufreq_policy_read cpufreq_policy_write cpus_read_lock disable_irq jump_label_lock ' +
      'migrate mmap_read_lock msi_descs_lock pci_dev percpu_read percpu_read_try percpu_write pm_runtime_active ' +
      'pm_runtime_active_auto pm_runtime_active_auto_try pm_runtime_active_auto_try_enabled pm_runtime_active_try ' +
      'pm_runtime_active_try_enabled pm_runtime_noresume rtnl srcu_fast super_write',
  ),
);

/** Whether code may sleep under a guard of a class of the kernel. */
export function isSleepingGuard(name: string): boolean {
  const known = guardClass(name);
  return known === undefined ? SLEEPING_CLASSES.has(name) : atomicChange(known.take) === undefined;
}

/** The types of locks under which nothing may sleep (include/linux/spinlock_types.h and its like). */
export const SPINNING_TYPES: ReadonlySet<string> = new Set(
  words(
    'spinlock_t raw_spinlock_t rwlock_t arch_spinlock_t seqlock_t seqcount_t seqcount_spinlock_t seqcount_raw_spinlock_t seqcount_rwlock_t ' +
      'local_lock_t',
  ),
);

/** Macros that define a variable of such a type, their argument 0. */
export const SPINNING_DEFINITIONS: ReadonlySet<string> = new Set(
  words('DEFINE_SPINLOCK DEFINE_RAW_SPINLOCK DEFINE_RWLOCK DEFINE_SEQLOCK'),
);

/** The same for locks under which code may sleep. */
export const SLEEPING_DEFINITIONS: ReadonlySet<string> = new Set(
  words(
    'DEFINE_MUTEX DECLARE_RWSEM DEFINE_SEMAPHORE DEFINE_WW_MUTEX DEFINE_SRCU DEFINE_STATIC_SRCU',
  ),
);

/** The structs of locks under which code may sleep. */
export const SLEEPING_LOCKS: ReadonlySet<string> = new Set(
  words('mutex rw_semaphore semaphore ww_mutex rt_mutex percpu_rw_semaphore srcu_struct'),
);

/** Words for what functions of the kernel lock, `foo` of `foo_lock()` or `lock_foo()`, under which code may sleep. */
const SLEEPING_SUBJECTS: ReadonlySet<string> = new Set(
  words(
    'adis_dev anon_vma blk_req_zone_write buffer cgroup codetag_module_list console console_list console_srcu cpus_read ' +
      'cpus_write cpuset cpuset_read dax dax_mapping_entry dax_read device device_hotplug dlm dma_resv fb_info ' +
      'filemap_invalidate filemap_invalidate_shared filemap_invalidate_two folio fpga_mgr fsnotify_group genl hwmon ' +
      'hugetlb_vma i_mmap_read i_mmap_write inode inode_nested inode_shared irq_sparse jump_label ' +
      'kernel_param kvm_all_vcpus mc13xxx mmap_read mmap_write modeset mtd msi_descs netdev netdev_ops nfnl opal page pci_rescan_remove ' +
      'phy_mdio_bus pipe rcu_read_trace rename rtc rtnl rtnl_net sched_domains_mutex sock spi_bus srcu_read ' +
      'srcu_read_fast srcu_read_nmisafe srcu_read_notrace super swap system_sleep tty two_nondirectories usb_device vma ' +
      'usermodehelper_read wakeup_sources_read wm831x_reg wm8350_reg xt_table zone_write',
  ),
);

/** Whether `name` locks or unlocks what code of the kernel may sleep under. */
export function isSleepingLock(name: string): boolean {
  const subject = name.split('_').filter((word) => !/^(?:(?:un|try)?lock)?$/.test(word));
  const plain = subject.filter((word) => !/^(?:interruptible|killable|nested)$/.test(word));
  return SLEEPING_SUBJECTS.has(subject.join('_')) || SLEEPING_SUBJECTS.has(plain.join('_'));
}

const lives = [...column('lockLife')];

/** Calls that make a lock out of memory, by argument 0. */
export const LOCK_INITIALISERS: ReadonlySet<string> = new Set(
  lives.flatMap(([name, life]) => (life === 'begins' ? [name] : [])),
);

/** Calls that end the life of a lock, by argument 0. */
export const LOCK_DESTROYERS: ReadonlySet<string> = new Set(
  lives.flatMap(([name, life]) => (life === 'ends' ? [name] : [])),
);
