/**
 * What rules and conversions read: states of devices, observations with their trace, ops tables,
 * and the facts of a module.
 */
import type { Span } from '../text/span.ts';
import type { Condition } from '../syntax/node.ts';
import type { Expr, FileIr, FunctionIr, VariableIr } from '../ir/types.ts';
import type { ExtraFunctions } from '../kernel/lookup.ts';
import type { EffectOp, KernelVersion } from '../kernel/types.ts';
import type { BuildMacros } from './module/build-macros.ts';

/** A place in one of the module's documents. */
export interface Site extends Span {
  readonly path: string;
}

/** The abstract state of one device object on one path. */
export interface DeviceState {
  /**
   * How the object came to be a vfio_device on this path: alloc'ed (new), init'ed (old),
   * vfio_init_device (embedded).
   */
  readonly model: 'none' | 'new' | 'old' | 'embedded' | 'unknown';
  /** The reference of the allocation (new model). */
  readonly reference: 'none' | 'held' | 'dropped' | 'unknown';
  /** Old model: vfio_init_group_dev without / with its uninit. */
  readonly initialised: 'no' | 'yes' | 'undone' | 'unknown';
  readonly registered: 'no' | 'yes' | 'undone' | 'failed' | 'unknown';
  /**
   * The memory of the container. `error-pointer`: the allocation failed on this path and the
   * pointer is an ERR_PTR.
   */
  readonly memory: 'unknown' | 'live' | 'freed' | 'error-pointer' | 'null';
  /** How the memory was obtained, when this is seen: decides which free is right. */
  readonly allocator: string | null;
  /** A device set may be held: assign or (since 5.15) register ran. */
  readonly deviceSet: boolean;
  /** Registered or initialised through vfio_pci_core. */
  readonly viaCore: boolean;
  /** The result of the allocation was tested (IS_ERR, PTR_ERR_OR_ZERO) on this path. */
  readonly checked: boolean;
  /** The result of the allocation was compared with NULL on this path. */
  readonly nullTested: boolean;
  /** References taken beyond the one of the allocation. */
  readonly extraReferences: number;
  /** Unseen code may have changed the device: nothing after this is certain. */
  readonly escaped: boolean;
}

/** One step on the way to an observation, oldest first. */
export interface Step {
  readonly site: Site;
  readonly kind: 'operation' | 'branch' | 'goto' | 'call' | 'return' | 'entry';
  /** For an operation. */
  readonly op?: EffectOp;
  /**
   * A short clause: `vfio_alloc_device() takes the reference`, `vfio_register_group_dev() fails
   * here`, `goto err_put`.
   */
  readonly text: string;
}

/** What the rest of the driver uses a function for. */
export type Role =
  | 'probe' // .probe, .create, .bind, .add of a driver table
  | 'remove' // .remove and its partners
  | 'init' // vfio_device_ops.init
  | 'release' // vfio_device_ops.release of the new model
  | 'callback' // any other member of vfio_device_ops
  | 'action' // given to devm_add_action(_or_reset)
  | 'helper' // called by another function of the module, or of unknown use
  | 'module'; // module_init / module_exit

/** For how long something is known of an element of a collection. */
export interface Turn {
  /** Where the loop begins in which this was learnt; null outside of loops. */
  readonly loop: number | null;
  /** What was known before the loop; null when nothing was. */
  readonly entry: DeviceState | null;
  /** The loop has gone on: in the same loop what is known is of another element. */
  readonly isStale: boolean;
}

/** A device object as a rule sees it. */
export interface DeviceRef {
  /** Stable inside one analysis. The same object has the same id on all paths of one function. */
  readonly id: string;
  /** Where the object comes from: the allocation, the parameter, the drvdata read. */
  readonly origin: Site;
  readonly originKind: 'allocation' | 'parameter' | 'drvdata' | 'load' | 'return';
  /** The struct tag of the container, when known. */
  readonly container: string | null;
  /** The member path of the vfio_device in it (`vdev`, `core_device.vdev`), when known. */
  readonly member: string | null;
  /** One of many, in an array, a list or the like: what is known is of one turn of a loop. */
  readonly isElement?: true;
}

