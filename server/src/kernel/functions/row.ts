/**
 * What is known of a function or macro of the kernel, as one row: a column that is missing says
 * nothing. All other tables of functions are views of these rows.
 */
import type { Behaviour, KernelRange } from '../types.ts';

export interface FunctionRow {
  /** The result, and what happens to memory, drvdata and references, by kernel. */
  readonly behaviours?: readonly Behaviour[];
  /**
   * What becomes of the pointers that it is given: it neither frees, puts nor registers what they
   * lead to (`borrowed`), nor that, but keeps them (`kept`); or it may do all of that, although its
   * name begins like those of functions that do not (`unknown`).
   */
  readonly given?: 'borrowed' | 'kept' | 'unknown';
  /** What may not move over a call. */
  readonly touches?: Touch;
  /** It takes this. */
  readonly takes?: Resource;
  /** How it tells that it has done its work, where its result does not say so as usual. */
  readonly succeeds?: Outcome;
  /** What it takes is given back by the driver core where the driver has called another. */
  readonly managedBy?: { readonly name: string; readonly kernels: KernelRange };
  /** For a function of the life cycle: what undoes it, and whether its result names the object. */
  readonly undoneBy?: { readonly name: string; readonly byResult: boolean };
  /** How the devices that it registers reach an IOMMU. */
  readonly iommu?: 'physical' | 'emulated';
  /** It takes or releases its argument 0, a lock. */
  readonly lock?: LockUse;
  /** A lock of this kind is held when it comes back, or when it says so, and is not its argument 0. */
  readonly holds?: LockKind;
  /** From it on nothing may sleep, or something may again, because of more than a lock in its argument 0. */
  readonly atomic?: AtomicUse;
  /**
   * Whether it may sleep: as the flags among its arguments say (`GFP_ATOMIC`), or whatever its other
   * columns say of it.
   */
  readonly sleeps?: 'never' | 'may' | 'by-flags';
  /** It makes a lock out of the memory of its argument 0, or ends the life of one. */
  readonly lockLife?: 'begins' | 'ends';
  /** What it does to things that run later. */
  readonly async?: AsyncUse | readonly AsyncUse[];
  /**
   * The position of a function, or of a struct with one, that runs where nothing may sleep: in an
   * interrupt, or as if in one.
   */
  readonly runsAtomic?: number;
  /** How it changes a counter. */
  readonly counts?: CounterChange;
  /** The argument that is a counter, where its result tells whether the last reference went. */
  readonly lastDrop?: number;
  /** It may free the object that embeds its argument. */
  readonly mayEndContainer?: true;
  /** The memory that it reads and writes. */
  readonly bytes?: readonly ByteRange[];
  /** It frees its argument and leaves nothing of the content. */
  readonly wipes?: true;
  /** It frees its argument when no reader under RCU is left, and returns before that. */
  readonly afterReaders?: true;
  /** The arguments that must be memory of one kind: a physical stretch, of kmalloc(), of vmalloc(). */
  readonly needs?: {
    readonly contiguous?: number;
    readonly slab?: number;
    readonly vmalloc?: number;
  };
  /** It takes a pointer without looking at the memory there, and hands it back as it is. */
  readonly takesCookie?: true;
  /** It returns a link of a list or tree. */
  readonly returnsLink?: true;
  /** It stores its argument 1, a pointer, where argument 0 says. */
  readonly publishes?: true;
  /** The arguments that it assigns to although their address is not taken. */
  readonly assigns?: readonly number[];
  /** It gives another view of its argument 0: of the struct of a bus by its tag, or any other. */
  readonly viewOf?: string;
  /** It returns this member of its argument 0. */
  readonly readsMember?: string;
  /** It reads what does not change while a device exists. */
  readonly isFixed?: true;
  /** It only looks: to ask once more, or earlier, makes no difference. */
  readonly isQuery?: true;
  /** It works out its value from its arguments and does nothing else. */
  readonly computes?: true;
  /** It takes or returns one mediated device. */
  readonly isOfMediated?: true;
  /** Its value is that of this argument, and a test of it holds when one of the argument does. */
  readonly valueIs?: number;
  /** Beside `valueIs` it does nothing at all: it may be left out. */
  readonly isSilent?: true;
  /** It holds for pointers of this kind, and not for an object. */
  readonly pointerTest?: PointerTest;
  /** What the analysis works out itself, as it does an operator of the language. */
  readonly means?: Meaning;
  /** The arguments that are the name of a member or of a struct, whatever else has that name. */
  readonly designates?: readonly number[];
  /** What it is or says depends on the order and the sizes of the members of a struct. */
  readonly asksLayout?: true;
  /**
   * It makes its argument 0 out of memory: what others find broken while it is missing (`link`), or
   * other state, which zeroed memory may be already.
   */
  readonly setsUp?: 'link' | 'state';
  /** It tells a state that is in the memory of its arguments, or also changes it at once. */
  readonly asks?: 'looks' | 'claims';
  /** It does nothing with NULL. */
  readonly ignoresNull?: true;
  /** It counts the users of a module. */
  readonly isOfModule?: true;
  /** It is another value or test, and changes nothing. */
  readonly isTest?: true;
  /** It does not return. */
  readonly isNoReturn?: true;
}

