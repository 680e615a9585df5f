/**
 * The stages that the engine strings together, in one place, so that its own tests can put others
 * in.
 */
import {
  copyLoweringCache,
  createLoweringCache,
  lowerFile,
  type LoweringCache,
} from '../ir/lower.ts';
import { API_ENTRIES } from '../kernel/lifecycle-api.ts';
import type { ApiEntry, KernelVersion } from '../kernel/types.ts';
import {
  analyseInSteps,
  createAnalysisCache,
  forkAnalysisCache,
  type AnalysisCache,
} from '../lifecycle/analyse.ts';
import type { Module, ModuleFacts } from '../lifecycle/types.ts';
import { rules } from '../rules/index.ts';
import type { Rule } from '../rules/types.ts';
import type { Steps } from '../budget/work.ts';
import type { Lowering } from './documents.ts';

export interface Stages {
  readonly lowering: Lowering<LoweringCache>;
  /** What the analysis keeps between two versions of a module. */
  createCache(): unknown;
  /** What the analysis of other texts of the same module begins with, which leaves this as it is. */
  forkCache(cache: unknown): unknown;
  analyseModule(module: Module, kernel: KernelVersion, cache: unknown): Steps<ModuleFacts>;
  readonly rules: readonly Rule[];
}

export const kernelStages: Stages = {
  lowering: {
    createCache: createLoweringCache,
    copyCache: copyLoweringCache,
    lower: lowerFile,
  },
  createCache: createAnalysisCache,
  forkCache: (cache) => forkAnalysisCache(cache as AnalysisCache),
  analyseModule: (module, kernel, cache) => analyseInSteps(module, kernel, cache as AnalysisCache),
  rules,
};

/**
 * The knowledge base, for what hosts ask of it: the kernel of a header, the explanation of a name.
 */
export const KERNEL_API: readonly ApiEntry[] = API_ENTRIES;

export { createParser as loadParser } from '../syntax/parser.ts';
