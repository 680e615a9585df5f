/** What a function's facts were worked out from, and whether all of that is still so. */
import type { FunctionIr, StructIr, VariableIr } from '../../ir/types.ts';
import type { Signature } from './identity.ts';
import type { Module } from '../types.ts';
import type { Truth } from '../module/preprocessor.ts';
import type { Defined } from '../module/module.ts';
import type { HelperResources } from '../interpret/resource-log.ts';
import type { Summary } from '../interpret/summary.ts';

/**
 * What the exploration of a function asks of the rest of the module. All that it learns of other
 * functions and of the documents goes
 * through here, so that its result can be kept for as long as the answers are the same.
 */
export interface Questions {
  /**
   * The definitions of module functions that `name` may mean in the function's document, which is
   * `from`.
   */
  functions(from: OwnFile, name: string): readonly Defined<FunctionIr>[];
  /** The names of the macros that can be written out in the function. */
  macrosIn(): ReadonlySet<string>;
  macroFunctions(from: OwnFile, name: string): readonly Defined<FunctionIr>[];
  variable(from: OwnFile, name: string): Defined<VariableIr> | null;
  constant(from: OwnFile, name: string): number | null;
  struct(from: OwnFile, tag: string): Defined<StructIr> | null;
  readonly module: Pick<Module, 'wrappers'>;
  /** What a test of the configuration is for the target kernel. */
  truthOf(test: string): Truth;
  /** Whether a test of the configuration stands more than once in the document. */
  comesAgain(test: string): boolean;
  /**
   * Whether a function of this name is called where resources are followed: what no other call
   * undoes is of no interest.
   */
  isCalled(name: string): boolean;
  /** Whether a call by this name changes a device's life, there or further down. */
  endsOrBegins(name: string): boolean;
  /** Whether all devices of the module are made by vfio_alloc_device() or a wrapper of it. */
  makesDevices(): boolean;
  /**
   * The module's `.init` or `.release` functions; `isWhole` when no table has one that cannot be
   * seen.
   */
  callbacks(member: 'init' | 'release'): Callbacks;
  summaryOf(fn: FunctionIr): Summary | null;
  /**
   * What a function that does nothing to devices takes and gives back; null when that cannot be
   * followed.
   */
  helperOf(fn: FunctionIr): HelperResources | null;
}

export interface Callbacks {
  readonly functions: readonly Defined<FunctionIr>[];
  readonly isWhole: boolean;
}

/**
 * The document of the function that is explored: its text is not to be read, because an edit
 * elsewhere in it changes nothing here.
 */
export interface OwnFile {
  readonly path: string;
  readonly isOwn: true;
}

/** A question by its kind and what it is about: a name, or a function by its signature. */
export interface Asked {
  readonly kind: Kind;
  readonly about: string | Signature;
  readonly print: unknown;
}
export type Kind =
  | 'functions'
  | 'macros'
  | 'written-out'
  | 'variable'
  | 'constant'
  | 'struct'
  | 'truth'
  | 'again'
  | 'called'
  | 'ends'
  | 'makes'
  | 'callbacks'
  | 'summary'
  | 'helper';

/**
 * `print` is the same thing (===) for equal answers in two versions of a module; offsets make no
 * difference.
 */
export interface Answer {
  readonly value: unknown;
  readonly print: unknown;
}
export type Answers = (kind: Kind, about: string | Signature) => Answer;

/** The questions of one exploration, each answered once, and a list of them. */
export function recorded(
  answers: Answers,
  signatureOf: (fn: FunctionIr) => Signature,
  module: Questions['module'],
): { readonly questions: Questions; readonly asked: readonly Asked[] } {
  const asked: Asked[] = [],
    known = new Map<Kind, Map<string | Signature, unknown>>();
  const ask = (kind: Kind, about: string | Signature): unknown => {
    let values = known.get(kind);
    if (!values) known.set(kind, (values = new Map()));
    if (values.has(about)) return values.get(about);
    const { value, print } = answers(kind, about);
    values.set(about, value);
    asked.push({ kind, about, print });
    return value;
  };
  const questions: Questions = {
    module,
    functions: (_, name) => ask('functions', name) as readonly Defined<FunctionIr>[],
    macrosIn: () => ask('written-out', '') as ReadonlySet<string>,
    macroFunctions: (_, name) => ask('macros', name) as readonly Defined<FunctionIr>[],
    variable: (_, name) => ask('variable', name) as Defined<VariableIr> | null,
    constant: (_, name) => ask('constant', name) as number | null,
    struct: (_, tag) => ask('struct', tag) as Defined<StructIr> | null,
    truthOf: (test) => ask('truth', test) as Truth,
    comesAgain: (test) => ask('again', test) as boolean,
    isCalled: (name) => ask('called', name) as boolean,
    endsOrBegins: (name) => ask('ends', name) as boolean,
    makesDevices: () => ask('makes', '') as boolean,
    callbacks: (member) => ask('callbacks', member) as Callbacks,
    summaryOf: (fn) => ask('summary', signatureOf(fn)) as Summary | null,
    helperOf: (fn) => ask('helper', signatureOf(fn)) as HelperResources | null,
  };
  return { questions, asked };
}

/**
 * Whether all answers are what they were. The questions are asked in their old order: each was
 * asked because of the answers before it, so
 * that up to the first that differs this asks what a new exploration would ask.
 */
export function isUpToDate(asked: readonly Asked[], answers: Answers): boolean {
  return asked.every(({ kind, about, print }) => answers(kind, about).print === print);
}

/**
 * What a survey answers with its outline, the functions that affect a device and the names that are
 * called: where these are the same, the same.
 */
const SURVEYED: ReadonlySet<Kind> = new Set<Kind>([
  'functions',
  'macros',
  'written-out',
  'variable',
  'constant',
  'struct',
  'truth',
  'called',
  'ends',
]);

/** The questions whose answers an edit may change that leaves those of the survey as they were. */
export function besidesSurvey(asked: readonly Asked[]): readonly Asked[] {
  return asked.filter(({ kind }) => !SURVEYED.has(kind));
}
