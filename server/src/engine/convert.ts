/**
 * Conversions as the hosts see them: where they are offered, whether they can be done, and the
 * proved edits.
 */
import {
  besidesStep,
  composePlanned,
  editsOf,
  finishConversion,
  planConversion,
  prepareConversion,
  siteAfter,
  siteBefore,
  whyUnchanged,
  type ConversionPlan,
  type Note,
  type Prepared,
  type Refusal,
  type Unchanged,
} from '../convert/index.ts';
import { compareVersions, formatVersion } from '../kernel/version.ts';
import type { Module, ModuleFacts, Site } from '../lifecycle/types.ts';
import type { Finding } from '../rules/types.ts';
import { sortEdits } from '../text/edits.ts';
import type { FileEdits, Span } from '../text/span.ts';
import { isBudgetSpent } from '../budget/work.ts';
import { NO_SETTINGS, type Engine } from './analyse.ts';
import { answered } from './answers.ts';
import { firstNew } from './compare-findings.ts';
import { lineIn } from './lines.ts';
import { allFindings, keyOf, notAnalysed, parsesAsWell, withEdits } from './prove.ts';
import { withoutStaleComments } from './stale-comments.ts';
import { dmaNotes, isOfTheTarget, targetNotes } from './target-notes.ts';
import type { Conversion, ModuleInput, NotAnalysed, TargetKernel } from './types.ts';

/** A conversion that can be asked for. Without a function it is for all devices of the file. */
export interface ConversionOffer {
  readonly functionName: string | undefined;
  /** The model of the device: a driver of the new one is only brought on to a later kernel. */
  readonly model: 'old' | 'new';
}

/** The first kernel with the new model. */
const FIRST = [6, 1] as const;

/**
 * The kernel that a conversion is for: the target, or the first that has the new model when the
 * target is older.
 */
export function conversionTarget(kernel: TargetKernel): TargetKernel {
  if (compareVersions(kernel.version, FIRST) >= 0) return kernel;
  return {
    version: FIRST,
    text: formatVersion(FIRST),
    source: kernel.source,
    reason: `the first kernel with vfio_alloc_device(); the target is ${kernel.text}`,
  };
}

/**
 * What is said of a conversion for a target that has no vfio_alloc_device(): the result is for
 * another kernel. None for other targets.
 */
export function newerKernelNotes(kernel: TargetKernel): readonly Note[] {
  const made = conversionTarget(kernel);
  if (made === kernel) return [];
  const text = `Converted for ${made.text}, the first kernel with vfio_alloc_device(): the result does not build for the target kernel ${kernel.text}.`;
  return [{ kind: 'target', text }];
}

/**
 * The conversions to offer for a selection in the document `path`: one for each function in it that
 * works on a device of the old
 * model, or one for the whole file in the ops table of a device: what the target wants of a driver
 * of the new model is there.
 */
export function conversionsAt(
  facts: ModuleFacts,
  path: string,
  span: Span,
  findings: readonly Finding[],
): readonly ConversionOffer[] {
  const touches = (one: Span): boolean => one.start <= span.end && span.start <= one.end;
  const names = new Set<string>();
  for (const one of facts.observations) {
    if (one.site.path !== path || !touches(one.function)) continue;
    if (
      one.before.model === 'old' ||
      (one.kind === 'operation' && (one.op === 'init' || one.op === 'uninit'))
    )
      names.add(one.function.name);
  }
  for (const finding of findings) {
    if (finding.convertible && finding.functionName !== null && touches(finding.site))
      names.add(finding.functionName);
  }
  if (names.size > 0) return [...names].map((functionName) => ({ functionName, model: 'old' }));
  const given = new Set(
    facts.opsTables.flatMap((table) =>
      table.path === path && touches(table.variable) ? table.givenTo.map((one) => one.op) : [],
    ),
  );
  if (!given.has('init') && !given.has('alloc')) return [];
  return [{ functionName: undefined, model: given.has('init') ? 'old' : 'new' }];
}