/** The rows of one subject, by name. */
export type FunctionRows = Readonly<Record<string, FunctionRow>>;

/**
 * - `looks`: reads what it is given and what that points to, and computes;
 * - `logs`: the same, and prints;
 * - `arguments`: reads and writes what its arguments point to, and nothing else;
 * - `kernel`: that, and what the kernel or the hardware keeps;
 * - `everything`: may wait, lock, or run code of the driver before it returns.
 */
export type Touch = 'looks' | 'logs' | 'arguments' | 'kernel' | 'everything';

/**
 * What a call returns when it has done its work: a valid pointer, 0, 0 or more, anything but 0;
 * `always` when it cannot fail.
 */
export type Outcome = 'pointer' | 'zero' | 'non-negative' | 'true' | 'always';

/**
 * - `container`: from a member, argument 0, to the object around it;
 * - `truth`: whether the argument is an error pointer; `error-code`: its code; `error-or-zero`: that,
 *   and 0 for any other pointer; `error-pointer`: the pointer for a code;
 * - `assertion`: does not return where its argument holds;
 * - `exchange`: stores argument 1 where argument 0 says, and returns what was there; `assignment`:
 *   assigns argument 1 to argument 0; `taken-pointer`: the pointer, whose variable is NULL then;
 * - `bit`: a number with this bit; `constant`: what the compiler works out; `configuration`: whether
 *   an option of the build is set.
 */
export type Meaning =
  | 'container'
  | 'truth'
  | 'error-code'
  | 'error-or-zero'
  | 'error-pointer'
  | 'assertion'
  | 'exchange'
  | 'assignment'
  | 'taken-pointer'
  | 'bit'
  | 'constant'
  | 'configuration';

/** For which pointers a test holds: error pointers, these and NULL, or what is no object for NULL. */
export type PointerTest = 'is-err' | 'is-err-or-null' | 'null';

/** Something that is taken, and how it is given back. */
export interface Resource {
  /** Any of these gives it back; the first is the usual one. */
  readonly undo: readonly string[];
  /** Where the resource is named when it is taken: by what the call returns, or by an argument. */
  readonly taken: 'return' | number;
  /** The argument that names it when it is given back, in most of the calls of `undo`. */
  readonly given: number;
  /** Calls of `undo` that are given it as another argument. */
  readonly givenAs?: ReadonlyMap<string, number>;
  /** Another argument of the taking call by which some of `undo` name it. */
  readonly alias?: number;
  /** Calls of `undo` that name it by a text, which is not compared. */
  readonly byName?: readonly string[];
  /** The taking call stores what names it in what the argument `taken` points to. */
  readonly isOut?: true;
  /**
   * It links what it names into what this argument leads to: a list that lives in the same object
   * goes with it, and nothing is owed.
   */
  readonly into?: number;
  /** Any of these is owed where the taking call has failed: it leaves a reference all the same. */
  readonly whenFailed?: readonly string[];
  /** It is what the memory of the argument holds, a lock or a table: undone, nothing can use it. */
  readonly isContent?: true;
}

/** Kinds of locks: a call that releases one kind releases what a call of that kind has taken. */
export type LockKind =
  | 'mutex'
  | 'ww_mutex'
  | 'rt_mutex'
  | 'spinlock'
  | 'rwsem_read'
  | 'rwsem_write'
  | 'semaphore'
  | 'rwlock_read'
  | 'rwlock_write'
  | 'seqlock'
  | 'srcu'
  | 'rcu'
  | 'device'
  | 'mmap_read'
  | 'mmap_write'
  | 'percpu_read'
  | 'percpu_write';

export interface LockUse {
  readonly kind: LockKind;
  readonly does: 'take' | 'release';
  /** It may come back without the lock. */
  readonly mayFail?: true;
}

/**
 * What nothing may sleep in: under a lock that is not in argument 0, or while preemption, softirqs or
 * interrupts are off. Each is entered as often as it is left, and one does not end another.
 */
export type AtomicRegion = LockKind | 'preemption' | 'softirqs' | 'interrupts';

export interface AtomicUse {
  readonly does: 'enters' | 'leaves';
  readonly regions: readonly AtomicRegion[];
  /** It has entered them only where it returns true. */
  readonly mayFail?: true;
}

