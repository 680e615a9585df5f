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

/** The function that stops what `arm` has prepared, in a kernel. */
export function usualStop(kind: AsyncKind, arm: string, kernel: KernelVersion): string {
  return (
    kind.usual.find(({ since }) => inRange(kernel, { since }))?.name ??
    arm.replace('register', 'unregister')
  );
}

const ANY: KernelVersion = [0, 0];

const at = (argument: number, names: string): [string, number][] =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => [name, argument]);
const arms = (
  argument: number,
  handler: number | null,
  names: string,
): [string, { argument: number; handler: number | null }][] =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => [name, { argument, handler }]);

const set = (names = ''): ReadonlySet<string> => new Set(names.split(/\s+/).filter(Boolean));

/** What most kinds have in common. */
const ORDINARY = {
  stopsWithoutWaiting: set(),
  waitsOnly: set(),
  lives: 'until-stopped',
  stopAll: set(),
} as const;

// Who waits and who does not: v6.12 kernel/workqueue.c, kernel/time/timer.c, kernel/time/hrtimer.c,
// kernel/softirq.c, kernel/irq_work.c, kernel/kthread.c.
export const ASYNC_KINDS: readonly AsyncKind[] = [
  {
    ...ORDINARY,
    what: 'the work',
    arm: new Map(arms(0, 1, 'INIT_WORK INIT_RCU_WORK')),
    start: new Map([
      ...at(0, 'schedule_work'),
      ...at(1, 'queue_work queue_rcu_work schedule_work_on'),
      ...at(2, 'queue_work_on'),
    ]),
    stop: new Map(
      at(
        0,
        'cancel_work_sync cancel_work flush_work flush_rcu_work disable_work disable_work_sync',
      ),
    ),
    stopsWithoutWaiting: set('cancel_work disable_work'),
    waitsOnly: set('flush_work flush_rcu_work'),
    stopAll: set('destroy_workqueue flush_workqueue drain_workqueue flush_scheduled_work'),
    usual: [{ since: ANY, name: 'cancel_work_sync' }],
  },
  {
    ...ORDINARY,
    what: 'the work',
    arm: new Map(arms(0, 1, 'INIT_DELAYED_WORK INIT_DEFERRABLE_WORK')),
    start: new Map([
      ...at(0, 'schedule_delayed_work'),
      ...at(1, 'queue_delayed_work mod_delayed_work schedule_delayed_work_on'),
      ...at(2, 'queue_delayed_work_on mod_delayed_work_on'),
    ]),
    stop: new Map(
      at(
        0,
        'cancel_delayed_work_sync cancel_delayed_work flush_delayed_work disable_delayed_work disable_delayed_work_sync',
      ),
    ),
    stopsWithoutWaiting: set('cancel_delayed_work disable_delayed_work'),
    waitsOnly: set('flush_delayed_work'),
    // To flush or destroy a queue does not wait for work that is still on its timer.
    usual: [{ since: ANY, name: 'cancel_delayed_work_sync' }],
  },
  {
    ...ORDINARY,
    what: 'the timer',
    arm: new Map(arms(0, 1, 'timer_setup timer_setup_on_stack')),
    start: new Map(
      at(0, 'mod_timer add_timer add_timer_on add_timer_global add_timer_local timer_reduce'),
    ),
    stop: new Map(
      at(
        0,
        'del_timer del_timer_sync timer_delete timer_delete_sync timer_shutdown timer_shutdown_sync try_to_del_timer_sync',
      ),
    ),
    stopsWithoutWaiting: set('del_timer timer_delete timer_shutdown try_to_del_timer_sync'),
    usual: [
      { since: [6, 2], name: 'timer_delete_sync' },
      { since: ANY, name: 'del_timer_sync' },
    ],
  },
  {
    ...ORDINARY,
    what: 'the timer',
    arm: new Map([...arms(0, null, 'hrtimer_init'), ...arms(0, 1, 'hrtimer_setup')]),
    start: new Map(
      at(0, 'hrtimer_start hrtimer_start_range_ns hrtimer_restart hrtimer_start_expires'),
    ),
    stop: new Map(at(0, 'hrtimer_cancel hrtimer_try_to_cancel')),
    stopsWithoutWaiting: set('hrtimer_try_to_cancel'),
    usual: [{ since: ANY, name: 'hrtimer_cancel' }],
  },
  {
    ...ORDINARY,
    what: 'the tasklet',
    arm: new Map(arms(0, 1, 'tasklet_setup tasklet_init')),
    start: new Map(at(0, 'tasklet_schedule tasklet_hi_schedule')),
    stop: new Map(at(0, 'tasklet_kill tasklet_disable tasklet_unlock_wait')),
    // A tasklet that is disabled stays scheduled.
    waitsOnly: set('tasklet_disable tasklet_unlock_wait'),
    usual: [{ since: ANY, name: 'tasklet_kill' }],
  },
  {
    ...ORDINARY,
    what: 'the irq_work',
    arm: new Map(arms(0, 1, 'init_irq_work')),
    start: new Map([...at(0, 'irq_work_queue'), ...at(0, 'irq_work_queue_on')]),
    stop: new Map(at(0, 'irq_work_sync')),
    usual: [{ since: ANY, name: 'irq_work_sync' }],
  },
  {
    ...ORDINARY,
    what: 'the kthread work',
    arm: new Map(arms(0, 1, 'kthread_init_work kthread_init_delayed_work')),
    start: new Map(at(1, 'kthread_queue_work kthread_queue_delayed_work kthread_mod_delayed_work')),
    stop: new Map(
      at(0, 'kthread_cancel_work_sync kthread_cancel_delayed_work_sync kthread_flush_work'),
    ),
    stopAll: set('kthread_flush_worker kthread_destroy_worker kthread_stop'),
    usual: [{ since: ANY, name: 'kthread_cancel_work_sync' }],
  },
  {
    ...ORDINARY,
    what: 'the notifier',
    arm: new Map([
      ...arms(
        1,
        null,
        'bus_register_notifier blocking_notifier_chain_register atomic_notifier_chain_register raw_notifier_chain_register srcu_notifier_chain_register iommu_group_register_notifier kvm_page_track_register_notifier',
      ),
      ...arms(
        0,
        null,
        'register_netdevice_notifier register_reboot_notifier register_pm_notifier mmu_notifier_register',
      ),
      ...arms(3, null, 'vfio_register_notifier'),
    ]),
    start: new Map(),
    stop: new Map([
      ...at(
        1,
        'bus_unregister_notifier blocking_notifier_chain_unregister atomic_notifier_chain_unregister raw_notifier_chain_unregister srcu_notifier_chain_unregister iommu_group_unregister_notifier kvm_page_track_unregister_notifier',
      ),
      ...at(
        0,
        'unregister_netdevice_notifier unregister_reboot_notifier unregister_pm_notifier mmu_notifier_unregister mmu_notifier_put',
      ),
      ...at(2, 'vfio_unregister_notifier'),
    ]),
    usual: [],
  },
  {
    ...ORDINARY,
    what: 'the interrupt',
    arm: new Map([
      ...arms(4, null, 'request_irq request_any_context_irq pci_request_irq'),
      ...arms(5, null, 'request_threaded_irq'),
    ]),
    start: new Map(),
    stop: new Map([...at(1, 'free_irq'), ...at(2, 'pci_free_irq')]),
    usual: [{ since: ANY, name: 'free_irq' }],
  },
  {
    ...ORDINARY,
    what: 'the managed interrupt',
    arm: new Map([
      ...arms(5, null, 'devm_request_irq devm_request_any_context_irq'),
      ...arms(6, null, 'devm_request_threaded_irq'),
    ]),
    start: new Map(),
    stop: new Map(at(2, 'devm_free_irq')),
    lives: 'until-unbound',
    // Once it is off the handler does not run, whoever frees it later.
    stopAll: set('disable_irq disable_irq_nosync disable_hardirq free_irq'),
    usual: [{ since: ANY, name: 'devm_free_irq' }],
  },
  {
    ...ORDINARY,
    what: 'the thread',
    arm: new Map(arms(1, 0, 'kthread_run kthread_create')),
    start: new Map(),
    stop: new Map(),
    lives: 'until-told',
    stopAll: set('kthread_stop kthread_stop_put'),
    usual: [{ since: ANY, name: 'kthread_stop' }],
  },
];