export type Plan =
  /**
   * `probes` are the functions that allocate what is converted: two requests with the same ones are
   * the same conversion. `allocates`: an
   * allocation becomes vfio_alloc_device, and not only what the target changed in the new model is
   * done.
   */
  | { readonly status: 'planned'; readonly probes: readonly string[]; readonly allocates: boolean }
  | { readonly status: 'unchanged' }
  | Extract<Conversion, { status: 'refused' }>;

/**
 * Whether a conversion can be planned: cheap, without the proof, and made once for all who ask
 * about the same texts. Never throws.
 */
export function planOf(
  engine: Engine,
  input: ModuleInput,
  target: TargetKernel,
  functionName: string | undefined,
): Plan {
  return answered(() => planAtAnyCost(engine, input, target, functionName), TOO_MUCH);
}

function planAtAnyCost(
  engine: Engine,
  input: ModuleInput,
  target: TargetKernel,
  functionName: string | undefined,
): Plan {
  const scratch = engine.sibling();
  try {
    const result = preparePlan(engine, scratch, input, target, functionName);
    if (result.status !== 'planned') return result;
    const { plan, prepared } = result;
    return {
      status: 'planned',
      allocates: plan !== null,
      probes: plan
        ? plan.devices.flatMap((device) => device.allocations.map((one) => one.fn.name))
        : prepared.touched,
    };
  } catch (error) {
    return failed(error);
  } finally {
    scratch.dispose();
  }
}

type Planning =
  /**
   * `plan` is for the module that the preparation left; null when the preparation is all that there
   * is to do.
   */
  | {
      readonly status: 'planned';
      readonly prepared: Prepared;
      readonly plan: ConversionPlan | null;
    }
  | { readonly status: 'unchanged' }
  | Extract<Conversion, { status: 'refused' }>;

/**
 * The module, also where the file itself does not speak of VFIO and another one does: it may hold a
 * part of a device's life.
 */
function moduleOf(engine: Engine, input: ModuleInput): Module | undefined {
  for (const path of new Set([input.file, ...input.sources.map((source) => source.path)])) {
    const module = engine.module({ ...input, file: path });
    if (module) return module;
  }
  return undefined;
}

/** Why a conversion of the input came to `unchanged`. Never throws. */
export function whyNothing(engine: Engine, input: ModuleInput, target: TargetKernel): Unchanged {
  try {
    return answered(() => whyUnchanged(moduleOf(engine, input), input.file, target.version), {
      reason: TOO_MUCH.reason,
      isOld: true,
    });
  } catch (error) {
    return { reason: failed(error).reason, isOld: true };
  }
}

function preparePlan(
  engine: Engine,
  scratch: Engine,
  input: ModuleInput,
  target: TargetKernel,
  functionName: string | undefined,
): Planning {
  return engine.plans.once({ what: 'plan', input, target, functionName }, () =>
    newPlan(engine, scratch, input, target, functionName),
  );
}

function newPlan(
  engine: Engine,
  scratch: Engine,
  input: ModuleInput,
  target: TargetKernel,
  functionName: string | undefined,
): Planning {
  const module = moduleOf(engine, input);
  if (!module) return { status: 'unchanged' };
  const request = { path: input.file, functionName };
  const prepared = prepareConversion({ module, kernel: target.version }, request, (edits) =>
    relowered(scratch, input, edits),
  );
  if (prepared.status === 'refused') {
    const plan = planConversion({ module: prepared.module, kernel: target.version }, request);
    const others = plan.status === 'refused' ? besidesStep(prepared.refusal, plan.refusal) : [];
    return refusedAs(
      prepared.refusal,
      others.map((one) => ({ ...one, site: one.site && siteBefore(prepared.edits, one.site) })),
    );
  }
  const result = planConversion(
    {
      module: prepared.module,
      kernel: target.version,
      callbacks: prepared.callbacks,
      documents: prepared.documents,
    },
    request,
  );
  switch (result.status) {
    case 'planned':
      return { status: 'planned', prepared, plan: result.plan };
    case 'unchanged':
      return prepared.edits.length > 0 ? { status: 'planned', prepared, plan: null } : result;
    case 'refused': {
      const before = (one: Refusal): Refusal => ({
        ...one,
        site: one.site && siteBefore(prepared.edits, one.site),
      });
      return refusedAs(before(result.refusal), (result.refusal.others ?? []).map(before));
    }
  }
}

