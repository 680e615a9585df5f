/** Work, timers, notifiers, threads and interrupts: what arms, starts and stops each. */
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
]);

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
