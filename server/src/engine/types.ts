/** The types of the engine: files, settings, modules and answers. */
import type { Edit } from '../text/span.ts';
import type { EditKind, Note, RefusalCode } from '../convert/index.ts';
import type { Moved } from '../convert/fold/types.ts';
import type { ExtraFunctions } from '../kernel/lookup.ts';
import type { KernelVersion } from '../kernel/types.ts';
import type { BuildMacros } from '../lifecycle/module/build-macros.ts';
import type { Finding, Severity } from '../rules/types.ts';
import type { Wrapper } from './settings/schema.ts';

export type { BuildMacros } from '../lifecycle/module/build-macros.ts';

/**
 * What the engine needs of a file system; hosts give it (node:fs, the client's virtual workspace, a
 * test's map). Paths are the host's own keys (POSIX paths or URIs) with `/` separators.
 */
export interface FileSystem {
  /** The text, or undefined when there is no such file or it cannot be read. Never throws. */
  readFile(path: string): Promise<string | undefined>;
  /** Names in a folder, folders with a trailing `/`; empty when there is none. Never throws. */
  readDirectory(path: string): Promise<readonly string[]>;
}

/** Settings, from the editor, the command line or a configuration file. */
export interface Configuration {
  /** `6.1`, or undefined to detect. */
  readonly targetKernel?: string | undefined;
  readonly rules?: Readonly<Record<string, Severity | 'off'>>;
  /** Functions of a vendor's core library. They take effect through ModuleInput.wrappers. */
  readonly wrappers?: readonly Wrapper[];
  /** The path of a file with known findings: for the command line. */
  readonly baseline?: string;
  /** Of an editor: whether states and debts stand beside the code. */
  readonly inlayHints?: boolean;
  /** Of an editor: what stands above functions. */
  readonly codeLens?: 'conversion' | 'all' | 'off';
}

/** The target kernel and where it came from: shown to the user. */
export interface TargetKernel {
  readonly version: KernelVersion;
  /** `6.1` */
  readonly text: string;
  readonly source:
    'option' | 'setting' | 'file' | 'makefile' | 'header' | 'build' | 'driver' | 'default';
  /** One clause: `from the kernel tree's Makefile`. */
  readonly reason: string;
}

export interface SourceDocument {
  readonly path: string;
  readonly text: string;
}

/**
 * Everything the analysis of one file reads: itself, its module's other sources and the quoted
 * headers.
 */
export interface ModuleInput {
  readonly file: string;
  readonly sources: readonly SourceDocument[];
  readonly headers: readonly SourceDocument[];
  /** See Module.wrappers. */
  readonly wrappers?: ExtraFunctions | undefined;
  /** See Module.build. */
  readonly build?: BuildMacros | undefined;
}

export interface NotAnalysed {
  readonly path: string;
  /** Empty for the whole file. */
  readonly function: string;
  readonly reason: string;
  /** Where the function's name stands in the document. */
  readonly start?: number;
  /** The analysis itself has failed. */
  readonly isInternal?: true;
}

export interface Analysis {
  readonly findings: readonly Finding[];
  readonly notAnalysed: readonly NotAnalysed[];
  readonly functions: number;
}

/** An edit of a conversion, and what it is for; a fix does not say. */
export interface ConversionEdit extends Edit {
  readonly kind?: EditKind | undefined;
}

/** The outcome of a conversion of one function or file. */
export type Conversion =
  | {
      readonly status: 'converted';
      readonly edits: readonly {
        readonly path: string;
        readonly edits: readonly ConversionEdit[];
      }[];
      readonly notes: readonly Note[];
      /** What the fold style moved into `.init` and `.release`; missing when it moved nothing. */
      readonly folded?: readonly Moved[];
      /** A file that the edits need beside the driver; missing when they need none. */
      readonly created?: SourceDocument;
    }
  | { readonly status: 'unchanged' }
  | {
      readonly status: 'refused';
      readonly reason: string;
      readonly site: { readonly path: string; readonly start: number; readonly end: number } | null;
      /** The kind of reason, a row of docs/refusals.md; null where the result was not proved. */
      readonly code: RefusalCode | null;
      /** What stands in the way beside the first; missing when nothing more is known. */
      readonly others?: readonly {
        readonly code: RefusalCode;
        readonly reason: string;
        readonly site: {
          readonly path: string;
          readonly start: number;
          readonly end: number;
        } | null;
      }[];
    };
