/**
 * What a command line asks for, once it is read: the words between command-line.ts and the
 * commands.
 */
import type { Configuration } from '../engine/types.ts';

export const FORMATS = ['text', 'short', 'json', 'sarif', 'github', 'gitlab'] as const;
export const SHOWN_LEVELS = ['error', 'warning', 'info', 'hint'] as const;
export const LEVELS = [...SHOWN_LEVELS, 'never'] as const;
export const STYLES = ['minimal', 'fold', 'compat'] as const;
export const STAGES = ['tree', 'ir', 'cfg', 'states', 'calls'] as const;
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export const WHENS = ['auto', 'always', 'never'] as const;

export type FailOn = (typeof LEVELS)[number];
export type ShownLevel = (typeof SHOWN_LEVELS)[number];
export type DumpStage = (typeof STAGES)[number];
export type Shell = (typeof SHELLS)[number];

/** What `--rule` and `--only` say of some rules. */
export type RuleOptions = NonNullable<Configuration['rules']>;

/** How much is said, and how it looks: options that every command has. */
export interface Manner {
  /** `quiet` leaves out on stderr all but what went wrong; `verbose` says what was done. */
  readonly talk: 'quiet' | 'normal' | 'verbose';
  readonly color: (typeof WHENS)[number];
}

/** The text of stdin, to be analysed as if it were a file. */
export interface Sources {
  /** As they were typed; `-` is stdin. */
  readonly paths: readonly string[];
  /** The file that stdin stands for. */
  readonly stdinName: string | undefined;
}

export interface CheckCommand extends Sources {
  readonly name: 'check';
  readonly kernel: string | undefined;
  readonly rules: RuleOptions;
  readonly format: (typeof FORMATS)[number];
  readonly failOn: FailOn;
  /** The least severity that is shown. */
  readonly minSeverity: ShownLevel;
  readonly baseline: string | undefined;
  readonly updateBaseline: boolean;
  readonly failOnGone: boolean;
  /** The file of a kernel configuration. */
  readonly config: string | undefined;
  /** The folder in which results are kept. */
  readonly cache: string | undefined;
  /** Only what this change has to answer for is reported; null for all. */
  readonly change: ChangeSource | null;
}

/** Where a change is found. */
export type ChangeSource =
  /** What the working folder has that the revision has not. */
  | { readonly kind: 'since'; readonly revision: string }
  /** What the next commit will have. */
  | { readonly kind: 'staged' }
  /** Patches, in their order; `-` is stdin. */
  | { readonly kind: 'diff'; readonly files: readonly string[] };

/** What kbuild asks of a checker. */
export interface KbuildCommand extends Pick<
  CheckCommand,
  'kernel' | 'rules' | 'failOn' | 'minSeverity'
> {
  readonly name: 'kbuild';
  /** The arguments of the compiler. */
  readonly words: readonly string[];
}

export interface ConvertCommand extends Sources {
  readonly name: 'convert';
  readonly kernel: string | undefined;
  readonly style: (typeof STYLES)[number];
  /** The macro of the tree that says whether the new model is there, for compat. */
  readonly guard: string | undefined;
  /** The name of a header beside each driver, for compat. */
  readonly compatHeader: string | undefined;
  readonly write: boolean;
  readonly format: 'patch' | 'json';
  /** The patch was asked for by name: as mails for git am, one for each driver. */
  readonly mails: boolean;
  readonly signoff: boolean;
  /** The folder that the mails are written to, each into a file; else they go to stdout. */
  readonly outputDirectory: string | undefined;
}

export interface FixCommand extends Sources {
  readonly name: 'fix';
  readonly kernel: string | undefined;
  readonly rules: RuleOptions;
  readonly unsafe: boolean;
  readonly write: boolean;
  /** Status 1 where there is something to write. */
  readonly check: boolean;
  readonly format: 'patch' | 'json';
}

export interface ExplainCommand {
  readonly name: 'explain';
  readonly kernel: string | undefined;
  /** Null for the list of all names. */
  readonly subject: string | null;
}

export interface RulesCommand {
  readonly name: 'rules';
  readonly format: 'text' | 'json';
}

export interface DumpCommand {
  readonly name: 'dump';
  readonly kernel: string | undefined;
  readonly stage: DumpStage;
  readonly file: string;
  readonly fn: string | undefined;
}

export type Command =
  | CheckCommand
  | KbuildCommand
  | ConvertCommand
  | FixCommand
  | ExplainCommand
  | RulesCommand
  | DumpCommand
  | { readonly name: 'completion'; readonly shell: Shell }
  | { readonly name: 'lsp' }
  /** Help or the version: the text is all there is to do. */
  | { readonly name: 'print'; readonly text: string };