interface ObservationBase {
  readonly function: FunctionIr;
  readonly role: Role;
  /** The place in the function: for an operation inside a helper, the call of the helper. */
  readonly site: Site;
  readonly device: DeviceRef;
  readonly before: DeviceState;
  /** The device as the user wrote it here: `&p->vdev`, `p`, `vdev`. */
  readonly text: string;
  /**
   * False when something unseen could make the observation wrong: rules then lower to a hint or
   * stay silent.
   */
  readonly certain: boolean;
  readonly trace: readonly Step[];
  /** The #if arms that this path is in. */
  readonly conditions: readonly Condition[];
}

/** A life-cycle operation on a device. */
export interface OperationObservation extends ObservationBase {
  readonly kind: 'operation';
  readonly op: EffectOp;
  /** The kernel function called, e.g. vfio_put_device. */
  readonly api: string;
  /** Zero-based argument position of the device, or null for the return value. */
  readonly argument: number | null;
  /** Where the operation itself stands when it is inside a helper. */
  readonly inner: Site | null;
  readonly after: DeviceState;
  /** What could make the observation wrong: see `certain`. */
  readonly doubt: 'none' | 'possible' | 'suggested';
}
/** A read, write or pass of a device, or of memory in it, on a path that knows the device. */
export interface UseObservation extends ObservationBase {
  readonly kind: 'use';
  readonly form: 'read' | 'write' | 'pass';
  /**
   * The member read or written (`wq`), or the member path of what is passed (`core_device.vdev`);
   * null for the object itself.
   */
  readonly field: string | null;
  /** The function that it is passed to, when form is pass and the call is by name. */
  readonly api: string | null;
}
/** The allocation's result is tested. */
export interface TestObservation extends ObservationBase {
  readonly kind: 'test';
  readonly form: 'null' | 'is-err' | 'is-err-or-null';
  /** The whole condition of the if. */
  readonly condition: Site;
}
/** A path leaves a function. */
export interface ExitObservation extends ObservationBase {
  readonly kind: 'exit';
  /** By what the function returns on this path. */
  readonly outcome: 'success' | 'failure' | 'void' | 'unknown';
  /**
   * Someone still can reach the object: drvdata, a list, a global, a parameter's memory, the return
   * value.
   */
  readonly reachable: 'none' | 'drvdata' | 'stored' | 'returned';
  /** The return statement, or the closing brace. */
  readonly returns: Site;
  /** What devm actions that this path leaves behind will do to the device, in their order. */
  readonly deferred: readonly EffectOp[];
}
export type Observation = OperationObservation | UseObservation | TestObservation | ExitObservation;

/**
 * Something that a path has taken and not given back: memory, an enabled device, a registration, a
 * count.
 */
export interface HeldResource {
  /**
   * The place of the taking and the value that names the resource: the same wherever it is seen, at
   * the ends of probe, in remove, in `.release`.
   */
  readonly id: string;
  /**
   * `pair`: the kernel's tables know both ends; `named`: their names tell; `counter`: a count
   * outside the device that was changed.
   */
  readonly kind: 'pair' | 'named' | 'counter';
  /** The function that took it, or the operator that changed a count. */
  readonly api: string;
  /** The functions that give it back, the usual one first. */
  readonly undo: readonly string[];
  /** The place of the taking, in a helper where a helper took it. */
  readonly site: Site;
  /** Unseen code was given the resource itself and may own it. */
  readonly shared: boolean;
  /**
   * A function that does nothing to devices took it and failed with it: where it left. Null when
   * another path of the function does likewise, or none.
   */
  readonly leftBy: { readonly function: FunctionIr; readonly site: Site } | null;
}

/** A path leaves a function that begins or ends a device's life: what it holds. */
export interface Leave {
  readonly function: FunctionIr;
  readonly role: Role;
  readonly outcome: ExitObservation['outcome'];
  /** The return statement, or the closing brace. */
  readonly returns: Site;
  readonly held: readonly HeldResource[];
  readonly certain: boolean;
  /**
   * The path went on by a state of the driver's own: what it holds may be what the driver knows to
   * be somebody else's.
   */
  readonly ownState: boolean;
  readonly trace: readonly Step[];
  readonly conditions: readonly Condition[];
}