/** Kinds of what runs later on its own (async.ts says more of each). */
export type AsyncKindId =
  | 'work'
  | 'delayedWork'
  | 'timer'
  | 'hrtimer'
  | 'tasklet'
  | 'irqWork'
  | 'kthreadWork'
  | 'notifier'
  | 'interrupt'
  | 'managedInterrupt'
  | 'thread';

export type AsyncUse =
  /** Prepares it, with the position of the function that will run, or null. */
  | {
      readonly kind: AsyncKindId;
      readonly does: 'arm';
      readonly argument: number;
      readonly handler: number | null;
    }
  /** `start` makes it run. Of those that stop it, `cancel` does not wait, and `wait` only waits. */
  | {
      readonly kind: AsyncKindId;
      readonly does: 'start' | 'stop' | 'cancel' | 'wait';
      readonly argument: number;
      /** Nothing starts it again. */
      readonly isForGood?: true;
    }
  /** Stops all of them, whatever its argument. */
  | { readonly kind: AsyncKindId; readonly does: 'stop-all' };

/** A function that changes a counter. */
export interface CounterChange {
  /** The argument that points to the counter. */
  readonly counter: number;
  /** 0 when the name does not tell: the value is exchanged for another. */
  readonly sign: -1 | 0 | 1;
  /** What the call returns when it has changed the counter. */
  readonly succeeds: Outcome;
}

/** A stretch of memory that a function reads or writes, by the positions of its arguments. */
export interface ByteRange {
  readonly pointer: number;
  /** The number of bytes; null where something else ends the stretch. */
  readonly size: number | null;
  readonly writes: boolean;
}

/** What most functions are: they borrow what they are given, and touch so much. */
export const LOOKS = { given: 'borrowed', touches: 'looks' } as const;
export const LOGS = { given: 'borrowed', touches: 'logs' } as const;
export const IN_PLACE = { given: 'borrowed', touches: 'arguments' } as const;
export const IN_KERNEL = { given: 'borrowed', touches: 'kernel' } as const;
export const ANYTHING = { given: 'borrowed', touches: 'everything' } as const;

/** They keep a pointer that they are given. */
export const KEEPS_LOOKS = { given: 'kept', touches: 'looks' } as const;
export const KEEPS_IN_PLACE = { given: 'kept', touches: 'arguments' } as const;
export const KEEPS_IN_KERNEL = { given: 'kept', touches: 'kernel' } as const;
export const KEEPS_ANYTHING = { given: 'kept', touches: 'everything' } as const;

/** `viewOf` of a struct that is of no bus of VFIO. */
export const OBJECT = 'object';

export function takes(kind: LockKind): LockUse {
  return { kind, does: 'take' };
}

/** Takes it, or comes back without it. */
export function tries(kind: LockKind): LockUse {
  return { kind, does: 'take', mayFail: true };
}

export function releases(kind: LockKind): LockUse {
  return { kind, does: 'release' };
}

export function enters(...regions: readonly AtomicRegion[]): AtomicUse {
  return { does: 'enters', regions };
}

/** Enters them, or comes back with false. */
export function mayEnter(...regions: readonly AtomicRegion[]): AtomicUse {
  return { does: 'enters', regions, mayFail: true };
}

export function leaves(...regions: readonly AtomicRegion[]): AtomicUse {
  return { does: 'leaves', regions };
}

export function arms(kind: AsyncKindId, argument: number, handler: number | null = null): AsyncUse {
  return { kind, does: 'arm', argument, handler };
}

export function starts(kind: AsyncKindId, argument: number): AsyncUse {
  return { kind, does: 'start', argument };
}

export function stops(kind: AsyncKindId, argument: number): AsyncUse {
  return { kind, does: 'stop', argument };
}

/** Stops it, and keeps it from being started again. */
export function stopsForGood(kind: AsyncKindId, argument: number): AsyncUse {
  return { kind, does: 'stop', argument, isForGood: true };
}

/** Stops it for the future: a run that has begun goes on. */
export function cancels(kind: AsyncKindId, argument: number): AsyncUse {
  return { kind, does: 'cancel', argument };
}

/** Waits for a run, and does not keep the next one from being started. */
export function waits(kind: AsyncKindId, argument: number): AsyncUse {
  return { kind, does: 'wait', argument };
}

export function stopsAll(kind: AsyncKindId): AsyncUse {
  return { kind, does: 'stop-all' };
}

export function counts(
  counter: number,
  sign: CounterChange['sign'],
  succeeds: Outcome = 'always',
): CounterChange {
  return { counter, sign, succeeds };
}

export function reads(pointer: number, size: number | null): ByteRange {
  return { pointer, size, writes: false };
}

export function writes(pointer: number, size: number | null): ByteRange {
  return { pointer, size, writes: true };
}
