/** Power management, clocks and regulators. */
import { ANYTHING, type FunctionRows, type Resource } from './row.ts';
import { words } from '../behaviour-builders.ts';

const RUNTIME_PM: Resource = {
  undo: words('pm_runtime_disable'),
  taken: 0,
  given: 0,
};

const RUNTIME_PM_USE: Resource = {
  undo: words(
    'pm_runtime_put pm_runtime_put_sync pm_runtime_put_noidle pm_runtime_put_autosuspend pm_runtime_put_sync_autosuspend pm_runtime_put_sync_suspend',
  ),
  taken: 0,
  given: 0,
};

const RUNNING_CLOCK: Resource = {
  undo: words('clk_disable_unprepare'),
  taken: 0,
  given: 0,
};

const CLOCK: Resource = {
  undo: words('clk_put'),
  taken: 'return',
  given: 0,
};

export const POWER: FunctionRows = {
  // Power management of the parent.
  pm_stay_awake: ANYTHING,
  pm_relax: ANYTHING,

  pm_runtime_enable: { touches: 'everything', takes: RUNTIME_PM, succeeds: 'always' },
  pm_runtime_disable: { touches: 'everything' },
  pm_runtime_resume_and_get: { touches: 'everything', takes: RUNTIME_PM_USE },
  pm_runtime_get_sync: { touches: 'everything', takes: RUNTIME_PM_USE, succeeds: 'always' },
  pm_runtime_get: { touches: 'everything', takes: RUNTIME_PM_USE, succeeds: 'always' },
  pm_runtime_get_noresume: { touches: 'everything', takes: RUNTIME_PM_USE, succeeds: 'always' },
  pm_runtime_put: { touches: 'everything' },
  pm_runtime_put_sync: { touches: 'everything' },
  pm_runtime_put_noidle: { touches: 'everything' },
  pm_runtime_put_autosuspend: { touches: 'everything' },
  pm_runtime_put_sync_autosuspend: { touches: 'everything' },
  pm_runtime_put_sync_suspend: { touches: 'everything' },
  clk_prepare_enable: { touches: 'kernel', takes: RUNNING_CLOCK },
  clk_disable_unprepare: { touches: 'kernel' },
  clk_get: { touches: 'kernel', takes: CLOCK },
  clk_put: { touches: 'kernel' },
};
