/** The types of a conversion: request, plan, refusal. */
import type { Edit } from '../text/span.ts';
import type { KernelVersion } from '../kernel/types.ts';
import type { CallExpr, FileIr, FunctionIr, GotoStmt, IfStmt, VariableIr } from '../ir/types.ts';
import type { Module, Site } from '../lifecycle/types.ts';
import type { Placed } from '../lifecycle/module/statements.ts';

/** What is to be converted: the devices of one document, or of one function of it. */
export interface ConversionRequest {
  readonly path: string;
  /**
   * Only the devices that this function initialises, allocates or frees; all of the document's when
   * it is missing.
   */
  readonly functionName?: string | undefined;
}

/**
 * Callbacks of a library that an ops table is to name; `release` is null where the library has
 * none.
 */
export interface Callbacks {
  readonly init: string;
  readonly release: string | null;
}

export interface ConversionInput {
  readonly module: Module;
  /** What ops tables must name, by their names: the result of a preparation. */
  readonly callbacks?: ReadonlyMap<string, Callbacks> | undefined;
  /**
   * Documents whose devices are converted beside those of the one that is asked for: the result of
   * a preparation.
   */
  readonly documents?: readonly string[] | undefined;
  /** The kernel the result is for. */
  readonly kernel: KernelVersion;
}

/**
 * Why a conversion is not offered. The reason says what stands in the way and what to do about it.
 */
export interface Refusal {
  readonly code: RefusalCode;
  readonly reason: string;
  readonly site: Site | null;
  /** What stands in the way beside it. */
  readonly others?: readonly Refusal[];
}

/** Stable names of the refusals, one for each row of the table in the documentation. */
export type RefusalCode =
  | 'target-too-old'
  | 'opaque-function'
  | 'conditional-code'
  | 'library'
  | 'helper-initialises'
  | 'initialised-elsewhere'
  | 'several-inits'
  | 'allocated-elsewhere'
  | 'several-allocations'
  | 'unsuitable-allocation'
  | 'managed-allocation'
  | 'unchecked-allocation'
  | 'unsuitable-check'
  | 'split-span'
  | 'object-overwritten'
  | 'argument-not-available'
  | 'struct-not-found'
  | 'struct-anonymous'
  | 'member-not-first'
  | 'table-elsewhere'
  | 'table-chosen-late'
  | 'table-of-old-kernel'
  | 'table-incomplete'
  | 'freed-elsewhere'
  | 'freed-outside-release'
  | 'initialised-in-place'
  | 'ambiguous-object'
  | 'other-count'
  | 'macro'
  | 'never-freed'
  | 'free-of-nothing'
  | 'freed-twice'
  | 'used-after-free'
  | 'uninit-without-free'
  | 'unsuitable-statement'
  | 'registered-elsewhere'
  | 'older-interface'
  | 'unknown-interface'
  | 'iommu-group'
  | 'drvdata'
  | 'same-name';

/** A struct that embeds the vfio_device at offset 0. */
export interface Container {
  readonly tag: string;
  /** Member names from the container down to the vfio_device: ['core_device', 'vdev']. */
  readonly path: readonly string[];
  /** The struct tags on the way, one longer than `path`; the last is vfio_device. */
  readonly tags: readonly string[];
  /**
   * The struct on the way whose definition is not seen, so that only the compiler can check the
   * offset; null when all are.
   */
  readonly unseen: string | null;
}

/** Part of a plan: all its places are in this document of the module. */
export interface InFile {
  readonly file: FileIr;
}

/** The allocation, its test and the initialisation that becomes one call of vfio_alloc_device. */
export interface AllocationPlan extends InFile {
  readonly fn: FunctionIr;
  /** The statement that allocates. */
  readonly at: Placed;
  /** The variable that holds the container. */
  readonly variable: string;
  /** The expression that vfio_alloc_device takes the place of. */
  readonly call: CallExpr;
  readonly check: IfStmt;
  readonly checkAt: Placed;
  /** The statement that goes. */
  readonly init: Placed;
  /**
   * What fails after the allocation leaves by way of a test whether there is an object: the
   * variable becomes NULL again where the allocation fails.
   */
  readonly resets?: boolean;
  /**
   * The failing branch returns at once: what its `goto` leads to does nothing without an object.
   */
  readonly returns?: GotoStmt;
  /** Third and fourth argument of vfio_alloc_device. */
  readonly dev: string;
  readonly ops: string;
  /**
   * Statements between the allocation and the init that move in front of the allocation, because
   * those two are made from what they set.
   */
  readonly before: readonly Placed[];
}

