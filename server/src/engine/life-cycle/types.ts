/**
 * The life of a driver's device as data for a picture: plain JSON, in which a place is what the
 * host takes for one (`Site` in the engine, a URI with a range in the language server).
 */
import type { Severity } from '../../rules/types.ts';

/** What a step does in the life of a device, in the order in which a life has them. */
export type StepKind =
  | 'allocate' // vfio_alloc_device(), or the container's own allocation in the old model
  | 'init' // the .init callback
  | 'initialise' // vfio_init_group_dev() and its like
  | 'set-up' // what probe takes beside it
  | 'register'
  | 'open' // .open_device
  | 'close' // .close_device
  | 'unregister'
  | 'tear-down' // what the end of the life gives back beside it
  | 'uninitialise' // vfio_uninit_group_dev() and its like
  | 'put'
  | 'release' // the .release callback
  | 'free';

/** A call of a step: what is taken or undone, and where the other end is. */
export interface LifeCall<Place> {
  /** `kzalloc()`, `vfio_put_device()`. */
  readonly call: string;
  readonly place: Place;
  /** What undoes it: `kfree()`; null where nothing has to. */
  readonly undo: string | null;
  /** Where the driver undoes it; empty where it does not, or where nobody can see. */
  readonly undoneAt: readonly Place[];
}

/** One step of a life. */
export interface LifeStep<Place> {
  /** Unique in its driver. */
  readonly id: string;
  readonly kind: StepKind;
  /** `vfio_alloc_device()`; for a callback its member and its function: `.init: foo_init()`. */
  readonly title: string;
  /** What it does to the device, in a few words: `takes the reference`. */
  readonly does: string;
  /** The function that it stands in, or that it is; null where it is the kernel's. */
  readonly function: string | null;
  /** Null for what the kernel does by itself. */
  readonly place: Place | null;
  readonly calls: readonly LifeCall<Place>[];
  /** The steps that undo it. */
  readonly undoneBy: readonly string[];
}

/** The way from one step to the next, or out of the life on an error. */
export interface LifeEdge<Place> {
  /** Unique in its driver. */
  readonly id: string;
  /**
   * `next`: the driver goes on; `calls`: the kernel calls a callback; `opens`: a user does;
   * `fails`: the step, or what follows it, fails and the function returns an error; `ends`: the
   * last function returns although something is owed.
   */
  readonly kind: 'next' | 'calls' | 'opens' | 'fails' | 'ends';
  readonly from: string;
  /** Null for a way out. */
  readonly to: string | null;
  /** `vfio_register_group_dev() fails`, `if (!foo->buf)`; empty where there is nothing to say. */
  readonly label: string;
  /** For a way out: its return. */
  readonly place: Place | null;
  /** For a way out: the function that returns. */
  readonly function: string | null;
  /** For a way out: what is undone on it, in the order of the text. */
  readonly undone: readonly { readonly call: string; readonly place: Place }[];
  /** For a way out: what is still to be called, `vfio_put_device()`. */
  readonly owed: readonly string[];
  /** Ids of the findings that it is about. */
  readonly findings: readonly string[];
}

/** A finding with the way that leads to it. */
export interface LifeFinding<Place> {
  readonly id: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly message: string;
  readonly place: Place;
  /** The edge that it is drawn on, or the step; both null where it is on none. */
  readonly edge: string | null;
  readonly step: string | null;
  /** From the oldest place to the finding itself, which is the last. */
  readonly path: readonly { readonly place: Place; readonly message: string }[];
}

/** A function of the driver that has to do with the life of the device. */
export interface LifeFunction<Place> {
  readonly name: string;
  readonly role: 'probe' | 'remove' | 'init' | 'release' | 'open' | 'close' | 'helper';
  /** From its first character to its closing brace: a caret in it is in the function. */
  readonly place: Place;
  readonly namePlace: Place;
  /** The steps in it. */
  readonly steps: readonly string[];
}

/** The life of the devices of one driver. */
export interface DriverLife<Place> {
  /** The driver table's name, else the ops table's, else the file's. */
  readonly name: string;
  readonly model: 'new' | 'old' | 'embedded' | 'unknown';
  /** The tag of the struct that has the device in it, where that is known. */
  readonly container: string | null;
  readonly steps: readonly LifeStep<Place>[];
  readonly edges: readonly LifeEdge<Place>[];
  readonly findings: readonly LifeFinding<Place>[];
  readonly functions: readonly LifeFunction<Place>[];
}

/** The lives in a module: one for each driver in it. */
export interface LifeCycle<Place> {
  /** `6.1` */
  readonly kernel: string;
  readonly drivers: readonly DriverLife<Place>[];
}
