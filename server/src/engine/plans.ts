/**
 * The plans of conversions that were made for the very texts that an engine is asked about: an
 * offer, what stands beside a finding and the conversion itself have one plan.
 */
import { isSameList } from '../text/lists.ts';
import { measured, spendAgain } from '../budget/work.ts';
import type { ModuleInput, SourceDocument, TargetKernel } from './types.ts';

/** What is asked for a plan, or for what comes of it when state is folded. */
export interface PlanRequest {
  readonly what: 'plan' | 'fold';
  readonly input: ModuleInput;
  readonly target: TargetKernel;
  readonly functionName: string | undefined;
}

export interface Plans {
  /**
   * What `plan` comes to, or came to before for the same texts, target and function. Throws what
   * `plan` throws, and keeps nothing then.
   */
  once<T>(request: PlanRequest, plan: () => T): T;
  /** Is it there already? */
  has(request: PlanRequest): boolean;
  /** Drops what was planned with a document that was closed. */
  forget(path: string): void;
}

interface Kept extends PlanRequest {
  readonly plan: unknown;
  /** What it cost, which counts as if it were made anew: one text has one answer. */
  readonly cost: number;
}

/** The functions of one driver that a conversion can be asked for, and their file as a whole. */
const MAX_PLANS = 12;

export function createPlans(): Plans {
  let kept: Kept[] = [];
  const find = (request: PlanRequest): Kept | undefined =>
    kept.find(
      (one) =>
        !isOtherFile(one, request) &&
        one.what === request.what &&
        one.functionName === request.functionName &&
        one.target.text === request.target.text &&
        isSame(one.input, request.input),
    );
  return {
    has: (request) => find(request) !== undefined,

    once<T>(request: PlanRequest, plan: () => T): T {
      // What was planned for other texts of the file is of no more use.
      kept = kept.filter(
        (one) =>
          isOtherFile(one, request) ||
          (textOf(one.input) === textOf(request.input) && !isStale(one.input, request.input)),
      );
      const found = find(request);
      if (found) {
        spendAgain(found.cost);
        return found.plan as T;
      }
      const { value, spent } = measured(plan);
      kept = [...kept, { ...request, plan: value, cost: spent }].slice(-MAX_PLANS);
      return value;
    },

    forget(path) {
      kept = kept.filter(({ input }) => ![...input.sources, ...input.headers].some(isOf(path)));
    },
  };
}

function isOtherFile(one: PlanRequest, other: PlanRequest): boolean {
  return one.input.file !== other.input.file;
}

function textOf({ file, sources }: ModuleInput): string | undefined {
  return sources.find(({ path }) => path === file)?.text;
}

/**
 * Are these other texts of the same documents? The file alone, and with those that it is converted
 * together with, are asked about in turn.
 */
function isStale(one: ModuleInput, other: ModuleInput): boolean {
  const paths = ({ sources, headers }: ModuleInput): string =>
    [...sources, ...headers].map(({ path }) => path).join('\n');
  return paths(one) === paths(other) && !isSame(one, other);
}

function isOf(path: string): (document: SourceDocument) => boolean {
  return (document) => document.path === path;
}

function isSame(one: ModuleInput, other: ModuleInput): boolean {
  return (
    one.wrappers === other.wrappers &&
    one.build === other.build &&
    haveSameTexts(one.sources, other.sources) &&
    haveSameTexts(one.headers, other.headers)
  );
}

/** Whether two lists are of the same documents with the same texts. */
export function haveSameTexts(
  left: readonly SourceDocument[],
  right: readonly SourceDocument[],
): boolean {
  return isSameList(
    left,
    right,
    (one, other) => one.path === other.path && one.text === other.text,
  );
}
