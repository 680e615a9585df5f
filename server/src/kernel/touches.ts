/**
 * What a call of a kernel function reads and writes, as far as it decides what may move over the
 * call.
 */
import { isComputation, isFixedGetter } from './bus-devices.ts';
import { familyTouch, isNeutral } from './lookup.ts';
import { isLog } from './logs.ts';
import { isValueOrTest } from './macros.ts';
import { isQuery } from './queries.ts';
import { isView } from './views.ts';
import { words } from './rows.ts';

/**
 * - `looks`: reads what it is given and what that points to, and computes;
 * - `logs`: the same, and prints;
 * - `arguments`: reads and writes what its arguments point to, and nothing else;
 * - `kernel`: that, and what the kernel or the hardware keeps;
 * - `everything`: may wait, lock, or run code of the driver before it returns.
 */
export type Touch = 'looks' | 'logs' | 'arguments' | 'kernel' | 'everything';

/**
 * They set up, or mark the end of, what lives in the memory that they are given, and keep nothing
 * running (<linux/mutex.h>, <linux/workqueue.h> and so on).
 */
const SET_UP: ReadonlySet<string> = new Set(
  words(`mutex_init mutex_destroy rt_mutex_init ww_mutex_init spin_lock_init raw_spin_lock_init rwlock_init init_rwsem sema_init
  seqlock_init seqcount_init lockdep_set_class lockdep_set_class_and_name lockdep_register_key lockdep_unregister_key lockdep_init_map init_completion reinit_completion
  init_waitqueue_head init_swait_queue_head INIT_WORK INIT_DELAYED_WORK INIT_DEFERRABLE_WORK INIT_RCU_WORK timer_setup hrtimer_init hrtimer_setup tasklet_init tasklet_setup
  init_irq_work BLOCKING_INIT_NOTIFIER_HEAD ATOMIC_INIT_NOTIFIER_HEAD RAW_INIT_NOTIFIER_HEAD kref_init kref_get kref_read INIT_KFIFO WRITE_ONCE RCU_INIT_POINTER`),
);

/** They run callbacks of drivers, or let others run them at once. */
const RUNS_CODE: ReadonlySet<string> = new Set(
  words(`device_add device_register device_create device_create_file device_create_files device_for_each_child device_find_child
  device_attach device_driver_attach bus_for_each_dev driver_for_each_device kobject_uevent kobject_uevent_env pci_reset_function pci_try_reset_function
  pci_reset_bus pci_enable_sriov pci_disable_sriov pci_walk_bus kset_register complete complete_all wake_up schedule`),
);

/**
 * Macros that give their argument, by its zero-based position, a value without taking its address
 * (<linux/minmax.h>, <asm/div64.h>, <linux/spinlock.h>, <linux/uaccess.h>).
 */
const ASSIGNS: ReadonlyMap<string, readonly number[]> = new Map<string, readonly number[]>([
  ['swap', [0, 1]],
  ['do_div', [0]],
  ['WRITE_ONCE', [0]],
  ['RCU_INIT_POINTER', [0]],
  ['rcu_assign_pointer', [0]],
  ['get_user', [0]],
  ['__get_user', [0]],
  ['spin_lock_irqsave', [1]],
  ['raw_spin_lock_irqsave', [1]],
  ['read_lock_irqsave', [1]],
  ['write_lock_irqsave', [1]],
  ['local_irq_save', [0]],
  ['INIT_KFIFO', [0]],
]);

/** What a call of the kernel's `name` touches; undefined when no table knows the function. */
export function touchOf(name: string): Touch | undefined {
  if (isLog(name)) return 'logs';
  if (ASSIGNS.has(name))
    return familyTouch(name) === 'everything' && !SET_UP.has(name) ? 'everything' : 'arguments';
  if (SET_UP.has(name)) return 'arguments';
  if (RUNS_CODE.has(name)) return 'everything';
  if (
    isView(name) ||
    isFixedGetter(name) ||
    isComputation(name) ||
    isValueOrTest(name) ||
    isQuery(name)
  )
    return 'looks';
  return isNeutral(name) ? (familyTouch(name) ?? 'kernel') : undefined;
}

/**
 * The zero-based positions of the arguments that a call of `name` assigns to although their address
 * is not taken.
 */
export function assignedArguments(name: string): readonly number[] {
  return ASSIGNS.get(name) ?? [];
}

/**
 * True when what `name` returns is fixed while the device that it is given exists: nothing that the
 * kernel does changes it.
 */
export function isFixedLook(name: string): boolean {
  return isView(name) || isFixedGetter(name);
}
