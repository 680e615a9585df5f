/** The types of a step. */
import type { FileIr } from '../../ir/types.ts';
import type { DocumentEdits } from '../rewrite/compose.ts';
import type { Remark } from '../plan/remarks.ts';
import type { Callbacks, ConversionInput } from '../types.ts';

export interface StepInput {
  readonly input: ConversionInput;
  /** The document that is to be converted. */
  readonly file: FileIr;
  /** Only the devices that this function works on; all of the document's when it is undefined. */
  readonly functionName: string | undefined;
}

export interface StepResult {
  readonly edits: readonly DocumentEdits[];
  /** On what is to be looked at in the result; a bare sentence is about the first edit. */
  readonly notes: readonly (string | Remark)[];
  /** The functions and tables that are changed or added. */
  readonly touched: readonly string[];
  /** See ConversionInput. */
  readonly callbacks?: ReadonlyMap<string, Callbacks>;
  readonly documents?: readonly string[];
}

/**
 * Rewrites one form of a driver into another: null where there is nothing of that form. Throws
 * RefusedError for what it cannot prove.
 */
export type Step = (step: StepInput) => StepResult | null;
