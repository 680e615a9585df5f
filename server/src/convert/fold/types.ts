/** The types of the fold: its request, its result and the frame that it works on. */
import type { Edit } from '../../text/span.ts';
import type { CallExpr, FileIr, FunctionIr, IfStmt, Stmt, VariableIr } from '../../ir/types.ts';
import type { KernelVersion } from '../../kernel/types.ts';
import type { Module, Site } from '../../lifecycle/types.ts';
import type { Note } from '../types.ts';
import type { Scope } from '../../lifecycle/module/types-of.ts';

/** What is to be folded: the device that one function of a driver of the new model allocates. */
export interface FoldRequest {
  /** The module after the minimal conversion. */
  readonly module: Module;
  readonly kernel: KernelVersion;
  readonly path: string;
  /** The function that allocates. */
  readonly functionName: string;
  /**
   * The statements, as `plain` text, that stood in front of the call that initialised the vfio-pci
   * core before the conversion.
   */
  readonly beforeCore: ReadonlySet<string>;
  /** What has to be undone in `.release`, as `normalStatement` has it, or nothing is folded. */
  readonly toUndo?: ReadonlySet<string>;
}

/**
 * A note that speaks of places in the folded text, whose lines are known when nothing is left to
 * fold.
 */
export interface FoldNote {
  readonly kind: Note['kind'] & ('review' | 'moved' | 'label' | 'style');
  readonly places: readonly number[];
  /** The function of the folded text that it speaks of where it has no places. */
  readonly about?: string;
  /** @param lines the one-based lines of the places; none for a text that is to do without them. */
  readonly say: (lines: readonly number[]) => string;
}

/** What moved, in words: for the notes and for a commit message. */
export interface Moved {
  readonly probe: string;
  readonly tag: string;
  /** The generated functions; `release` is null when nothing has to be undone. */
  readonly init: string;
  readonly release: string | null;
  /** Short forms of the statements: `mutex_init()`, `state->memory`. */
  readonly built: readonly string[];
  readonly undone: readonly string[];
  /** The functions that undid it before. */
  readonly from: readonly string[];
  /** An error path of the probe undid it too. */
  readonly fromErrorPath: boolean;
}

export type FoldResult =
  | {
      readonly status: 'folded';
      readonly edits: readonly Edit[];
      readonly notes: readonly FoldNote[];
      readonly touched: readonly string[];
      readonly moved: Moved;
    }
  /** Nothing can be moved. The reason is a whole sentence. */
  | { readonly status: 'nothing'; readonly reason: string; readonly site: Site | null };

/** The part of a probe that a fold works on. */
export interface Frame {
  readonly module: Module;
  readonly kernel: KernelVersion;
  readonly file: FileIr;
  readonly fn: FunctionIr;
  readonly scope: Scope;
  /** The statements of the function's outermost block. */
  readonly list: readonly Stmt[];
  /**
   * Index of the test of the allocation, and of the statement that registers or, in a function that
   * only makes the object, returns it; what may move stands between.
   */
  readonly check: number;
  readonly register: number;
  readonly test: IfStmt;
  /** The call of vfio_alloc_device. */
  readonly alloc: CallExpr;
  /** The variable that holds the object. */
  readonly variable: string;
  readonly tag: string;
  /** The member path of the vfio_device, as written. */
  readonly member: string;
  readonly tables: readonly VariableIr[];
  /** The function returns the object, or an error pointer in place of an errno. */
  readonly returnsObject: boolean;
  /** The tables chain to vfio_pci_core. */
  readonly core: boolean;
}

/** Thrown inside the fold to leave it from any depth; foldDevice turns it into its result. */
export class NothingToFold extends Error {
  readonly site: Site | null;
  constructor(reason: string, site: Site | null) {
    super(reason);
    this.site = site;
  }
}
