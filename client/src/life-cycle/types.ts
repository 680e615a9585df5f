/** The life of a driver's devices, as the server hands it over. */
import type { Range } from 'vscode-languageclient';

/** A place in a document of the module. */
export interface LifePlace {
  readonly uri: string;
  readonly range: Range;
}

/** A call of a step: what is taken or undone, and where the other end is. */
export interface LifeCall {
  readonly call: string;
  readonly place: LifePlace;
  /** Null where nothing has to undo it. */
  readonly undo: string | null;
  readonly undoneAt: readonly LifePlace[];
}

/** One step of a life. */
export interface LifeStep {
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  /** What it does to the device, in a few words. */
  readonly does: string;
  /** Null where it is the kernel's. */
  readonly function: string | null;
  readonly place: LifePlace | null;
  readonly calls: readonly LifeCall[];
  readonly undoneBy: readonly string[];
}

/** The way from one step to the next, or out of the life on an error: then `to` is null. */
export interface LifeEdge {
  readonly id: string;
  readonly kind: 'next' | 'calls' | 'opens' | 'fails' | 'ends';
  readonly from: string;
  readonly to: string | null;
  readonly label: string;
  readonly place: LifePlace | null;
  readonly function: string | null;
  readonly undone: readonly { readonly call: string; readonly place: LifePlace }[];
  readonly owed: readonly string[];
  readonly findings: readonly string[];
}

/** A place on the way to a finding, and what happens there. */
export interface PathStep {
  readonly place: LifePlace;
  readonly message: string;
}

/** A finding with the way that leads to it, which ends with the finding itself. */
export interface LifeFinding {
  readonly id: string;
  readonly rule: string;
  readonly severity: 'error' | 'warning' | 'information' | 'hint';
  readonly message: string;
  readonly place: LifePlace;
  readonly edge: string | null;
  readonly step: string | null;
  readonly path: readonly PathStep[];
}

/** A function of the driver that has to do with the life of the device. */
export interface LifeFunction {
  readonly name: string;
  readonly place: LifePlace;
  readonly namePlace: LifePlace;
  readonly steps: readonly string[];
}

/** The life of the devices of one driver. */
export interface DriverLife {
  readonly name: string;
  readonly model: 'new' | 'old' | 'embedded' | 'unknown';
  readonly container: string | null;
  readonly steps: readonly LifeStep[];
  readonly edges: readonly LifeEdge[];
  readonly findings: readonly LifeFinding[];
  readonly functions: readonly LifeFunction[];
}

/** The lives in the module of a document. */
export interface LifeCycle {
  readonly kernel: string;
  readonly drivers: readonly DriverLife[];
  /** The text of Mermaid flowcharts. */
  readonly mermaid: string;
}
