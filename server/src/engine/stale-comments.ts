/**
 * Takes suppression comments out of a conversion's result that allowed what the conversion
 * repaired.
 */
import { composePlanned, type DocumentEdits } from '../convert/index.ts';
import { formatVersion, inRange } from '../kernel/version.ts';
import type { ModuleFacts } from '../lifecycle/types.ts';
import { namedRules, withItsLine, type NamedRule } from '../rules/suppressions.ts';
import type { Edit, Span } from '../text/span.ts';
import type { Engine } from './analyse.ts';
import { withEdits } from './prove.ts';
import type { ModuleInput, TargetKernel } from './types.ts';

/** What a conversion was with its comments, and what it is without those that are stale. */
export interface Uncommented {
  /** On the documents as they were given. */
  readonly edits: readonly DocumentEdits[];
  /** What was added, on the result of the edits that were given; empty where nothing was stale. */
  readonly own: readonly DocumentEdits[];
}

/**
 * A rule's name goes where it allowed a finding before and is reported as not needed now; a comment
 * goes with its last name.
 * @param input the module that `edits` are made on
 * @param kernels the target, and the kernel that the module was written for: a rule of the old
 * model
 * looks for that one only.
 */
export function withoutStaleComments(
  engine: Engine,
  input: ModuleInput,
  edits: readonly DocumentEdits[],
  kernels: readonly TargetKernel[],
): Uncommented {
  const as: Uncommented = { edits, own: [] };
  const after = isCommented(input) ? withEdits(input, edits) : undefined;
  if (after === undefined) return as;
  const before = commentsIn(engine, input, kernels);
  const now = commentsIn(engine, after, kernels);
  const own: DocumentEdits[] = [...now].flatMap(([key, comment]) => {
    const then = new Set(before.get(key)?.rules.flatMap(({ id, isUsed }) => (isUsed ? [id] : [])));
    const gone = comment.rules.flatMap(({ id, isUnneeded }) =>
      isUnneeded && then.has(id) ? [id] : [],
    );
    if (gone.length === 0) return [];
    return [{ path: comment.path, edits: [{ ...removalOf(comment, gone), kind: 'tidy' }] }];
  });
  return own.length === 0 ? as : { edits: composePlanned(edits, own), own };
}

function isCommented({ sources, headers }: ModuleInput): boolean {
  return [...sources, ...headers].some(({ text }) => text.includes('vfio-lifecycle:'));
}

interface Comment {
  readonly path: string;
  readonly text: string;
  readonly span: Span;
  readonly rules: readonly CommentRule[];
}

interface CommentRule {
  readonly id: string;
  readonly span: Span;
  readonly isUsed: boolean;
  readonly isUnneeded: boolean;
}

/** The comments of a module by document, text and number: code moves, and its comments with it. */
function commentsIn(
  engine: Engine,
  input: ModuleInput,
  kernels: readonly TargetKernel[],
): ReadonlyMap<string, Comment> {
  const runs = kernels.map((kernel) => namedIn(engine, input, kernel));
  const comments = new Map<string, Comment>();
  const counts = new Map<string, number>();
  for (const named of byComment(runs.flat())) {
    const { file, comment } = named[0]!;
    const text = file.text.slice(comment.start, comment.end);
    const stem = `${file.path}\n${text}`;
    const count = counts.get(stem) ?? 0;
    counts.set(stem, count + 1);
    const rules = together(named);
    comments.set(`${stem}\n${count}`, { path: file.path, text: file.text, span: comment, rules });
  }
  return comments;
}

function byComment(named: readonly NamedRule[]): NamedRule[][] {
  const lists = new Map<string, NamedRule[]>();
  for (const one of named) {
    const key = `${one.file.path}\n${one.comment.start}`;
    lists.set(key, [...(lists.get(key) ?? []), one]);
  }
  return [...lists.values()].sort(([one], [other]) => one!.comment.start - other!.comment.start);
}

/** Each rule once, by what all kernels say: needed for one is needed. */
function together(named: readonly NamedRule[]): CommentRule[] {
  const places = [...new Set(named.map(({ span }) => span.start))];
  return places.map((start) => {
    const same = named.filter(({ span }) => span.start === start);
    const { id, span } = same[0]!;
    const isUsed = same.some((one) => one.isUsed);
    return { id, span, isUsed, isUnneeded: !isUsed && same.some((one) => one.isUnneeded) };
  });
}

function namedIn(engine: Engine, input: ModuleInput, kernel: TargetKernel): NamedRule[] {
  const facts = factsOf(engine, input, kernel);
  if (facts === undefined) return [];
  const looking = engine.rules.filter((rule) => inRange(facts.kernel, rule.kernels));
  const findings = looking.flatMap((rule) => rule.check({ facts, kernel: facts.kernel }));
  const known = new Set(engine.rules.map(({ id }) => id));
  const looked = new Set(looking.map(({ id }) => id));
  return namedRules(findings, { facts, known, looked, kernel: formatVersion(facts.kernel) });
}

/** The facts of the module, by the first of its sources that speaks of VFIO. */
function factsOf(
  engine: Engine,
  input: ModuleInput,
  kernel: TargetKernel,
): ModuleFacts | undefined {
  for (const { path } of input.sources) {
    const facts = engine.facts({ ...input, file: path }, kernel);
    if (facts !== undefined) return facts;
  }
  return undefined;
}

/**
 * Takes names out of a comment's list, with the commas that set them off; the comment where none is
 * left.
 */
function removalOf({ text, span, rules }: Comment, gone: readonly string[]): Edit {
  const left = rules.filter(({ id }) => !gone.includes(id));
  if (left.length === 0) return { span: withItsLine(text, span), newText: '' };
  const list = { start: rules[0]!.span.start, end: rules.at(-1)!.span.end };
  return { span: list, newText: left.map(({ id }) => id).join(', ') };
}
