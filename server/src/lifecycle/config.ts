import type { Condition } from '../syntax/node.ts';
import type { Run } from './run.ts';
import type { PathState } from './domain/path-state.ts';

/**
 * Enters an #if arm: false when the target kernel or an earlier arm of the same test on this path
 * excludes it.
 */
export function assumeConfig(run: Run, s: PathState, c: Condition): boolean {
  const truth = run.index.truthOf(c.test);
  if (truth !== 'unknown') return (truth === 'true') === c.holds;
  const before = s.config.get(c.test);
  if (before !== undefined) return before === c.holds;
  s.config.set(c.test, c.holds);
  return true;
}
