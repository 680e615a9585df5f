/**
 * What one analysis of a module carries along: its index, roles, budgets and what is known
 * already.
 */
import type { FunctionIr } from '../ir/types.ts';
import type { KernelVersion } from '../kernel/types.ts';
import type { Identities } from './incremental/identity.ts';
import type { Explored, Store } from './incremental/memo.ts';
import type { HelperResources } from './interpret/resource-log.ts';
import type { ObjectInfo } from './interpret/run.ts';
import type { Summary } from './interpret/summary.ts';
import type { ModuleIndex } from './module/module.ts';
import type { Survey } from './survey.ts';
import type { ModuleFacts, Role } from './types.ts';

/** The work that one function may cost, and all functions of a module together. */
export interface Budgets {
  readonly function: number;
  readonly module: number;
}

/**
 * The dearest function of the VFIO drivers of Linux 6.0 and 6.12 costs 118,000 and the dearest
 * module 125,000 (pds): a thirtieth and a hundredth of these. A function with forty
 * independent options costs half of them.
 */
export const BUDGETS: Budgets = { function: 4_000_000, module: 20_000_000 };

/**
 * The analysis of one version of a module for one kernel: what is known before a function is
 * explored, and what comes of it.
 */
export interface Analysis extends Survey {
  readonly index: ModuleIndex;
  readonly kernel: KernelVersion;
  readonly roles: ReadonlyMap<FunctionIr, Role>;
  readonly ops: ModuleFacts['opsTables'];
  readonly store: Store;
  readonly identities: Identities;
  readonly summaries: Map<FunctionIr, Summary>;
  /** By nameOf(): for the next version. */
  readonly settled: Map<string, Summary>;
  /** Functions that are explored because another one asks for them. */
  readonly inProgress: Set<FunctionIr>;
  /**
   * The last exploration of each function that was not given up: one with a better beginning
   * replaces the first.
   */
  readonly explored: Map<FunctionIr, Explored>;
  /** What the last exploration of each function knew of objects. */
  readonly objects: Map<FunctionIr, ReadonlyMap<string, ObjectInfo>>;
  readonly notAnalysed: Map<
    FunctionIr,
    { readonly path: string; readonly reason: string; readonly isInternal: boolean }
  >;
  readonly budgets: Budgets;
  /** The work that all explorations have cost so far, and the most that one of them did. */
  readonly work: { spent: number; most: number };
  /**
   * Functions that do nothing to devices: what they do with resources, as far as it was asked for.
   */
  readonly helpers: Map<FunctionIr, HelperResources | null>;
}

type Known = Survey &
  Pick<Analysis, 'budgets' | 'index' | 'kernel' | 'roles' | 'ops' | 'store' | 'identities'>;

/** An analysis that has explored nothing yet. */
export function beginAnalysis(known: Known): Analysis {
  return {
    ...known,
    summaries: new Map(),
    settled: new Map(),
    inProgress: new Set(),
    explored: new Map(),
    objects: new Map(),
    notAnalysed: new Map(),
    work: { spent: 0, most: 0 },
    helpers: new Map(),
  };
}