function refusedAs(
  { code, reason, site }: Refusal,
  others: readonly Refusal[],
): Extract<Conversion, { status: 'refused' }> {
  return { status: 'refused', code, reason, site, ...(others.length > 0 && { others }) };
}

/** All that stands in the way, as one text. */
export function reasonsOf({
  reason,
  others = [],
}: Extract<Conversion, { status: 'refused' }>): string {
  return [reason, ...others.map((one) => one.reason)].join(' Besides: ');
}

/** The edits of a conversion before its proof; undefined when there are none. */
export function unprovedEdits(
  engine: Engine,
  scratch: Engine,
  input: ModuleInput,
  target: TargetKernel,
  functionName: string | undefined,
): readonly FileEdits[] | undefined {
  const result = preparePlan(engine, scratch, input, target, functionName);
  return result.status === 'planned'
    ? composePlanned(result.prepared.edits, result.plan ? editsOf(result.plan).edits : [])
    : undefined;
}

/**
 * Plans, edits and proves a conversion. The result parses as well as before, shows no finding of
 * any level that was not there before, and
 * has nothing left to convert; what fails that is refused. Never throws.
 */
export function convert(
  engine: Engine,
  input: ModuleInput,
  target: TargetKernel,
  functionName: string | undefined,
): Conversion {
  return answered(() => convertAtAnyCost(engine, input, target, functionName), TOO_MUCH);
}

function convertAtAnyCost(
  engine: Engine,
  input: ModuleInput,
  target: TargetKernel,
  functionName: string | undefined,
): Conversion {
  const scratch = engine.sibling();
  try {
    const result = preparePlan(engine, scratch, input, target, functionName);
    if (result.status !== 'planned') return result;
    const { prepared, plan } = result;
    const planned = plan ? editsOf(plan) : { edits: [], notes: [], touched: [] };
    const original = moduleOf(engine, input);
    const unfinished = composePlanned(prepared.edits, planned.edits);
    const finished = original
      ? finishConversion(original, unfinished, (made) => relowered(scratch, input, made)).edits
      : unfinished;
    const { edits } = withoutStaleComments(scratch, input, finished, [target, SOURCE]);
    const after = withEdits(input, edits);
    const start = edits[0]?.edits[0];
    const here = start ? { path: edits[0]!.path, ...start.span } : null;
    const before = (site: Site): Site => siteBefore(edits, site);
    const proof = prove(scratch, input, after, target, functionName);
    if (proof.status === 'failed') {
      const { problem, site } = proof;
      return {
        status: 'refused',
        reason: `Not proved: ${problem}.`,
        site: site ? before(site) : here,
        code: null,
      };
    }
    const { kept, left } = proof;
    const touched = new Set([...prepared.touched, ...planned.touched]);
    const remarks = kept
      .filter((one) => one.functionName !== null && touched.has(one.functionName))
      .map((one) => remark(input, one, before(one.site)));
    const module = after && moduleOf(scratch, after);
    const ofTarget = [
      ...dmaNotes({ input, module: prepared.module, edits: prepared.edits }, target, functionName),
      ...(module ? targetNotes({ input, module, edits }, left, target) : []),
    ];
    const ofPlan = planned.notes.map((note) => ({
      ...note,
      site: note.site && siteBefore(prepared.edits, note.site),
    }));
    const notes = [...prepared.notes, ...ofPlan, ...ofTarget, ...remarks].map((note) => ({
      ...note,
      site: note.site && siteAfter(edits, note.site),
    }));
    return { status: 'converted', edits, notes };
  } catch (error) {
    return failed(error);
  } finally {
    scratch.dispose();
  }
}

