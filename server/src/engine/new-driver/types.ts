/** What a new driver is made from, and what it is made of. */
import type { KernelVersion } from '../../kernel/types.ts';

/** The busses that there is a driver for. */
export type NewDriverBus = 'pci' | 'mdev' | 'platform';

/** What a template is given. */
export interface DriverNames {
  /** What every function begins with: a C identifier in lower case. */
  readonly name: string;
  /** The same in upper case, for macros and Kconfig. */
  readonly upper: string;
  /** Of the module, its source and its object. */
  readonly module: string;
  readonly kernel: KernelVersion;
}

/** One file of a new driver. */
export interface NewFile {
  readonly name: string;
  readonly text: string;
}

/** A complete driver. */
export interface NewDriver {
  /** The name of its folder. */
  readonly module: string;
  /** The source first, then what builds it. */
  readonly files: readonly NewFile[];
}
