/** All that stands in the way of a conversion, from checks that do not need each other. */
import { RefusedError } from '../refusal-error.ts';
import type { Refusal, RefusalCode } from '../types.ts';

/** Checks whose refusals are gathered. */
export interface Obstacles {
  /** What a check finds; undefined where it refused. */
  readonly attempt: <Result>(check: () => Result) => Result | undefined;
  /** Throws the first refusal with the others beside it, where there is one. */
  readonly report: () => void;
}

/**
 * What stands in the way whatever else does. A refusal of another kind may only follow from the
 * first: what is not allocated here may well
 * be freed elsewhere.
 */
const INDEPENDENT: ReadonlySet<RefusalCode> = new Set([
  'conditional-code',
  'drvdata',
  'macro',
  'member-not-first',
  'object-overwritten',
  'opaque-function',
  'other-count',
  'table-chosen-late',
  'table-elsewhere',
  'table-incomplete',
  'table-of-old-kernel',
  'unsuitable-statement',
]);

/**
 * What no step of the preparation takes away, so that it stands in the way also of one that
 * refused.
 */
const LASTING: ReadonlySet<RefusalCode> = new Set([
  'conditional-code',
  'macro',
  'object-overwritten',
  'other-count',
  'table-elsewhere',
  'table-incomplete',
]);

/** Those of some refusals that may be told beside a first one: of other kinds, and each once. */
export function besides(first: Refusal, rest: readonly Refusal[]): readonly Refusal[] {
  const others = rest.filter((one) => INDEPENDENT.has(one.code) && one.code !== first.code);
  return [...new Map(others.map((one) => [one.reason, one])).values()];
}

/**
 * Those of a plan that may be told beside the refusal of a step of the preparation, which left the
 * module as the plan found it.
 */
export function besidesStep(first: Refusal, plan: Refusal): readonly Refusal[] {
  const all = [plan, ...(plan.others ?? [])];
  // All steps but the last few are done where the order of the members is refused.
  if (first.code === 'member-not-first') return all.filter((one) => one.code !== first.code);
  return besides(
    first,
    all.filter((one) => LASTING.has(one.code)),
  );
}

/** Gathers the refusals of checks that do not need each other's results. */
export function collectObstacles(): Obstacles {
  const found: Refusal[] = [];
  return {
    attempt: (check) => {
      try {
        return check();
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
        found.push(error.refusal);
        return undefined;
      }
    },
    report: () => {
      const [first, ...rest] = found;
      if (first) throw new RefusedError({ ...first, others: besides(first, rest) });
    },
  };
}
