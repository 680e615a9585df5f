/** Interrupts and event descriptors. */
import {
  ANYTHING,
  KEEPS_ANYTHING,
  arms,
  stops,
  stopsAll,
  enters,
  type FunctionRows,
  type Resource,
} from './row.ts';
import { words } from '../behaviour-builders.ts';

const INTERRUPT: Resource = {
  undo: words('free_irq'),
  taken: 0,
  given: 0,
};

const EVENTFD: Resource = {
  undo: words('eventfd_ctx_put'),
  taken: 'return',
  given: 0,
};

const IRQ_DOMAIN: Resource = {
  undo: words('irq_domain_remove'),
  taken: 'return',
  given: 0,
};

export const INTERRUPTS: FunctionRows = {
  // Interrupts and event descriptors are given the object as an argument, and the handler gets it back.
  free_irq: {
    ...ANYTHING,
    async: [stops('interrupt', 1), stopsAll('managedInterrupt')],
    takesCookie: true,
  },
  enable_irq: ANYTHING,
  disable_irq: { ...ANYTHING, async: stopsAll('managedInterrupt') },
  disable_irq_nosync: { ...ANYTHING, async: stopsAll('managedInterrupt') },
  disable_hardirq: { ...ANYTHING, async: stopsAll('managedInterrupt') },
  synchronize_irq: { ...ANYTHING, takesCookie: true },
  synchronize_hardirq: ANYTHING,
  get_cached_msi_msg: ANYTHING,
  write_msi_msg: ANYTHING,
  in_interrupt: ANYTHING,
  in_task: ANYTHING,
  request_irq: {
    ...KEEPS_ANYTHING,
    takes: INTERRUPT,
    async: arms('interrupt', 4),
    runsAtomic: 1,
    takesCookie: true,
  },
  request_threaded_irq: {
    ...KEEPS_ANYTHING,
    takes: INTERRUPT,
    async: arms('interrupt', 5),
    runsAtomic: 1,
    takesCookie: true,
  },
  request_any_context_irq: {
    ...KEEPS_ANYTHING,
    async: arms('interrupt', 4),
    runsAtomic: 1,
    takesCookie: true,
  },
  request_percpu_irq: { ...KEEPS_ANYTHING, runsAtomic: 1, takesCookie: true },
  irq_bypass_register_producer: KEEPS_ANYTHING,
  irq_set_handler_data: { ...KEEPS_ANYTHING, takesCookie: true },
  irq_set_chip_data: { ...KEEPS_ANYTHING, takesCookie: true },
  irq_set_affinity_notifier: KEEPS_ANYTHING,
  irq_domain_add_linear: { ...KEEPS_ANYTHING, takes: IRQ_DOMAIN },
  irq_domain_create_linear: { ...KEEPS_ANYTHING, takes: IRQ_DOMAIN },
  irq_domain_create_hierarchy: KEEPS_ANYTHING,

  eventfd_ctx_fdget: { touches: 'everything', takes: EVENTFD },
  eventfd_ctx_fileget: { touches: 'everything', takes: EVENTFD },
  eventfd_ctx_put: { touches: 'everything' },
  local_irq_save: { touches: 'everything', assigns: [0], atomic: enters('interrupts') },
};