/** Where a conversion begins, as a place in its result; undefined where it has no edits. */
export function beginningOf(edits: readonly FileEdits[]): Site | undefined {
  const [document] = edits;
  const [first] = sortEdits(document?.edits ?? []);
  return document && first && siteAfter(edits, { path: document.path, ...first.span });
}

/** The module with edits made; undefined when they cannot be made. */
export function relowered(
  scratch: Engine,
  input: ModuleInput,
  edits: readonly FileEdits[],
): Module | undefined {
  const after = withEdits(input, edits);
  return after && moduleOf(scratch, after);
}

/** What the proof of a changed module came to. */
export type Proof =
  /**
   * `kept` are the findings that are left in it, all of them from before; `left` those on what the
   * target kernel lacks.
   */
  | {
      readonly status: 'proved';
      readonly kept: readonly Finding[];
      readonly left: readonly Finding[];
    }
  /** The problem ends a sentence; its place is in the changed module. */
  | { readonly status: 'failed'; readonly problem: string; readonly site: Site | null };

/**
 * The proof of a conversion of `input` to `after`: it parses as well as before, shows no finding of
 * any level that was not there before, and
 * has nothing left to convert. `after` is undefined where the edits overlap.
 */
export function prove(
  scratch: Engine,
  input: ModuleInput,
  after: ModuleInput | undefined,
  target: TargetKernel,
  functionName: string | undefined,
): Proof {
  if (!after)
    return {
      status: 'failed',
      problem: 'the edits of the conversion overlap',
      site: null,
    };
  if (!parsesAsWell(scratch, input, after))
    return { status: 'failed', problem: 'the converted text would not parse', site: null };
  return proveFor(
    { before: scratch, after: scratch, again: scratch },
    input,
    after,
    target,
    functionName,
  );
}

/**
 * The engines in which the texts of a proof are analysed. An engine knows one text of a document at
 * a time: who proves the same texts for many kernels has one for each.
 */
export interface Provers {
  readonly before: Engine;
  readonly after: Engine;
  readonly again: Engine;
}

/** The part of `prove()` that a kernel decides: all but whether the result parses. */
export function proveFor(
  engines: Provers,
  input: ModuleInput,
  after: ModuleInput,
  target: TargetKernel,
  functionName: string | undefined,
  again = after,
): Proof {
  const unseen = notSeen(engines, input, after, target);
  if (unseen)
    return {
      status: 'failed',
      problem: `${unseen.function === '' ? 'the result' : `${unseen.function}()`} was not analysed: ${unseen.reason}`,
      site:
        unseen.start === undefined
          ? null
          : { path: unseen.path, start: unseen.start, end: unseen.start },
    };
  const { added, kept, left } = compareFindings(engines, input, after, target);
  if (added)
    return {
      status: 'failed',
      problem: `the converted text would have a new finding: ${added.message} [${added.rule}]`,
      site: added.site,
    };
  const second = preparePlan(engines.again, engines.again, again, target, functionName);
  if (second.status === 'unchanged') return { status: 'proved', kept, left };
  return {
    status: 'failed',
    problem: 'a second conversion would change the result again',
    site: second.status === 'refused' ? second.site : null,
  };
}

/**
 * What was not analysed of the converted module, for the target: that nothing was found there
 * proves nothing. What the conversion left as it was does not count.
 */