/** A free that becomes a put. `put` is the argument of vfio_put_device. */
export interface FreePlan extends InFile {
  readonly fn: FunctionIr;
  readonly at: Placed;
  readonly call: CallExpr;
  readonly put: string;
}

/** An uninit that goes, because the last put does its work. */
export interface UninitPlan extends InFile {
  readonly fn: FunctionIr;
  readonly at: Placed;
  readonly call: CallExpr;
}

/** A member that an ops table gets. */
export interface MemberPlan {
  readonly name: string;
  readonly value: string;
  readonly place: 'front' | 'back';
}

/** An ops table and what it needs for the target. */
export interface TablePlan extends InFile {
  readonly variable: VariableIr;
  readonly members: readonly MemberPlan[];
  /** The name of the `.release` to generate, if one is needed. */
  readonly releaseStub: string | null;
}

export interface LabelPlan extends InFile {
  readonly fn: FunctionIr;
  readonly from: string;
  readonly to: string;
  /**
   * Nothing is left between the label and the next, `to`: its gotos go there, and its line goes.
   */
  readonly merged: boolean;
}

/** A statement that moves up, in front of another of the same block. */
export interface MovePlan extends InFile {
  readonly at: Placed;
  readonly before: Placed;
}

/**
 * What an edit does: the editor asks before it changes a layout. Where edits meet, the later of
 * this list gives its name to both: it is
 * the one that wants to be looked at.
 */
export const EDIT_KINDS = [
  'allocation',
  'teardown',
  'ops-table',
  'tidy',
  'signature',
  'layout',
  'fold',
] as const;
export type EditKind = (typeof EDIT_KINDS)[number];

/** An edit and what it is for. */
export interface PlannedEdit extends Edit {
  readonly kind: EditKind;
}

/** What happens to one kind of device object of the module. */
export interface DevicePlan {
  readonly container: Container;
  /** One for each function that creates such an object. */
  readonly allocations: readonly AllocationPlan[];
  readonly uninits: readonly UninitPlan[];
  readonly frees: readonly FreePlan[];
  readonly labels: readonly LabelPlan[];
  readonly moves: readonly MovePlan[];
}

/**
 * A sentence for the person who reads a conversion, and what it speaks of:
 * - `review`: the result, which is to be looked at;
 * - `release`: a `.release` that was added only to give the memory back;
 * - `label`, `moved`: what the patch shows by itself;
 * - `style`: what the style that was asked for could not do;
 * - `finding`: a fault that the driver had before;
 * - `target`: what is left in it that the target kernel does not know.
 */
export type Note = NoteKind & {
  readonly text: string;
  /**
   * The same without lines, where the text has some: for a commit message, since lines are others
   * as soon as something else changes, and
   * for where the note stands at its line.
   */
  readonly message?: string | undefined;
  /**
   * Where it is to be looked at; missing where nothing in particular is. In the documents as they
   * were given, and, once the engine hands the
   * conversion out, in its result.
   */
  readonly site?: Site | undefined;
};

type NoteKind =
  | { readonly kind: 'review' | 'label' | 'moved' | 'style' | 'finding' | 'target' }
  | { readonly kind: 'release'; readonly name: string };

/**
 * A proved plan for a module. It is data: edits.ts turns it into text, and another style is another
 * such function.
 */
export interface ConversionPlan {
  /** The document that was asked for. The parts of the plan say themselves which they are in. */
  readonly file: FileIr;
  readonly kernel: KernelVersion;
  readonly devices: readonly DevicePlan[];
  readonly tables: readonly TablePlan[];
  /** What a person should know of the result. */
  readonly notes: readonly Note[];
}

export type PlanResult =
  | { readonly status: 'planned'; readonly plan: ConversionPlan }
  | { readonly status: 'unchanged' }
  | { readonly status: 'refused'; readonly refusal: Refusal };

/**
 * The edits of a plan, a FileEdits for each document that changes, and the names of the functions
 * and tables that they touch.
 */
export interface PlannedEdits {
  readonly edits: readonly { readonly path: string; readonly edits: readonly PlannedEdit[] }[];
  readonly notes: readonly Note[];
  readonly touched: readonly string[];
}
