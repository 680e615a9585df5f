/** Brings a document, step by step, into the form that can be planned. */
import { compareVersions } from '../../kernel/version.ts';
import type { Module } from '../../lifecycle/types.ts';
import { composePlanned, siteBefore, type DocumentEdits } from '../rewrite/compose.ts';
import { reviewNotes, type Remark } from './remarks.ts';
import { RefusedError } from '../refusal-error.ts';
import { initsConcerning } from '../modules/concerned.ts';
import { STEPS } from '../steps/index.ts';
import type { StepResult } from '../steps/types.ts';
import type { Callbacks, ConversionInput, ConversionRequest, Note, Refusal } from '../types.ts';
import { sortEdits } from '../../text/edits.ts';
import { append } from '../../text/lists.ts';

/**
 * Lowers a module once more with edits made to its documents; undefined when they cannot be made.
 */
export type Relower = (edits: readonly DocumentEdits[]) => Module | undefined;

/** A module in the form that planConversion knows, and what was done to bring it there. */
export interface Prepared {
  readonly status: 'prepared';
  readonly module: Module;
  /** On the documents as they were given; empty when nothing had to be done. */
  readonly edits: readonly DocumentEdits[];
  readonly notes: readonly Note[];
  /** The functions and tables that were changed or added. */
  readonly touched: readonly string[];
  /** For the ConversionInput of the plan. */
  readonly callbacks: ReadonlyMap<string, Callbacks>;
  readonly documents: readonly string[];
}

/**
 * A preparation that a step refused. `module` is what the steps before it left, `edits` what they
 * did.
 */
export interface Unprepared {
  readonly status: 'refused';
  readonly refusal: Refusal;
  readonly module: Module;
  readonly edits: readonly DocumentEdits[];
}

/** A document, or one function of it, that the steps look at. */
type Part = ConversionRequest;

/**
 * More rounds than there are steps: each step rewrites all that it finds at once, and what it has
 * rewritten is no case for it again.
 */
const MAX_ROUNDS = 12;

/**
 * Brings a document into the form that planConversion knows, one step after the other: older
 * interfaces to vfio_init_group_dev, several
 * init calls to one, memory of devres to memory of the driver, and what the target kernel changed
 * in the new model itself. Each
 * step leaves a driver that is right in itself. Never throws; sites of a refusal are in the
 * documents as they were given.
 */
export function prepareConversion(
  input: ConversionInput,
  request: ConversionRequest,
  relower: Relower,
): Prepared | Unprepared {
  let { module } = input;
  let edits: readonly DocumentEdits[] = [];
  const notes: Note[] = [];
  const touched = new Set<string>();
  const callbacks = new Map<string, Callbacks>();
  const documents = new Set<string>();
  const parts = new Map<string, Part>();
  try {
    // Only there is something to convert to: planConversion says so.
    const rounds = compareVersions(input.kernel, [6, 1]) < 0 ? 0 : MAX_ROUNDS;
    for (let round = 0; round < rounds * (1 + documents.size + parts.size); round++) {
      for (const part of partsElsewhere({ ...input, module }, request))
        parts.set(`${part.path}\n${part.functionName}`, part);
      // The drivers of a library are converted along with the one that was asked for, whole.
      const drivers = [...documents].map((path): Part => ({ path, functionName: undefined }));
      const done = firstResult({ ...input, module }, [request, ...drivers, ...parts.values()]);
      if (!done) break;
      const composed = composePlanned(edits, done.edits);
      const next = relower(composed);
      if (!next) break;
      append(notes, notesOfStep(done, edits));
      edits = composed;
      module = next;
      for (const name of done.touched) touched.add(name);
      for (const [table, names] of done.callbacks ?? []) callbacks.set(table, names);
      for (const path of done.documents ?? []) documents.add(path);
    }
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const { refusal } = error;
    return {
      status: 'refused',
      refusal: { ...refusal, site: refusal.site && siteBefore(edits, refusal.site) },
      module,
      edits,
    };
  }
  return {
    status: 'prepared',
    module,
    edits,
    notes,
    touched: [...touched],
    callbacks,
    documents: [...documents],
  };
}

/**
 * What a step says, with places in the documents before all edits: where nothing else is said, at
 * the first thing that the step did.
 */
function notesOfStep(done: StepResult, before: readonly DocumentEdits[]): Note[] {
  const [document] = done.edits;
  const start = sortEdits(document?.edits ?? [])[0]?.span;
  const first = document && start && { path: document.path, ...start };
  return reviewNotes(
    done.notes.map((note) => {
      const remark: Remark = typeof note === 'string' ? { text: note, site: first } : note;
      const { site = first } = remark;
      return { ...remark, site: site && siteBefore(before, site) };
    }),
  );
}

/**
 * The functions in other documents that initialise the devices of a request: whichever document of
 * a module is asked for, its devices are brought into the same form.
 */
function partsElsewhere(input: ConversionInput, { path, functionName }: ConversionRequest): Part[] {
  const file = input.module.sources.find((source) => source.path === path);
  if (!file) return [];
  return initsConcerning({ input, file, functionName })
    .filter((site) => site.scope.file !== file)
    .map((site) => ({ path: site.scope.file.path, functionName: site.fn.name }));
}

/** Each step looks at all parts before the next: its order is the same from whichever is asked. */
function firstResult(input: ConversionInput, parts: readonly Part[]): StepResult | null {
  for (const step of STEPS) {
    for (const { path, functionName } of parts) {
      const file = input.module.sources.find((source) => source.path === path);
      const result = file ? step({ input, file, functionName }) : null;
      if (result) return result;
    }
  }
  return null;
}
