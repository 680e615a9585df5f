/** Work, timers, notifiers, threads and interrupts: what arms, starts and stops each. */
import { words } from './behaviour-builders.ts';
import { column, functionRow } from './functions/table.ts';
import type { AsyncKindId, AsyncUse } from './functions/row.ts';
import type { KernelVersion } from './types.ts';
import { inRange } from './version.ts';

/**
 * What runs later on its own and finds the object by an address that it was given: work, timers,
 * notifiers, interrupts. Positions are those
 * of the argument that names it: the address of a member, for an interrupt the object itself.
 */
export interface AsyncKind {
  /** As a person calls it. */
  readonly what: string;
  /** Prepares it, with the position of the function that will run, or null. */
  readonly arm: ReadonlyMap<string, { readonly argument: number; readonly handler: number | null }>;
  /** Makes it run; empty when the arming does. */
  readonly start: ReadonlyMap<string, number>;
  readonly stop: ReadonlyMap<string, number>;
  /** Those of `stop` that return at once although a run that has begun goes on. */
  readonly stopsWithoutWaiting: ReadonlySet<string>;
  /** Those of `stop` that wait for a run and do not keep the next one from being started. */
  readonly waitsOnly: ReadonlySet<string>;
  /**
   * How long it goes on: until one of `stop`; until the driver core frees what is managed, after
   * remove; or, a thread that asks whether it should stop, until it is told to.
   */
  readonly lives: 'until-stopped' | 'until-unbound' | 'until-told';
  /** Stop all of them, whatever their argument. */
  readonly stopAll: ReadonlySet<string>;
  /**
   * The usual function to stop it, the newest first; where there is none it is named after the one
   * that registers.
   */
  readonly usual: readonly { readonly since: KernelVersion; readonly name: string }[];
}

/**
 * What such things are in memory: a pointer to one of these is no pointer to the object that it is
 * in.
 */
export const ASYNC_STRUCTS: ReadonlySet<string> = new Set([
  'work_struct',
  'delayed_work',
  'timer_list',
  'hrtimer',
  'notifier_block',
  'tasklet_struct',
  'irq_work',
  'kthread_work',
  'kthread_delayed_work',
]);

/** The names that the kernel gives to structs with a function. */
export const ASYNC_TYPEDEFS: ReadonlyMap<string, string> = new Map([
  ['call_single_data_t', '__call_single_data'],
  ['wait_queue_entry_t', 'wait_queue_entry'],
]);

/** The structs whose function runs where nothing may sleep. */
export const ATOMIC_STRUCTS: ReadonlySet<string> = new Set([
  'hrtimer',
  'timer_list',
  'tasklet_struct',
  'irq_work',
  '__call_single_data',
  'wait_queue_entry',
  'urb',
  'bio',
  'dma_async_tx_descriptor',
  'dma_fence_cb',
  'dma_fence_ops',
  'irq_chip',
  'net_device_ops',
  'rcu_head',
  'callback_head',
  'irq_poll',
  'napi_struct',
  'percpu_ref',
  'perf_event',
  'pmu',
  'sk_buff',
  'crypto_async_request',
  'kiocb',
  'request',
]);

/** Structs whose functions run where code may sleep; a notifier does so if its chain does. */
const SLEEPING_STRUCTS: ReadonlySet<string> = new Set(
  words(
    `work_struct delayed_work rcu_work kthread_work kthread_delayed_work notifier_block file_operations proc_ops
    seq_operations vm_operations_struct miscdevice device device_type device_attribute driver_attribute bus_attribute
    class class_attribute bus_type kobj_type kobj_attribute bin_attribute dev_pm_ops pci_error_handlers mdev_parent
    mdev_parent_ops mdev_type mdev_type_attribute irq_affinity_notify irq_bypass_producer irq_bypass_consumer
    mmu_notifier_ops mmu_interval_notifier_ops dma_buf_ops dma_buf_attach_ops iommufd_access_ops kvm_device_ops
    vdpa_config_ops configfs_item_operations iommu_ops super_operations ethtool_ops genl_ops`,
  ),
);

