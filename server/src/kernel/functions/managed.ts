/** What belongs to the binding of the driver, and ends with it. */
import { KEEPS_IN_KERNEL, arms, stops, type FunctionRows } from './row.ts';
import { DEFERS, DEFERS_OR_RUNS } from './behaviours.ts';

export const MANAGED: FunctionRows = {
  // Managed resources of the parent end with it. What runs or removes a deferred action stays unknown.
  devm_request_irq: {
    ...KEEPS_IN_KERNEL,
    async: arms('managedInterrupt', 5),
    runsAtomic: 2,
    takesCookie: true,
  },
  devm_request_threaded_irq: {
    ...KEEPS_IN_KERNEL,
    async: arms('managedInterrupt', 6),
    runsAtomic: 2,
    takesCookie: true,
  },
  devm_remove_action: { given: 'unknown' },
  devm_remove_action_nowarn: { given: 'unknown' },
  devm_release_action: { given: 'unknown' },
  devres_release: { given: 'unknown' },
  devres_destroy: { given: 'unknown' },
  devres_release_group: { given: 'unknown' },
  devres_release_all: { given: 'unknown' },
  drmm_release_action: { given: 'unknown' },

  devm_add_action: { touches: 'kernel', behaviours: DEFERS, takesCookie: true },
  drmm_add_action: { touches: 'kernel', behaviours: DEFERS },
  devm_add_action_or_reset: { touches: 'kernel', behaviours: DEFERS_OR_RUNS, takesCookie: true },
  drmm_add_action_or_reset: { touches: 'kernel', behaviours: DEFERS_OR_RUNS },
  devm_free_irq: { touches: 'kernel', async: stops('managedInterrupt', 2), takesCookie: true },
  devm_request_any_context_irq: {
    touches: 'kernel',
    async: arms('managedInterrupt', 5),
    runsAtomic: 2,
  },
};
