/**
 * One source for old and new kernels: the driver keeps the old model for the kernels that have it,
 * and the conversion stands in arms of #if. What each kernel compiles is proved by itself.
 */
import type { Note } from '../../convert/index.ts';
import { formatVersion, parseVersion, compareVersions } from '../../kernel/version.ts';
import { KNOWN_KERNELS } from '../../kernel/known-kernels.ts';
import { evaluateTest, type Macros } from '../../lifecycle/module/preprocessor.ts';
import type { Finding } from '../../rules/types.ts';
import type { SyntaxTree } from '../../syntax/node.ts';
import { changedLines, splitLines } from '../../text/diff.ts';
import { lineIndex } from '../../text/position.ts';
import type { Edit } from '../../text/span.ts';
import { NO_SETTINGS, type Engine } from '../analyse.ts';
import { answered } from '../answers.ts';
import { convert, proveFor, type Provers } from '../convert.ts';
import { allFindings, keyOf, parsesAsWell, withEdits } from '../prove.ts';
import type { Conversion, ModuleInput, SourceDocument, TargetKernel } from '../types.ts';
import {
  composeArms,
  lengthOf,
  selectedLines,
  type Composed,
  type Guard,
  type Variant,
} from './arms.ts';
import { headerText, including, overHeader, type CompatHeader } from './header.ts';
import { withOldLabels } from './labels.ts';
import { regionsOf, type Side } from './regions.ts';
import { unitsOf } from './units.ts';
import { viewFor } from './view.ts';

/** The oldest kernel that a source with arms is proved for. */
const OLDEST = [5, 15] as const;
/** The first kernel with the new model. */
const FIRST = [6, 1] as const;

export interface CompatOptions {
  /**
   * A macro that the tree defines where the new model is there, in the place of a test for Linux
   * 6.1.
   */
  readonly guard?: Guard;
  /** A header for old kernels, which is used where the driver becomes shorter by it. */
  readonly header?: CompatHeader | undefined;
}

type Refused = Extract<Conversion, { status: 'refused' }>;

/** What the module is from one kernel on. */
interface Stage {
  readonly kernel: TargetKernel;
  readonly input: ModuleInput;
  readonly notes: readonly Note[];
}

/**
 * Converts so that one text builds for every kernel from 5.15 on. Never throws.
 */
