/**
 * A kernel release as [major, minor]; 6.1.192 is [6, 1]. It has its sublevel only where that is
 * known and decides: 5.10.198 is [5, 10, 198].
 */
export type KernelVersion = readonly [major: number, minor: number, sublevel?: number];

/** From `since` inclusive to `until` exclusive; a missing end is open. */
export interface KernelRange {
  readonly since?: KernelVersion;
  readonly until?: KernelVersion;
  /**
   * Long-term series before `since` that took it later, with the sublevel that did where it is
   * known: 5.10.137 and later of 5.10.y is [5, 10, 137], some later release of 6.1.y is [6, 1].
   */
  readonly backports?: readonly KernelVersion[];
}

/**
 * What a kernel function does to an object. The device operand may be the vfio_device, an embedding
 * core device or the
 * container: the analysis resolves each to the same object.
 */
export type Effect = Operation & {
  /** The operand is the drvdata of the argument, as for a core's `foo_remove(pdev)`. */
  readonly through?: 'drvdata';
};

type Operation =
  | { readonly op: 'alloc'; readonly target: 'return'; readonly out?: number } // vfio_alloc_device: reference held, memory owned by the core; out: the argument that points to where the object is stored, in place of the result
  | {
      readonly op: 'allocate';
      readonly target: 'return';
      readonly managed?: boolean;
      readonly out?: number;
    } // kzalloc and its like; managed: devm_
  | { readonly op: 'free'; readonly target: number } // kfree and its like
  | { readonly op: 'init'; readonly target: number } // vfio_init_group_dev and wrappers
  | { readonly op: 'uninit'; readonly target: number }
  | { readonly op: 'init-device'; readonly target: number } // vfio_init_device of 6.1
  | { readonly op: 'assign-set'; readonly target: number }
  | { readonly op: 'register'; readonly target: number }
  | { readonly op: 'unregister'; readonly target: number }
  | { readonly op: 'get'; readonly target: number }
  | { readonly op: 'put'; readonly target: number }
  | { readonly op: 'free-device'; readonly target: number } // vfio_free_device of 6.1
  | { readonly op: 'core-init'; readonly target: number } // vfio_pci_core_init_dev
  | { readonly op: 'core-release'; readonly target: number; readonly frees?: boolean } // vfio_pci_core_release_dev; frees: 6.1
  | { readonly op: 'put-registration'; readonly target: number } // vfio_device_put of ≤5.17: another count
  | { readonly op: 'set-drvdata'; readonly target: number; readonly value: number }
  | { readonly op: 'get-drvdata'; readonly target: number; readonly result: 'return' }
  | {
      readonly op: 'defer';
      readonly callback: number;
      readonly data: number;
      readonly orRun?: boolean;
    }; // devm_add_action(_or_reset)

export type EffectOp = Effect['op'];

/** How the result tells success from failure. */
export type ErrorConvention =
  | 'void'
  | 'errno' // 0 or a negative errno
  | 'err-ptr' // a pointer or ERR_PTR, never NULL
  | 'null-ptr' // a pointer or NULL
  | 'value'; // any value; tells nothing

/**
 * What a call does in the kernels of `kernels`. `failure` has the effects that happen although the
 * call failed.
 */
export interface Behaviour {
  readonly kernels: KernelRange;
  readonly errors: ErrorConvention;
  readonly success: readonly Effect[];
  readonly failure?: readonly Effect[];
  /** The call can only succeed: an errno function that always returned 0 in these kernels. */
  readonly cannotFail?: boolean;
}

/**
 * Which life-cycle model a name belongs to: it decides its colour, its hover and which rules look
 * at it.
 */
export type Model = 'old' | 'new' | 'both' | 'core-old' | 'core-new' | 'core' | 'general';

/** Where the source of a kernel shows what no header says. */
export interface Source {
  /** `6.12` */
  readonly kernel: string;
  readonly file: string;
  /** The function, or the table. */
  readonly shows: string;
}

/** A function, macro, member, struct, enum, constant or variable of the interface of VFIO drivers. */
export interface ApiEntry {
  readonly name: string;
  readonly kind: 'function' | 'macro' | 'member' | 'struct' | 'enum' | 'constant' | 'variable';
  readonly model: Model;
  /** The struct of a member; members are looked up by struct and name, never by name alone. */
  readonly owner?: string;
  /**
   * Declared in a header inside drivers/vfio: a module that declares it itself has its own, in
   * every kernel.
   */
  readonly isPrivate?: boolean;
  /** Kernels whose headers have it. A name with two lives (`.release`) has one entry for each. */
  readonly kernels: KernelRange;
  readonly signatures: readonly {
    readonly kernels: KernelRange;
    readonly text: string;
    /** Where it is declared in these kernels, when that is not `header`. */
    readonly header?: string;
  }[];
  /** One sentence: what it does. */
  readonly summary: string;
  /** The contract, as Markdown sentences; each may be limited to some kernels. */
  readonly contract: readonly { readonly kernels?: KernelRange; readonly text: string }[];
  /** Who owns what after the call. */
  readonly ownership?: string;
  /** Whether it may sleep, and with what held it is called. */
  readonly context?: string;
  /** The error convention, in words. */
  readonly errors?: string;
  readonly behaviours: readonly Behaviour[];
  /**
   * What takes its place in kernels that no longer have it: `text` completes `use …` as Markdown;
   * `rename` when one call replaces one call.
   */
  readonly replacement?: {
    readonly text: string;
    readonly names: readonly string[];
    readonly rename?: string;
  };
  /** Where the kernel's source shows what is said here and no header shows. */
  readonly sources?: readonly Source[];
  /** The header that declares it, and the commits it came and went with. */
  readonly header: string;
  readonly commits: readonly {
    readonly id: string;
    readonly text: string;
    readonly kernel: string;
  }[];
}
