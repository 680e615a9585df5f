/** What became of the files that a command was to change. */
import type { Moved } from '../convert/fold/types.ts';
import type { Note } from '../convert/index.ts';
import type { FixResult } from '../engine/fix.ts';
import type { InputFile } from './inputs.ts';
import type { JsonRange } from './json.ts';

/** What became of one file that was asked for. */
export interface Outcome {
  readonly file: InputFile;
  readonly status: 'converted' | 'unchanged' | 'refused';
  readonly reason?: string;
  /** The kind of reason. */
  readonly code?: string | null;
  /** Unchanged, with the old model left in it. */
  readonly isOld?: boolean;
  /** What stands in the way beside the reason. */
  readonly others?: readonly { readonly code: string; readonly reason: string }[];
  readonly notes: readonly Note[];
  readonly folded?: readonly Moved[] | undefined;
  readonly edits: readonly {
    readonly path: string;
    readonly range: JsonRange;
    readonly newText: string;
  }[];
  /** Of `fix`: what was fixed, and which safe fixes were left out. */
  readonly fixes?: FixResult;
}
