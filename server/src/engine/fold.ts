/**
 * The fold style: what a minimal conversion leaves in probe and remove moves into `.init` and
 * `.release`, as far as that can be proved.
 */
import {
  composePlanned,
  finishConversion,
  offsetAfter,
  siteAfter,
  type DocumentEdits,
  type Note,
} from '../convert/index.ts';
import {
  foldDevice,
  inlinePuttingHelpers,
  textsBeforeCore,
  type FoldNote,
  type FoldRequest,
  type FoldResult,
  type Moved,
} from '../convert/fold/index.ts';
import type { Module, Site } from '../lifecycle/types.ts';
import type { FileEdits } from '../text/span.ts';
import { isBudgetSpent } from '../budget/work.ts';
import type { Engine } from './analyse.ts';
import { answered } from './answers.ts';
import { convert, planOf, prove, relowered, SOURCE, unprovedEdits } from './convert.ts';
import { lineIn } from './lines.ts';
import { withEdits } from './prove.ts';
import { withoutStaleComments } from './stale-comments.ts';
import type { Conversion, ModuleInput, TargetKernel } from './types.ts';

/** Why a conversion that leaves the allocation where it is has nothing to fold. */
const NO_PROBE = 'The conversion allocates no device anew.';

export type FoldOffer =
  { readonly status: 'planned' } | { readonly status: 'nothing'; readonly reason: string };

/**
 * Whether there is anything to fold: without the proof, and looked for once for all who ask about
 * the same texts. Never throws.
 */
export function foldOfferOf(
  engine: Engine,
  input: ModuleInput,
  target: TargetKernel,
  functionName: string | undefined,
): FoldOffer {
  const work = (): FoldOffer =>
    engine.plans.once({ what: 'fold', input, target, functionName }, () =>
      offerAtAnyCost(engine, input, target, functionName),
    );
  return answered(work, { status: 'nothing', reason: TOO_MUCH });
}

/** Is it known already what there is to offer? Then planOf() and foldOfferOf() cost nothing. */
export function hasOffers(
  engine: Engine,
  input: ModuleInput,
  target: TargetKernel,
  functionName: string | undefined,
): boolean {
  const request = { input, target, functionName };
  if (!engine.plans.has({ what: 'plan', ...request })) return false;
  return (
    planOf(engine, input, target, functionName).status !== 'planned' ||
    engine.plans.has({ what: 'fold', ...request })
  );
}

const TOO_MUCH = 'The functions of the module are too complex to follow.';

function offerAtAnyCost(
  engine: Engine,
  input: ModuleInput,
  target: TargetKernel,
  functionName: string | undefined,
): FoldOffer {
  const scratch = engine.sibling();
  try {
    const before = engine.module(input);
    const edits = unprovedEdits(engine, scratch, input, target, functionName);
    const after = edits && withEdits(input, edits);
    const module = after && scratch.module(after);
    if (!before || !module) return { status: 'nothing', reason: 'There is no conversion to fold.' };
    const state: State = { input: after, module, edits: [] };
    const results = probesOf(before, module).flatMap((probe) =>
      startsOf(scratch, before, state, target, probe).map((start) =>
        foldProbe(before, start, target, probe),
      ),
    );
    if (results.some((result) => result.status === 'folded')) return { status: 'planned' };
    const first = results.at(-1);
    return { status: 'nothing', reason: first?.status === 'nothing' ? first.reason : NO_PROBE };
  } catch (error) {
    if (isBudgetSpent(error)) throw error;
    return {
      status: 'nothing',
      reason: `internal error: ${error instanceof Error ? error.message : String(error)}`,
    };
  } finally {
    scratch.dispose();
  }
}

/**
 * Converts like `convert` and folds each probe that it converted. What cannot be folded, or whose
 * fold fails the proof, stays as the minimal
 * conversion has it, and a note says why. Never throws.
 */
export function convertFolding(
  engine: Engine,
  input: ModuleInput,
  target: TargetKernel,
  functionName: string | undefined,
): Conversion {
  const minimal = convert(engine, input, target, functionName);
  if (minimal.status !== 'converted') return minimal;
  const left: Conversion = {
    ...minimal,
    notes: [...minimal.notes, { kind: 'style', text: `Nothing was folded: ${TOO_MUCH}` }],
  };
  return answered(() => foldAtAnyCost(engine, input, target, functionName, minimal), left);
}