/** Whether the function in a struct of the kernel runs where code may sleep, as far as is known. */
export function runsSleeping(tag: string): boolean {
  return SLEEPING_STRUCTS.has(tag) || /^vfio_|_driver$/.test(tag);
}

/** Whether a macro at file scope only names a function for the loader, sysfs or power management. */
export function onlyNames(macro: string): boolean {
  return /^(?:module_|EXPORT_|MODULE_|DECLARE_PCI_FIXUP|__setup|early_param|ALLOW_ERROR|KUNIT_)|_initcall|ATTR|PM_OPS/.test(
    macro,
  );
}

/**
 * Calls that register a notifier whose chain is called where code may sleep. Of another one that is
 * not in the tables this is not known.
 */
const SLEEPING_NOTIFIERS: ReadonlySet<string> = new Set(
  words(
    `blocking_notifier_chain_register blocking_notifier_chain_register_unique_prio srcu_notifier_chain_register
    register_netdevice_notifier register_netdevice_notifier_net register_netdevice_notifier_dev_net
    register_reboot_notifier register_pm_notifier register_inetaddr_notifier register_oom_notifier
    register_module_notifier register_memory_notifier register_hotmemory_notifier
    register_switchdev_blocking_notifier register_acpi_notifier bus_register_notifier
    iommu_group_register_notifier iommu_register_device_notifier vfio_register_notifier cpufreq_register_notifier clk_notifier_register
    devm_clk_notifier_register regulator_register_notifier devm_regulator_register_notifier
    dev_pm_qos_add_notifier dev_pm_genpd_add_notifier usb_register_notify fb_register_client
    crypto_register_notifier tegra_mc_register_notifier`,
  ),
);

/** Whether a call of `name` registers a notifier, by its words. */
export function registersNotifier(name: string): boolean {
  if (SLEEPING_NOTIFIERS.has(name)) return true;
  const parts = name.split('_');
  return (
    parts.some((word) => /^(?:notifier|notify|handler|client)$/.test(word)) &&
    parts.some((word) => /^(?:register|reg|add|install)$/.test(word))
  );
}

/** Whether a call of `name` registers a notifier that is called where code may sleep. */
export function notifiesSleeping(name: string): boolean {
  return SLEEPING_NOTIFIERS.has(name);
}

/** The members that keep the function which will run, where anything else can call it too. */
const HANDLER_MEMBERS: Partial<Record<AsyncKindId, readonly string[]>> = {
  work: ['func'],
  delayedWork: ['func'],
  timer: ['function'],
  hrtimer: ['function'],
  tasklet: ['func', 'callback'],
  irqWork: ['func'],
  kthreadWork: ['func'],
};

/** The members in which a call of `name` keeps the function that is its argument at `position`. */
export function handlerMembers(name: string, position: number): readonly string[] {
  return [functionRow(name)?.async ?? []]
    .flat()
    .flatMap((use) =>
      use.does === 'arm' && use.handler === position ? (HANDLER_MEMBERS[use.kind] ?? []) : [],
    );
}

/** The function that stops what `arm` has prepared, in a kernel. */
export function usualStop(kind: AsyncKind, arm: string, kernel: KernelVersion): string {
  return (
    kind.usual.find(({ since }) => inRange(kernel, { since }))?.name ??
    arm.replace('register', 'unregister')
  );
}

const ANY: KernelVersion = [0, 0];

/** What is said of a kind once; who arms, starts and stops it is in the rows of the functions. */
interface KindText {
  readonly id: AsyncKindId;
  readonly what: string;
  readonly lives: AsyncKind['lives'];
  readonly usual: AsyncKind['usual'];
}

