import type { FileIr } from '../../server/src/ir/types.ts';
import type { KernelRange, KernelVersion } from '../../server/src/kernel/types.ts';
import type { Edit } from '../../server/src/text/span.ts';

/** A correct driver for one kernel: the lowered documents of its module. */
export interface Subject {
  readonly name: string;
  readonly kernel: KernelVersion;
  readonly sources: readonly FileIr[];
  readonly headers: readonly FileIr[];
}

/** One defect to plant: what is changed, and where it must be spoken of. */
export interface Defect {
  readonly path: string;
  readonly edits: readonly Edit[];
  /** The place that a list of misses names: an offset into the document as it was. */
  readonly at: number;
  /**
   * The functions in which a finding is at the right place; null where the defect has no function
   * of its own: in a table, in a struct.
   */
  readonly functions: readonly string[] | null;
  /** The target kernel, where the defect is that the driver is built for another one. */
  readonly kernel?: KernelVersion;
  /** Why this change changes no behaviour: it is counted and not planted. */
  readonly equivalent?: string;
}

/** A way to break a driver. */
export interface Operator {
  /** A few words, as the table shows them. */
  readonly id: string;
  /** The rules of which each names the defect rightly. */
  readonly rules: readonly string[];
  /** Rules that are right to speak of a consequence of the defect. */
  readonly also?: readonly string[];
  /** The target kernels in which the change is a defect of that kind. */
  readonly kernels: KernelRange;
  readonly plant: (subject: Subject) => readonly Defect[];
}