type Converted = Extract<Conversion, { status: 'converted' }>;

function foldAtAnyCost(
  engine: Engine,
  input: ModuleInput,
  target: TargetKernel,
  functionName: string | undefined,
  minimal: Converted,
): Conversion {
  const scratch = engine.sibling();
  try {
    const before = engine.module(input);
    const edits: readonly DocumentEdits[] = minimal.edits.map((one) => ({
      path: one.path,
      edits: one.edits.map((edit) => ({ ...edit, kind: edit.kind ?? 'tidy' })),
    }));
    const after = withEdits(input, edits);
    const module = after && scratch.module(after);
    if (!before || !after || !module) return minimal;
    let state: State = { input: after, module, edits };
    let notes: readonly (Note | Placed)[] = minimal.notes;
    const folded: Moved[] = [];
    const probes = probesOf(before, module);
    if (probes.length === 0)
      notes = [...notes, { kind: 'style', text: `Nothing was folded: ${NO_PROBE}` }];
    for (const probe of probes) {
      let why: Placed | null = null;
      for (const start of startsOf(scratch, before, state, target, probe)) {
        const result = foldProbe(before, start, target, probe);
        if (result.status === 'nothing') {
          why = notFolded(`Nothing was folded: ${result.reason}`, result.site, probe.path);
          continue;
        }
        const raw = changed(scratch, start, [{ path: probe.path, edits: result.edits }]);
        const finished = raw && finish(scratch, before, input, raw, target);
        const next = finished?.state;
        const proof = prove(scratch, input, next?.input, target, functionName);
        if (!next || proof.status === 'failed') {
          const line =
            next && proof.status === 'failed' && proof.site
              ? ` (line ${lineIn(next.input, proof.site.path, proof.site.start)} of the result)`
              : '';
          why = {
            ...notFolded(
              `${probe.name}() was not folded: ${proof.status === 'failed' ? proof.problem : 'the result cannot be read again'}${line}.`,
              null,
              probe.path,
            ),
            about: probe.name,
          };
          continue;
        }
        state = next;
        folded.push(result.moved);
        // The release that was added to give the memory back does more by now.
        const kept = notes.filter(
          (note) => !('name' in note) || note.name !== result.moved.release,
        );
        const tidied = finished?.steps ?? [];
        const steps = [start.own, [{ path: probe.path, edits: result.edits }], ...tidied];
        notes = [
          ...kept.map((note) => ('say' in note ? movedOn(note, steps) : sitedOn(note, steps))),
          ...start.helpers.map((name) => helperWent(probe, name)),
          ...result.notes.map((note) => movedOn({ ...note, path: probe.path }, tidied)),
        ];
        why = null;
        break;
      }
      if (why) notes = [...notes, why];
    }
    const rendered = notes.map((note) => ('say' in note ? saidOf(note, state) : note));
    return {
      status: 'converted',
      edits: state.edits,
      notes: rendered,
      ...(folded.length > 0 && { folded }),
    };
  } catch (error) {
    if (isBudgetSpent(error)) throw error;
    return {
      ...minimal,
      notes: [
        ...minimal.notes,
        {
          kind: 'style',
          text: `Nothing was folded: internal error: ${error instanceof Error ? error.message : String(error)}`,
        },
      ],
    };
  } finally {
    scratch.dispose();
  }
}

/**
 * A module on the way to the folded one, with all edits that lead to it from the one that was
 * given.
 */
interface State {
  readonly input: ModuleInput;
  readonly module: Module;
  readonly edits: readonly DocumentEdits[];
}

/** What a fold may start from. */
interface Start extends State {
  /** The edits since the state before it. */
  readonly own: readonly FileEdits[];
  /** Helpers that were written out. */
  readonly helpers: readonly string[];
  readonly toUndo?: ReadonlySet<string>;
}

/**
 * With the helpers that put written out, which pays when all that they undo can move; and as it is.
 */
function startsOf(
  scratch: Engine,
  before: Module,
  state: State,
  target: TargetKernel,
  probe: Probe,
): Start[] {
  const plain: Start = { ...state, own: [], helpers: [] };
  const inlined = inlinePuttingHelpers(requestFor(before, plain, target, probe));
  const own = inlined ? [{ path: probe.path, edits: inlined.edits }] : [];
  const next = inlined && changed(scratch, state, own);
  return inlined && next
    ? [{ ...next, own, helpers: inlined.helpers, toUndo: inlined.undo }, plain]
    : [plain];
}

