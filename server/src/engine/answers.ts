/**
 * What one answer of the engine may cost beside an analysis: a conversion, the proof of a fix, with
 * all analyses that they take.
 */
import { withinBudget } from '../budget/work.ts';
import { remembering } from '../lifecycle/module/statements.ts';

/** The dearest conversion of a driver of Linux 6.0 or 6.12 costs 97,000: a two-hundredth of it. */
export const ANSWER_BUDGET = 20_000_000;

/** Works out an answer, or gives it up for `tooMuch`. Throws what `work` throws. */
export function answered<T>(work: () => T, tooMuch: T): T {
  const done = withinBudget(ANSWER_BUDGET, () => remembering(work));
  return done.isSpent ? tooMuch : done.value;
}