function notSeen(
  engines: Provers,
  before: ModuleInput,
  after: ModuleInput,
  target: TargetKernel,
): NotAnalysed | undefined {
  const given = notAnalysed(engines.after, after, NO_SETTINGS, target);
  if (given.length === 0) return undefined;
  const textOf = (
    engine: Engine,
    input: ModuleInput,
    { path, function: name }: NotAnalysed,
  ): string | undefined => {
    const file = moduleOf(engine, input)?.sources.find((one) => one.path === path);
    return file?.functions.find((fn) => fn.name === name)?.text;
  };
  return given.find(
    (one) =>
      one.function === '' ||
      textOf(engines.after, after, one) !== textOf(engines.before, before, one),
  );
}

/** The kernel that a driver of the old model is judged for: the newest that has it. */
export const SOURCE: TargetKernel = {
  version: [6, 0],
  text: '6.0',
  source: 'default',
  reason: 'the newest kernel of the old model',
};

/**
 * The findings of the converted module against those of the module before it, for the target and,
 * as far as it is of the old model,
 * for its own kernel: the first that is new, counted by rule and function, and those that were
 * there before. A finding of any level
 * counts, and one that was there at a lower level only is new. What was found in functions that are
 * gone may be found in as many of
 * those that came: they were renamed.
 */
function compareFindings(
  engines: Provers,
  before: ModuleInput,
  after: ModuleInput,
  target: TargetKernel,
): {
  readonly added: Finding | undefined;
  readonly kept: readonly Finding[];
  readonly left: readonly Finding[];
} {
  const found = allFindings(engines.after, after, NO_SETTINGS, target);
  if (found.length === 0) return { added: undefined, kept: [], left: [] };
  // What the target lacks it lacks wherever it is moved to.
  const wordsOf = (finding: Finding): string =>
    `${keyOf({ ...finding, functionName: null })}\n${finding.message}`;
  const forTarget = allFindings(engines.before, before, NO_SETTINGS, target);
  const known = new Set(forTarget.filter(isOfTheTarget).map(wordsOf));
  const old = keysOnlyIn(before, after);
  const earlier = [forTarget, allFindings(engines.before, before, NO_SETTINGS, SOURCE)];
  const left = found.filter((one) => known.has(wordsOf(one)));
  const kept = found.filter((one) => !known.has(wordsOf(one)));
  return { added: firstNew(kept, keysOnlyIn(after, before), earlier, old), kept, left };
}

/** The key of a finding of `input`: all functions that `other` does not name have one in common. */
function keysOnlyIn(input: ModuleInput, other: ModuleInput): (finding: Finding) => string {
  const texts = (one: ModuleInput): string[] =>
    [...one.sources, ...one.headers].map((document) => document.text);
  if (texts(input).join('') === texts(other).join('')) return keyOf;
  const known = new Map<string, boolean>();
  const isThere = (name: string): boolean => {
    const answer =
      known.get(name) ?? texts(other).some((text) => new RegExp(`\\b${name}\\s*\\(`).test(text));
    known.set(name, answer);
    return answer;
  };
  return (finding) =>
    keyOf(
      finding.functionName === null || isThere(finding.functionName)
        ? finding
        : { ...finding, functionName: '?' },
    );
}

/** A finding that the conversion leaves as it found it, for the person who reads the result. */
function remark(input: ModuleInput, finding: Finding, site: Site): Note {
  const where =
    site.path === input.file ? '' : ` of ${site.path.slice(site.path.lastIndexOf('/') + 1)}`;
  const told = `${finding.message} [${finding.rule}].`;
  const line = lineIn(input, site.path, site.start);
  return {
    kind: 'finding',
    text: `It was there before, at line ${line}${where}: ${told}`,
    message: `It was there before: ${told}`,
    site,
  };
}

const TOO_MUCH = {
  status: 'refused',
  reason:
    'Not converted: the functions of the module are too complex to follow. Split the largest of them.',
  site: null,
  code: null,
} as const;

function failed(error: unknown): Extract<Conversion, { status: 'refused' }> {
  if (isBudgetSpent(error)) throw error;
  return {
    status: 'refused',
    reason: `internal error: ${error instanceof Error ? error.message : String(error)}`,
    site: null,
    code: null,
  };
}