function changed(scratch: Engine, state: State, edits: readonly FileEdits[]): State | undefined {
  const input = withEdits(state.input, edits);
  const module = input && scratch.module(input);
  if (!input || !module) return undefined;
  return {
    input,
    module,
    edits: composePlanned(
      state.edits,
      edits.map((one) => ({
        path: one.path,
        edits: one.edits.map((edit) => ({ ...edit, kind: 'fold' })),
      })),
    ),
  };
}

/** The state in the style of its documents, and the edits that bring it there. */
function finish(
  scratch: Engine,
  before: Module,
  input: ModuleInput,
  state: State,
  target: TargetKernel,
): { readonly state: State; readonly steps: readonly (readonly FileEdits[])[] } | undefined {
  const finished = finishConversion(before, state.edits, (made) => relowered(scratch, input, made));
  const { edits, own } = withoutStaleComments(scratch, input, finished.edits, [target, SOURCE]);
  const steps = own.length > 0 ? [...finished.steps, own] : finished.steps;
  const after = withEdits(input, edits);
  const module = after && scratch.module(after);
  return after && module && { state: { input: after, module, edits }, steps };
}

function saidOf({ kind, say, path, places, about }: Placed, { input, module }: State): Note {
  const lines = places.map((place) => lineIn(input, path, place));
  const file = module.sources.find((source) => source.path === path);
  const start = places[0] ?? file?.functions.find((fn) => fn.name === about)?.nameSpan.start;
  const site = start === undefined ? undefined : { path, start, end: start };
  return { kind, text: say(lines), site, ...(lines.length > 0 && { message: say([]) }) };
}

function helperWent({ path, name: about }: Probe, helper: string): Placed {
  const text = `${helper}() was removed: its undoing moved, and its callers put the device themselves.`;
  return { kind: 'review', path, places: [], about, say: () => text };
}

/** Why a probe is as the minimal style has it; `site` is in that. */
function notFolded(sentence: string, site: Site | null, path: string): Placed {
  const say = ([line]: readonly number[]): string =>
    line === undefined ? sentence : sentence.replace(/\.$/, ` (line ${line} of the result).`);
  return { kind: 'style', path, places: site && site.path === path ? [site.start] : [], say };
}

/** A note on the minimal conversion when a probe has been folded. */
function sitedOn(note: Note, steps: readonly (readonly FileEdits[])[]): Note {
  return { ...note, site: note.site && steps.reduce(siteAfterStep, note.site) };
}

function siteAfterStep(site: Site, step: readonly FileEdits[]): Site {
  return siteAfter(step, site);
}

/** A note on a fold, with places in a document as it is after that. */
interface Placed extends FoldNote {
  readonly path: string;
}

/** The same when another probe of the document has been folded. */
function movedOn(note: Placed, steps: readonly (readonly FileEdits[])[]): Placed {
  const edits = steps.map((step) =>
    step.filter((one) => one.path === note.path).flatMap((one) => one.edits),
  );
  return {
    ...note,
    places: note.places.map((place) => edits.reduce((at, step) => offsetAfter(step, at), place)),
  };
}

interface Probe {
  readonly path: string;
  readonly name: string;
}

/** The functions that allocate by vfio_alloc_device() since the conversion. */
function probesOf(before: Module, after: Module): Probe[] {
  const allocates = (text: string): boolean => /\bvfio_alloc_device\s*\(/.test(text);
  return after.sources.flatMap((file) => {
    const old = before.sources.find((source) => source.path === file.path);
    return file.functions
      .filter(
        (fn) =>
          allocates(fn.text) &&
          !old?.functions.some((one) => one.name === fn.name && allocates(one.text)),
      )
      .map((fn) => ({ path: file.path, name: fn.name }));
  });
}

function requestFor(
  before: Module,
  start: Start,
  target: TargetKernel,
  { path, name }: Probe,
): FoldRequest {
  const old = before.sources.find((source) => source.path === path);
  return {
    module: start.module,
    kernel: target.version,
    path,
    functionName: name,
    beforeCore: old ? textsBeforeCore(old, name) : new Set(),
    ...(start.toUndo && { toUndo: start.toUndo }),
  };
}

function foldProbe(before: Module, start: Start, target: TargetKernel, probe: Probe): FoldResult {
  return foldDevice(requestFor(before, start, target, probe));
}
