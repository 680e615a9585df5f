import { words } from './rows.ts';

/** Calls that take a lock and the calls that let it go. The lock is argument 0 of each. */
interface LockPair {
  readonly take: readonly string[];
  readonly release: readonly string[];
}

/**
 * include/linux/mutex.h, spinlock.h, rwsem.h, rwlock.h, semaphore.h, seqlock.h, srcu.h, rcupdate.h
 * of Linux 6.12.
 */
const LOCK_PAIRS: readonly LockPair[] = [
  {
    take: words(
      'mutex_lock mutex_lock_interruptible mutex_lock_killable mutex_lock_nested mutex_lock_io mutex_trylock',
    ),
    release: words('mutex_unlock'),
  },
  {
    take: words('ww_mutex_lock ww_mutex_lock_interruptible ww_mutex_trylock'),
    release: words('ww_mutex_unlock'),
  },
  { take: words('rt_mutex_lock rt_mutex_trylock'), release: words('rt_mutex_unlock') },
  {
    take: words(`spin_lock spin_lock_irq spin_lock_irqsave spin_lock_bh spin_lock_nested spin_trylock spin_trylock_irq spin_trylock_irqsave
      spin_trylock_bh raw_spin_lock raw_spin_lock_irq raw_spin_lock_irqsave`),
    release:
      words(`spin_unlock spin_unlock_irq spin_unlock_irqrestore spin_unlock_bh raw_spin_unlock raw_spin_unlock_irq
      raw_spin_unlock_irqrestore`),
  },
  {
    take: words(
      'down_read down_read_interruptible down_read_killable down_read_trylock down_read_nested',
    ),
    release: words('up_read'),
  },
  {
    take: words('down_write down_write_killable down_write_trylock down_write_nested'),
    release: words('up_write'),
  },
  {
    take: words('down down_interruptible down_killable down_trylock down_timeout'),
    release: words('up'),
  },
  {
    take: words('read_lock read_lock_irq read_lock_irqsave read_lock_bh'),
    release: words('read_unlock read_unlock_irq read_unlock_irqrestore read_unlock_bh'),
  },
  {
    take: words('write_lock write_lock_irq write_lock_irqsave write_lock_bh write_trylock'),
    release: words('write_unlock write_unlock_irq write_unlock_irqrestore write_unlock_bh'),
  },
  {
    take: words('write_seqlock write_seqcount_begin'),
    release: words('write_sequnlock write_seqcount_end'),
  },
  { take: words('srcu_read_lock'), release: words('srcu_read_unlock') },
  { take: words('rcu_read_lock'), release: words('rcu_read_unlock') },
  { take: words('device_lock device_trylock'), release: words('device_unlock') },
  { take: words('mmap_read_lock mmap_read_trylock'), release: words('mmap_read_unlock') },
  { take: words('mmap_write_lock'), release: words('mmap_write_unlock') },
  { take: words('percpu_down_read'), release: words('percpu_up_read') },
  { take: words('percpu_down_write'), release: words('percpu_up_write') },
];

const byTaker = new Map(LOCK_PAIRS.flatMap((row, i) => row.take.map((name) => [name, i] as const)));
const byRelease = new Map(
  LOCK_PAIRS.flatMap((row, i) => row.release.map((name) => [name, i] as const)),
);

/**
 * The kind of lock that a call of `name` takes: the same number for calls that let it go. Undefined
 * for any other function.
 */
export function lockTakenBy(name: string): number | undefined {
  return byTaker.get(name);
}

/** The kind of lock that a call of `name` lets go. */
export function lockReleasedBy(name: string): number | undefined {
  return byRelease.get(name);
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
  { classes: words('raw_spinlock_irq'), take: 'raw_spin_lock_irq', release: 'raw_spin_unlock_irq' },
  {
    classes: words('raw_spinlock_irqsave'),
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

/** The rows of the locks under which nothing may sleep. */
const SPINNING = new Set(
  LOCK_PAIRS.flatMap((row, i) =>
    /^(?:spin|read|write|rcu_read)_lock$|^write_seqlock$/.test(row.take[0]!) ? [i] : [],
  ),
);

/** `lockTakenBy`, of a lock under which nothing may sleep. */
export function spinLockTakenBy(name: string): number | undefined {
  const row = byTaker.get(name);
  return row !== undefined && SPINNING.has(row) ? row : undefined;
}

/** `lockReleasedBy`, of a lock under which nothing may sleep. */
export function spinLockReleasedBy(name: string): number | undefined {
  const row = byRelease.get(name);
  return row !== undefined && SPINNING.has(row) ? row : undefined;
}

/** Calls that make a lock out of memory, by argument 0. */
export const LOCK_INITIALISERS: ReadonlySet<string> = new Set(
  words(`mutex_init __mutex_init spin_lock_init raw_spin_lock_init rwlock_init init_rwsem sema_init
    rt_mutex_init seqlock_init seqcount_init init_srcu_struct ww_mutex_init percpu_init_rwsem`),
);

/** Calls that end the life of a lock, by argument 0. */
export const LOCK_DESTROYERS: ReadonlySet<string> = new Set(
  words('mutex_destroy rt_mutex_destroy ww_mutex_destroy cleanup_srcu_struct percpu_free_rwsem'),
);