// Who waits and who does not: v6.12 kernel/workqueue.c, kernel/time/timer.c, kernel/time/hrtimer.c,
// kernel/softirq.c, kernel/irq_work.c, kernel/kthread.c.
const KINDS: readonly KindText[] = [
  {
    id: 'work',
    what: 'the work',
    lives: 'until-stopped',
    usual: [{ since: ANY, name: 'cancel_work_sync' }],
  },
  // To flush or destroy a queue does not wait for work that is still on its timer.
  {
    id: 'delayedWork',
    what: 'the work',
    lives: 'until-stopped',
    usual: [{ since: ANY, name: 'cancel_delayed_work_sync' }],
  },
  {
    id: 'timer',
    what: 'the timer',
    lives: 'until-stopped',
    usual: [
      { since: [6, 2], name: 'timer_delete_sync' },
      { since: ANY, name: 'del_timer_sync' },
    ],
  },
  {
    id: 'hrtimer',
    what: 'the timer',
    lives: 'until-stopped',
    usual: [{ since: ANY, name: 'hrtimer_cancel' }],
  },
  // A tasklet that is disabled stays scheduled.
  {
    id: 'tasklet',
    what: 'the tasklet',
    lives: 'until-stopped',
    usual: [{ since: ANY, name: 'tasklet_kill' }],
  },
  {
    id: 'irqWork',
    what: 'the irq_work',
    lives: 'until-stopped',
    usual: [{ since: ANY, name: 'irq_work_sync' }],
  },
  {
    id: 'kthreadWork',
    what: 'the kthread work',
    lives: 'until-stopped',
    usual: [{ since: ANY, name: 'kthread_cancel_work_sync' }],
  },
  { id: 'notifier', what: 'the notifier', lives: 'until-stopped', usual: [] },
  {
    id: 'interrupt',
    what: 'the interrupt',
    lives: 'until-stopped',
    usual: [{ since: ANY, name: 'free_irq' }],
  },
  // Once it is off the handler does not run, whoever frees it later.
  {
    id: 'managedInterrupt',
    what: 'the managed interrupt',
    lives: 'until-unbound',
    usual: [{ since: ANY, name: 'devm_free_irq' }],
  },
  {
    id: 'thread',
    what: 'the thread',
    lives: 'until-told',
    usual: [{ since: ANY, name: 'kthread_stop' }],
  },
];

const uses: readonly (readonly [name: string, use: AsyncUse])[] = [...column('async')].flatMap(
  ([name, all]) => asList(all).map((use) => [name, use] as const),
);

function asList(all: AsyncUse | readonly AsyncUse[]): readonly AsyncUse[] {
  return 'kind' in all ? [all] : all;
}

/** Calls after which nothing starts what they stopped. */
export const STOPS_FOR_GOOD: ReadonlySet<string> = new Set(
  uses.flatMap(([name, use]) => ('isForGood' in use ? [name] : [])),
);

/** The kinds, with the functions that arm, start and stop each. */
export const ASYNC_KINDS: readonly AsyncKind[] = KINDS.map(({ id, ...text }) => {
  const arm = new Map<string, { argument: number; handler: number | null }>();
  const start = new Map<string, number>();
  const stop = new Map<string, number>();
  const stopsWithoutWaiting = new Set<string>();
  const waitsOnly = new Set<string>();
  const stopAll = new Set<string>();
  for (const [name, use] of uses) {
    if (use.kind !== id) continue;
    if (use.does === 'arm') arm.set(name, { argument: use.argument, handler: use.handler });
    else if (use.does === 'start') start.set(name, use.argument);
    else if (use.does === 'stop-all') stopAll.add(name);
    else stop.set(name, use.argument);
    if (use.does === 'cancel') stopsWithoutWaiting.add(name);
    if (use.does === 'wait') waitsOnly.add(name);
  }
  return { ...text, arm, start, stop, stopsWithoutWaiting, waitsOnly, stopAll };
});
