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

export const ASYNC_KINDS: readonly AsyncKind[] = [
  {
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
    stopAll: new Set([
      'destroy_workqueue',
      'flush_workqueue',
      'drain_workqueue',
      'flush_scheduled_work',
    ]),
    usual: [{ since: ANY, name: 'cancel_work_sync' }],
  },
  {
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
    // To flush or destroy a queue does not wait for work that is still on its timer.
    stopAll: new Set(),
    usual: [{ since: ANY, name: 'cancel_delayed_work_sync' }],
  },
  {
    what: 'the timer',
    arm: new Map(arms(0, 1, 'timer_setup timer_setup_on_stack')),
    start: new Map(at(0, 'mod_timer add_timer add_timer_on timer_reduce')),
    stop: new Map(
      at(
        0,
        'del_timer del_timer_sync timer_delete timer_delete_sync timer_shutdown timer_shutdown_sync try_to_del_timer_sync',
      ),
    ),
    stopAll: new Set(),
    usual: [
      { since: [6, 2], name: 'timer_delete_sync' },
      { since: ANY, name: 'del_timer_sync' },
    ],
  },
  {
    what: 'the timer',
    arm: new Map([...arms(0, null, 'hrtimer_init'), ...arms(0, 1, 'hrtimer_setup')]),
    start: new Map(
      at(0, 'hrtimer_start hrtimer_start_range_ns hrtimer_restart hrtimer_start_expires'),
    ),
    stop: new Map(at(0, 'hrtimer_cancel hrtimer_try_to_cancel')),
    stopAll: new Set(),
    usual: [{ since: ANY, name: 'hrtimer_cancel' }],
  },
  {
    what: 'the tasklet',
    arm: new Map(arms(0, 1, 'tasklet_setup tasklet_init')),
    start: new Map(at(0, 'tasklet_schedule tasklet_hi_schedule')),
    stop: new Map(at(0, 'tasklet_kill tasklet_disable tasklet_unlock_wait')),
    stopAll: new Set(),
    usual: [{ since: ANY, name: 'tasklet_kill' }],
  },
  {
    what: 'the notifier',
    arm: new Map([
      ...arms(
        1,
        null,
        'bus_register_notifier blocking_notifier_chain_register atomic_notifier_chain_register raw_notifier_chain_register srcu_notifier_chain_register',
      ),
      ...arms(0, null, 'register_netdevice_notifier register_reboot_notifier register_pm_notifier'),
    ]),
    start: new Map(),
    stop: new Map([
      ...at(
        1,
        'bus_unregister_notifier blocking_notifier_chain_unregister atomic_notifier_chain_unregister raw_notifier_chain_unregister srcu_notifier_chain_unregister',
      ),
      ...at(0, 'unregister_netdevice_notifier unregister_reboot_notifier unregister_pm_notifier'),
    ]),
    stopAll: new Set(),
    usual: [],
  },
  {
    what: 'the interrupt',
    arm: new Map([
      ...arms(4, null, 'request_irq request_any_context_irq'),
      ...arms(5, null, 'request_threaded_irq'),
    ]),
    start: new Map(),
    stop: new Map(at(1, 'free_irq')),
    stopAll: new Set(),
    usual: [{ since: ANY, name: 'free_irq' }],
  },
];
