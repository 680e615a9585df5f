/** What one exploration learns of resources, and what callers of a helper learn of it. */
import { type Interner, type Place, resultAt } from '../domain/objects.ts';
import type { Mask, NEGATIVE, Value, ZERO } from '../domain/values.ts';
import type { Leave, Site, Teardown, Undone } from '../types.ts';
import type { Held } from './held-resource.ts';

/** What one exploration learns of resources. */
export interface ResourceLog extends ResourceFindings {
  /** What it gives back without having taken it: for its callers. */
  readonly gives: Map<string, Give>;
}

/** What rules read of it. */
export interface ResourceFindings {
  readonly undone: Map<string, Undone>;
  readonly leaves: Leave[];
  readonly teardowns: Map<string, Teardown>;
}

export function emptyLog(): ResourceLog {
  return { gives: new Map(), undone: new Map(), leaves: [], teardowns: new Map() };
}

/**
 * A call that gives something back. `everything` stands for unseen code that may give back all that
 * it can reach.
 */
export interface Give {
  readonly api: string;
  readonly everything: boolean;
  readonly values: readonly Value[];
  /** Where the call stands. */
  readonly site: Site;
}

/** How a function that is not explored for its own sake deals with resources. */
export interface HelperResources {
  readonly takes: readonly Take[];
  readonly gives: readonly Give[];
  /**
   * What it holds on some of its paths and not on others with the same result, by path: its callers
   * go on by one of these, or with none of it.
   */
  readonly left: readonly Left[];
}

/** What one path of a helper ends with, and its result. */
export interface Left {
  readonly takes: readonly Take[];
  readonly result: typeof NEGATIVE | typeof ZERO;
}

export interface Take {
  readonly held: Held;
  readonly when: Mask | null;
  readonly storedAt: Place | null;
  readonly isResult: boolean;
}

export type Resolve = (place: Place) => Value | null;

/** The pointer that is none: it names nothing. */
export function nothing(own: Interner): Place {
  return resultAt(own, 'value', 0).start;
}