/** A resource is given back on some path. */
export interface Undone {
  /** The HeldResource. */
  readonly id: string;
  /** The call that gives it back, where it stands. */
  readonly site: Site;
  readonly api: string;
  /** The function whose path it is on. */
  readonly function: FunctionIr;
  readonly role: Role;
  /** `release`: by the `.release` that the last put runs. */
  readonly via: 'call' | 'release';
}

/** Memory or another resource of a device goes away while the device is registered. */
export interface Teardown {
  readonly function: FunctionIr;
  readonly role: Role;
  /** The call or the assignment in the function. */
  readonly site: Site;
  /** Where it stands when it is inside a helper. */
  readonly inner: Site | null;
  /** The function that gives it back, or null for an assignment of NULL. */
  readonly api: string | null;
  readonly device: DeviceRef;
  /** The member path in the container. */
  readonly member: string;
  readonly certain: boolean;
  readonly trace: readonly Step[];
  readonly conditions: readonly Condition[];
}

/** What the functions that begin and end a device's life take and give back. */
export interface ResourceFacts {
  readonly leaves: readonly Leave[];
  readonly undone: readonly Undone[];
  readonly teardowns: readonly Teardown[];
}

/** An ops table found in the module. */
export interface OpsTable {
  readonly path: string;
  readonly variable: VariableIr;
  /**
   * The last declaration with a value; a forward declaration is not a table. Member name → function
   * name or text.
   */
  readonly members: ReadonlyMap<
    string,
    { readonly value: string; readonly span: Span; readonly conditions: readonly Condition[] }
  >;
  /**
   * False when an ERROR or #if inside the braces may hide members: absence must not be reported.
   */
  readonly complete: boolean;
  /**
   * Every member is among `members`, those of #if arms too: what is not there is in no
   * configuration.
   */
  readonly readable: boolean;
  /** By its members and the target kernel: the object's .release (new) or the fd's (≤5.14). */
  readonly style: 'object' | 'fd' | 'unknown';
  /** The calls that gave this table to alloc or init. */
  readonly givenTo: readonly {
    readonly site: Site;
    readonly op: EffectOp;
    readonly api: string;
    /** As a macro around the call gives them, if there is one. */
    readonly args: readonly Expr[];
    readonly function: FunctionIr;
  }[];
}

/**
 * Functions that begin and end a device's life: .probe and .remove of a table, or a pair like them.
 */
export interface DriverTable {
  readonly path: string;
  /** Null where a function fills in what it was given. */
  readonly variable: VariableIr | null;
  readonly probe: string | null;
  readonly remove: string | null;
  /** What is not there is in no configuration, and nothing sets it later. */
  readonly complete: boolean;
  /** No table says so: the functions are known by what they do. */
  readonly isGuess?: true;
}

/** The documents of one Kbuild module (or one file with its quoted headers), lowered. */
export interface Module {
  /** Documents that are analysed: .c files of the module. */
  readonly sources: readonly FileIr[];
  /** Quoted headers, for structs, macros, inline functions and prototypes. */
  readonly headers: readonly FileIr[];
  /**
   * What functions outside of the module and of the kernel do. One object for one set of them:
   * results are kept by it.
   */
  readonly wrappers?: ExtraFunctions | undefined;
  /** What the build defines, where that is known. */
  readonly build?: BuildMacros | undefined;
}

/** All that is known of a module: what rules, hovers and conversions read. */
export interface ModuleFacts {
  readonly module: Module;
  readonly kernel: KernelVersion;
  readonly observations: readonly Observation[];
  readonly opsTables: readonly OpsTable[];
  readonly driverTables: readonly DriverTable[];
  readonly resources: ResourceFacts;
  /**
   * The same object for versions of a module whose observations and resources differ in nothing but
   * their places, and whose functions that were explored have the same bodies.
   */
  readonly solution: object;
  /** Role by function. */
  readonly roles: ReadonlyMap<FunctionIr, Role>;
  /** Functions whose analysis was given up, with the reason. */
  readonly notAnalysed: readonly {
    readonly path: string;
    readonly function: string;
    readonly reason: string;
    readonly start?: number;
    readonly isInternal?: true;
  }[];
  /**
   * The work that the analysis has cost, and the most that one exploration of a function did:
   * budget/work.ts. What was kept from an earlier one is counted as it was then.
   */
  readonly work: { readonly spent: number; readonly most: number };
}
