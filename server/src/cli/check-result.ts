/** What a check came to, as the reporters have it. */
import type { Analysis, NotAnalysed } from '../engine/types.ts';
import type { Finding } from '../rules/types.ts';
import type { Entry } from './baseline-file.ts';
import type { InputFile } from './inputs.ts';
import type { SettingsProblem, Workspace } from './workspace.ts';

/** One analysed file. */
export interface CheckedFile {
  readonly file: InputFile;
  /** `6.1`: two files of one run may lie in two trees. */
  readonly kernel: string;
  readonly analysis: Analysis;
  /** What a baseline has taken out of the findings. */
  readonly known: readonly Finding[];
}

/** What a reporter renders. */
export interface CheckResult {
  /** `6.1`: the target of the first file. */
  readonly kernel: string;
  readonly files: readonly CheckedFile[];
  readonly notAnalysed: readonly NotAnalysed[];
  /** What is wrong with the settings. */
  readonly problems: readonly SettingsProblem[];
  /** How many files and folders could not be read. */
  readonly unreadable: number;
  /** What baselines say, where there are some. */
  readonly baseline: { readonly gone: readonly Gone[] } | undefined;
  /** The text of any document that a finding names, and how to show its path. */
  readonly workspace: Workspace;
  shown(path: string): string;
}

/** A finding that a baseline has and that is there no more. */
export interface Gone {
  /** Absolute. */
  readonly path: string;
  readonly entry: Entry;
}