export function convertCompat(
  engine: Engine,
  input: ModuleInput,
  functionName: string | undefined,
  { guard, header }: CompatOptions = {},
): Conversion {
  try {
    return convertInStages(engine, input, functionName, { guard, header });
  } catch (error) {
    return refusal(`internal error: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function convertInStages(
  engine: Engine,
  input: ModuleInput,
  functionName: string | undefined,
  { guard, header }: CompatOptions,
): Conversion {
  const kernels = targets().filter((one) => compareVersions(one.version, FIRST) >= 0);
  const found = stagesOf(engine, input, kernels, functionName);
  if ('status' in found) return found;
  const { stages, last, beyond } = found;
  if (stages.every((one) => one.input === input)) return { status: 'unchanged' };
  const changed: Changed[] = [...input.sources, ...input.headers]
    .map(({ path, text }) => ({
      path,
      text,
      texts: stages.map((one) => textIn(one.input, path) ?? text),
    }))
    .filter(({ text, texts }) => texts.some((one) => one !== text));
  const arms = changed.map((one): Made | string => {
    const made = composed(engine, one.text, one.texts, stages, guard);
    return typeof made === 'string' ? made : { ...one, made };
  });
  const bad = arms.find((one) => typeof one === 'string');
  if (bad !== undefined) return refusal(`Not proved: ${bad}.`);
  const inArms = arms.filter((one) => typeof one !== 'string');
  const overIt = header && madeOverHeader(engine, changed, stages, guard, header, inArms);
  const result = (overIt &&
    proved(engine, withFile(input, overIt.created), overIt, last, functionName)) ?? {
    created: undefined,
    files: inArms,
  };
  if (result.created === undefined) {
    const after = withEdits(input, editsOf(inArms));
    if (after === undefined) return refusal('Not proved: the edits overlap.');
    const problem = whyWrong(engine, input, after, last, functionName);
    if (problem) return problem;
  }
  const { created, files } = result;
  const placed = files.map(
    ({ path, texts, made }) =>
      (note: Note, stage: number): Note =>
        moved(note, path, texts[stage]!, made, stage + 1),
  );
  const notes = new Map<string, Note>();
  if (beyond !== undefined)
    notes.set('', {
      kind: 'target',
      text: `Proved for Linux ${formatVersion(OLDEST)} to ${last.text}. ${beyond.reason}`,
    });
  if (header)
    notes.set('header', {
      kind: 'target',
      text: created
        ? `${header.name} has vfio_alloc_device() and vfio_put_device() for kernels before 6.1.`
        : `${header.name} is not used: it would not make the driver shorter, or the driver needs more than it has.`,
    });
  stages.forEach((stage, i) => {
    for (const note of stage.notes)
      // The labels have their old names again.
      if (note.kind !== 'label' && !notes.has(note.text))
        notes.set(
          note.text,
          placed.reduce((one, place) => place(one, i), note),
        );
  });
  return {
    status: 'converted',
    edits: editsOf(files),
    notes: [...notes.values()],
    ...(created && { created }),
  };
}

/** A document that the conversion changes, and what it is from the kernel of each stage on. */
interface Changed extends SourceDocument {
  readonly texts: readonly string[];
}

/** A document with its arms. */
interface Made extends Changed {
  readonly made: Composed;
}

interface OverHeader {
  readonly created: SourceDocument;
  readonly files: readonly Made[];
}

function editsOf(files: readonly Made[]): { path: string; edits: Edit[] }[] {
  return files.map(({ path, text, made }) => ({ path, edits: lineEdits(text, made.text) }));
}

function withFile(input: ModuleInput, file: SourceDocument): ModuleInput {
  return { ...input, headers: [...input.headers, file] };
}

/** The driver over the header where that is shorter than with all of its arms. */
function madeOverHeader(
  engine: Engine,
  changed: readonly Changed[],
  stages: readonly Stage[],
  guard: Guard,
  header: CompatHeader,
  inArms: readonly Made[],
): OverHeader | undefined {
  const [one, another] = changed;
  if (!one || another || !one.path.endsWith('.c') || one.text.includes('\r')) return undefined;
  const old = withTree(engine, one.text, (before) =>
    withTree(engine, one.texts[0]!, (after) => {
      const sides = [before, after].map((tree): Side => ({
        lines: splitLines(tree.text),
        units: unitsOf(tree),
      }));
      // Each difference is asked about by itself.
      const regions = regionsOf(sides[0]!, [sides[1]!], () => Infinity);
      return regions ? overHeader(before, after, regions) : undefined;
    }),
  );
  if (!old) return undefined;
  const texts = one.texts.map((text) => including(splitLines(text), header.name).join(''));
  const made = composed(engine, including(old, header.name).join(''), texts, stages, guard);
  if (typeof made === 'string' || made.text.length >= inArms[0]!.made.text.length) return undefined;
  const created = { path: header.path, text: headerText(header.name, guard) };
  return { created, files: [{ ...one, texts, made }] };
}

/** What is over the header, where it is right for every kernel. */
function proved(
  engine: Engine,
  input: ModuleInput,
  found: OverHeader,
  last: TargetKernel,
  functionName: string | undefined,
): OverHeader | undefined {
  const after = withEdits(input, editsOf(found.files));
  return after && !whyWrong(engine, input, after, last, functionName) ? found : undefined;
}

/** Every known kernel from the oldest on. */
function targets(): TargetKernel[] {
  return KNOWN_KERNELS.map((text) => parseVersion(text)!)
    .filter((version) => compareVersions(version, OLDEST) >= 0)
    .map((version) => ({
      version,
      text: formatVersion(version),
      source: 'option',
      reason: 'one source for old and new kernels',
    }));
}

/**
 * What the module is converted to, from which kernel on. Between two kernels with the same result
 * none is asked: the result is proved for each of them later.
 */
function stagesOf(
  engine: Engine,
  input: ModuleInput,
  kernels: readonly TargetKernel[],
  functionName: string | undefined,
): Stages | Refused {
  const known = new Map<number, Stage | Refused>();
  const at = (i: number): Stage | Refused => {
    let stage = known.get(i);
    if (!stage) known.set(i, (stage = stageFor(engine, input, kernels[i]!, functionName)));
    return stage;
  };
  const found: Stage[] = [];
  const search = (from: number, to: number): Refused | undefined => {
    const [left, right] = [at(from), at(to)];
    if ('status' in left) return left;
    if ('status' in right) return right;
    if (isSameInput(left.input, right.input) || to - from <= 1) {
      for (const one of [left, right])
        if (!found.some((other) => isSameInput(other.input, one.input) && isLast(found, other)))
          found.push(one);
      return undefined;
    }
    const middle = Math.floor((from + to) / 2);
    return search(from, middle) ?? search(middle, to);
  };
  const first = at(0);
  if ('status' in first) return first;
  let end = kernels.length - 1;
  let refused: Refused | undefined;
  for (let low = 0; low < end;) {
    const middle = refused === undefined ? end : Math.ceil((low + end) / 2);
    const stage = at(middle);
    if (!('status' in stage)) {
      if (refused === undefined) break;
      low = middle;
    } else {
      refused = stage;
      end = middle - 1;
    }
  }
  const problem = search(0, end);
  return problem ?? { stages: found, last: kernels[end]!, beyond: refused };
}

interface Stages {
  readonly stages: readonly Stage[];
  /** The newest kernel that the driver can be converted for. */
  readonly last: TargetKernel;
  /** Why it cannot be for the next one; undefined where that is not known yet. */
  readonly beyond: Refused | undefined;
}

function isLast<T>(list: readonly T[], one: T): boolean {
  return list.at(-1) === one;
}

function stageFor(
  engine: Engine,
  input: ModuleInput,
  kernel: TargetKernel,
  functionName: string | undefined,
): Stage | Refused {
  const seen = viewFor(engine, input, kernel.version);
  if (seen !== input && convert(engine, seen, kernel, functionName).status === 'unchanged')
    return { kernel, input, notes: [] };
  const result = convert(engine, input, kernel, functionName);
  if (result.status === 'unchanged') return { kernel, input, notes: [] };
  if (result.status === 'refused')
    return kernel.text === formatVersion(FIRST)
      ? result
      : { ...result, reason: `For Linux ${kernel.text}: ${result.reason}` };
  const after = withEdits(input, result.edits);
  if (after === undefined) return refusal('Not proved: the edits overlap.');
  const relabelled = (list: ModuleInput['sources'], old: ModuleInput['sources']) =>
    list.map((one, i) =>
      one.text === old[i]!.text ? one : { ...one, text: labelled(engine, old[i]!.text, one.text) },
    );
  return {
    kernel,
    notes: result.notes,
    input: {
      ...after,
      sources: relabelled(after.sources, input.sources),
      headers: relabelled(after.headers, input.headers),
    },
  };
}

function labelled(engine: Engine, before: string, after: string): string {
  return withTree(engine, before, (old) =>
    withTree(engine, after, (made) => withOldLabels(old, made)),
  );
}

function withTree<T>(engine: Engine, text: string, work: (tree: SyntaxTree) => T): T {
  const tree = engine.parser.parse(text);
  try {
    return work(tree);
  } finally {
    tree.dispose();
  }
}

function isSameInput(left: ModuleInput, right: ModuleInput): boolean {
  const texts = ({ sources, headers }: ModuleInput): string[] =>
    [...sources, ...headers].map((one) => one.text);
  const others = texts(right);
  return texts(left).every((text, i) => text === others[i]);
}

function textIn({ sources, headers }: ModuleInput, path: string): string | undefined {
  return [...sources, ...headers].find((one) => one.path === path)?.text;
}

/** One document with arms, or what is wrong with it as the end of a sentence. */
function composed(
  engine: Engine,
  text: string,
  texts: readonly string[],
  stages: readonly Stage[],
  guard: Guard,
): Composed | string {
  const variants: Variant[] = [
    { since: undefined, lines: splitLines(text) },
    ...texts.map((one, i) => ({ since: stages[i]!.kernel.text, lines: splitLines(one) })),
  ];
  const sides = variants.map(({ lines }): Side => ({
    lines,
    units: withTree(engine, lines.join(''), unitsOf),
  }));
  const regions = regionsOf(sides[0]!, sides.slice(1), (one) => lengthOf(variants, one));
  if (regions === null) return 'the differences between the kernels cannot be merged';
  const isCut = regions.some((region) =>
    [region, ...region.variants].some(
      ({ start, end }, i) => !isBalanced(variants[i]!.lines.slice(start, end)),
    ),
  );
  if (isCut) return 'an arm would cut through an existing #if';
  const made = composeArms(variants, regions, guard);
  const wrong = targets().find(({ version }) => {
    const macros: Macros = (name) =>
      name === guard ? truth(compareVersions(version, FIRST) >= 0) : undefined;
    const kept = selectedLines(made, (test) => evaluateTest(test, version, macros) === 'true');
    const variant = variants.findLast(
      ({ since }) => since === undefined || compareVersions(parseVersion(since)!, version) <= 0,
    );
    return withoutBlanks(kept) !== withoutBlanks(variant!.lines);
  });
  if (wrong) return `Linux ${wrong.text} would compile something else`;
  return made.testsVersion ? withVersionHeader(made) : made;
}

function truth(holds: boolean) {
  const value = holds ? ('true' as const) : ('false' as const);
  return { defined: value, value };
}

function withoutBlanks(lines: readonly string[]): string {
  return lines.filter((line) => line.trim() !== '').join('');
}

/** Whether every #if of some lines ends in them, and no arm of another one begins. */
function isBalanced(lines: readonly string[]): boolean {
  let depth = 0;
  for (const line of lines) {
    const word = /^[ \t]*#[ \t]*(if|ifdef|ifndef|elif|elifdef|else|endif)\b/.exec(line)?.[1];
    if (word === undefined) continue;
    if (word.startsWith('if')) depth++;
    else if (word === 'endif') depth--;
    else if (depth === 0) return false;
    if (depth < 0) return false;
  }
  return depth === 0;
}

const VERSION_HEADER = '#include <linux/version.h>\n';
const VERSION_TEST = /^[ \t]*#[ \t]*(?:el)?if\b.*\bLINUX_VERSION_CODE\b/;

/**
 * The text with the header of LINUX_VERSION_CODE, among the others in their order, and before the
 * first line that tests it: an `#include` may be in an arm.
 */
function withVersionHeader(made: Composed): Composed {
  const lines = splitLines(made.text);
  let depth = 0;
  const places: { readonly line: number; readonly name: string }[] = [];
  lines.forEach((line, i) => {
    if (/^[ \t]*#[ \t]*if/.test(line)) depth++;
    else if (/^[ \t]*#[ \t]*endif/.test(line)) depth--;
    const name = /^#include\s*<([^>]+)>/.exec(line)?.[1];
    if (depth === 0 && name !== undefined) places.push({ line: i, name });
  });
  const tested = lines.findIndex((line) => VERSION_TEST.test(line));
  const early = places.filter(({ line }) => line < tested);
  if (early.some(({ name }) => name === 'linux/version.h')) return made;
  const before = early.findLast(({ name }) => /^linux\//.test(name) && name < 'linux/version.h');
  const at = before ? before.line + 1 : Math.min(places[0]?.line ?? firstCode(lines), tested);
  lines.splice(at, 0, VERSION_HEADER);
  const shift = (line: number): number => (line >= at ? line + 1 : line);
  return {
    ...made,
    text: lines.join(''),
    directives: new Set([...made.directives].map(shift)),
    places: made.places.map((one) => one.map(shift)),
  };
}

/** The line after the comments that a file begins with. */
function firstCode(lines: readonly string[]): number {
  const at = lines.findIndex((line) => !/^\s*(?:$|\/\/|\/\*|\*)/.test(line));
  return Math.max(at, 0);
}

function lineEdits(before: string, after: string): Edit[] {
  const [old, made] = [splitLines(before), splitLines(after)];
  const starts: number[] = [0];
  for (const line of old) starts.push(starts.at(-1)! + line.length);
  return changedLines(old, made).map((one) => ({
    span: { start: starts[one.oldStart]!, end: starts[one.oldEnd]! },
    newText: made.slice(one.newStart, one.newEnd).join(''),
  }));
}

/** A note of a stage, at its place in the text with arms. */
function moved(note: Note, path: string, text: string, made: Composed, variant: number): Note {
  const { site } = note;
  if (!site || site.path !== path) return note;
  const lines = lineIndex(text);
  const result = lineIndex(made.text);
  const at = (offset: number): number => {
    const { line, character } = lines.position(offset);
    return result.offset({ line: made.places[variant]?.[line] ?? 0, character });
  };
  const start = at(site.start);
  return { ...note, site: { path, start, end: Math.max(start, at(site.end)) } };
}

/** Why the text with arms is not right for some kernel; undefined where it is. */
function whyWrong(
  engine: Engine,
  before: ModuleInput,
  after: ModuleInput,
  last: TargetKernel,
  functionName: string | undefined,
): Refused | undefined {
  const engines: Provers = {
    before: engine.sibling(),
    after: engine.sibling(),
    again: engine.sibling(),
  };
  try {
    if (!parsesAsWell(engines.after, before, after))
      return refusal('Not proved: the text with arms would not parse.');
    for (const kernel of targets()) {
      if (compareVersions(kernel.version, last.version) > 0) break;
      const problem = answered(
        () => problemFor(engines, before, after, kernel, functionName),
        'the functions of the module are too complex to follow',
      );
      if (problem !== undefined)
        return refusal(`Not proved: for Linux ${kernel.text}, ${problem}.`);
    }
    return undefined;
  } finally {
    for (const one of Object.values(engines)) one.dispose();
  }
}

function problemFor(
  engines: Provers,
  before: ModuleInput,
  after: ModuleInput,
  kernel: TargetKernel,
  functionName: string | undefined,
): string | undefined {
  if (compareVersions(kernel.version, FIRST) >= 0) {
    const seen = viewFor(engines.after, after, kernel.version);
    const proof = proveFor(engines, before, after, kernel, functionName, seen);
    return proof.status === 'failed' ? proof.problem : undefined;
  }
  const found = (engine: Engine, input: ModuleInput): ReadonlyMap<string, Finding> =>
    new Map(
      allFindings(engine, input, NO_SETTINGS, kernel).map((one) => [
        `${keyOf(one)}\n${one.message.replace(/\d+/g, '#')}`,
        one,
      ]),
    );
  const made = found(engines.after, after);
  if (made.size === 0) return undefined;
  const old = found(engines.before, before);
  // One that has gone told that the new model is not there: the other arm has it.
  const added = [...made].find(([key]) => !old.has(key));
  return added && `the old arm has another finding than the driver had: ${added[1].message}`;
}

function refusal(reason: string): Refused {
  return { status: 'refused', reason, site: null, code: null };
}
