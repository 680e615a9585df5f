/**
 * Counts work, so that no input costs more than a bound: steps, each times the size of what it
 * handles. It never looks at a clock: the same
 * text has the same answer on every machine and under every load.
 */

/** Thrown by `spend` where a budget is used up; only the functions below catch it. */
class BudgetSpent extends Error {}

/** Whether an error says that a budget is spent: whoever catches all errors throws this one on. */
export function isBudgetSpent(error: unknown): boolean {
  return error instanceof BudgetSpent;
}

let left = Infinity;
let total = 0;

/**
 * Counts `units` of work. Throws where the budget around it, if there is one, does not reach so
 * far.
 */
export function spend(units: number): void {
  total += units;
  left -= units;
  if (left < 0) throw new BudgetSpent('the budget of work is spent');
}

/** Counts work that was done before and is kept: as `spend`, but for workDone(). */
export function spendAgain(units: number): void {
  left -= units;
  if (left < 0) throw new BudgetSpent('the budget of work is spent');
}

/** Counts work that has no budget, such as reading a text: for workDone() alone. */
export function note(units: number): void {
  total += units;
}

/** All units that were ever counted: what the work between two calls of this has cost. */
export function workDone(): number {
  return total;
}

/**
 * What came of work with a budget. `spent` is what it counted itself, without work that had a
 * budget of its own.
 */
export type Budgeted<T> =
  | { readonly isSpent: false; readonly value: T; readonly spent: number }
  | { readonly isSpent: true; readonly spent: number };

/** Work that can be left between two of its steps, and gone on with. */
export type Steps<T> = Generator<void, T>;

/**
 * Does `work` with a budget of its own, whatever is left of one around it: what is asked on the way
 * costs the same, whoever asks. Throws
 * what `work` throws.
 */
export function withinBudget<T>(limit: number, work: () => T): Budgeted<T> {
  const outer = left;
  left = limit;
  try {
    const value = work();
    return { isSpent: false, value, spent: limit - left };
  } catch (error) {
    if (!isBudgetSpent(error)) throw error;
    return { isSpent: true, spent: limit - left };
  } finally {
    left = outer;
  }
}

/** The same for work in steps. What is done between two steps does not count. */
export function* inStepsWithin<T>(limit: number, steps: Steps<T>): Steps<Budgeted<T>> {
  let own = limit;
  for (;;) {
    const outer = left;
    left = own;
    let step: IteratorResult<void, T>;
    try {
      step = steps.next();
      own = left;
    } catch (error) {
      if (!isBudgetSpent(error)) throw error;
      return { isSpent: true, spent: limit - left };
    } finally {
      left = outer;
    }
    if (step.done) return { isSpent: false, value: step.value, spent: limit - own };
    yield;
  }
}

/**
 * Does a part of what a budget is for, of which it may use no more than `limit`. What it uses
 * counts there. Throws where that is not enough.
 */
export function withinShare<T>(limit: number, work: () => T): T {
  const outer = left;
  left = Math.min(outer, limit);
  const begun = left;
  try {
    return work();
  } finally {
    left = outer - (begun - left);
  }
}

/** Does work as a part of the budget around it, and says what of that it has used. */
export function measured<T>(work: () => T): { readonly value: T; readonly spent: number } {
  return withinShare(Number.MAX_SAFE_INTEGER, () => {
    const begun = left;
    const value = work();
    return { value, spent: begun - left };
  });
}

/** Does work in steps without a pause. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Work in one step. */
export function* once<T>(work: () => T): Steps<T> {
  return work();
}
