/** Whether a path may go on under an #if of the configuration. */
import type { Condition } from '../../syntax/node.ts';
import type { Run } from '../interpret/run.ts';
import type { PathState } from '../domain/path-state.ts';

/**
 * Enters an #if arm: false when the target kernel or an earlier arm of the same test on this path
 * excludes it.
 */
export function assumeConfig(run: Run, state: PathState, condition: Condition): boolean {
  const truth = run.index.truthOf(condition.test);
  if (truth !== 'unknown') return (truth === 'true') === condition.holds;
  const before = state.config.get(condition.test);
  if (before !== undefined) return before === condition.holds;
  state.config.set(condition.test, condition.holds);
  return true;
}
