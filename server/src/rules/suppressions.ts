/**
 * Suppression comments: `vfio-lifecycle: allow(rule, …): reason` in a comment on a line of the
 * finding, on the line before it, or
 * directly before the function it is in. The reason is part of the form: without one nothing is
 * suppressed, so that a later
 * reader always learns why. What is wrong with a comment is a finding of its own.
 */
import type { FileIr } from '../ir/types.ts';
import { isExcluded, macrosOf } from '../lifecycle/conditions.ts';
import type { ModuleFacts } from '../lifecycle/types.ts';
import type { Span } from '../text/span.ts';
import { nextLine } from './fixes/text.ts';
import { conditionsOfSite, contains, documentsOf } from './locate.ts';
import type { Finding, Fix, Rule } from './types.ts';
import { append } from '../text/lists.ts';
import { blanksBefore } from '../text/lexical.ts';
import { lineIndex, type LineIndex } from '../text/position.ts';

export const INVALID = 'invalid-suppression';
export const WITHOUT_REASON = 'suppression-without-reason';
export const UNUSED = 'unused-suppression';

/** What one comment allows, and where: offsets into its document. */
interface Suppression {
  readonly comment: Span;
  /** The rules that it names, and where it does; none when it is not of the form. */
  readonly rules: readonly { readonly id: string; readonly span: Span }[];
  readonly hasReason: boolean;
  readonly covers: readonly Span[];
}

/** What the suppressions need to know of the run whose findings they are for. */
export interface RulesRun {
  readonly facts: ModuleFacts;
  /** All rules that there are. */
  readonly known: ReadonlySet<string>;
  /**
   * Those that looked for something: not one that is switched off, or that is for other kernels.
   */
  readonly looked: ReadonlySet<string>;
  readonly kernel: string;
}

/** The findings that no comment allows, and those about the comments themselves. */
export function withoutSuppressed(findings: readonly Finding[], run: RulesRun): Finding[] {
  const kept: Finding[] = [];
  const rest = new Map<string, Finding[]>();
  const written = new Map(
    documentsOf(run.facts.module).flatMap((file) =>
      suppressionsOf(file).length > 0 ? [[file.path, file] as const] : [],
    ),
  );
  for (const finding of findings) {
    if (!written.has(finding.site.path)) kept.push(finding);
    else
      (rest.get(finding.site.path) ?? rest.set(finding.site.path, []).get(finding.site.path)!).push(
        finding,
      );
  }
  for (const [path, file] of written) append(kept, inDocument(file, rest.get(path) ?? [], run));
  return kept;
}

/** A rule that a suppression comment names, and what the run made of it. */
export interface NamedRule {
  readonly id: string;
  readonly file: FileIr;
  /** The whole comment, and where it names the rule. */
  readonly comment: Span;
  readonly span: Span;
  /** It allows a finding. */
  readonly isUsed: boolean;
  /** It is reported as not needed. */
  readonly isUnneeded: boolean;
}

/**
 * The rules that the comments of a module name. `findings` are all that the rules made, allowed or
 * not.
 */
export function namedRules(findings: readonly Finding[], run: RulesRun): NamedRule[] {
  return documentsOf(run.facts.module).flatMap((file) => {
    const suppressions = suppressionsOf(file);
    const used = new Set<Span>();
    for (const finding of findings)
      if (finding.site.path === file.path) allows(suppressions, finding, used);
    return suppressions.flatMap((one) => {
      const unneeded =
        one.hasReason && !one.rules.some(({ id }) => id === UNUSED) && isJudged(file, one, run)
          ? unneededIn(one, used, run)
          : [];
      return one.rules.map((rule): NamedRule => ({
        ...rule,
        file,
        comment: one.comment,
        isUsed: used.has(rule.span),
        isUnneeded: unneeded.includes(rule),
      }));
    });
  });
}

/**
 * Whether a comment allows a finding of its document; where it names the rule is noted in `used`.
 */
function allows(suppressions: readonly Suppression[], finding: Finding, used: Set<Span>): boolean {
  let allowed = false;
  for (const { rules, covers } of byRule(suppressions).get(finding.rule) ?? []) {
    const named = rules.filter((one) => one.id === finding.rule);
    if (!covers.some((span) => finding.site.start <= span.end && span.start <= finding.site.end))
      continue;
    for (const { span } of named) used.add(span);
    allowed = true;
  }
  return allowed;
}

const indexes = new WeakMap<readonly Suppression[], ReadonlyMap<string, readonly Suppression[]>>();

/** The suppressions that count, by the rules that they name. */
function byRule(suppressions: readonly Suppression[]): ReadonlyMap<string, readonly Suppression[]> {
  const before = indexes.get(suppressions);
  if (before) return before;
  const index = new Map<string, Suppression[]>();
  for (const one of suppressions) {
    for (const id of one.hasReason ? new Set(one.rules.map((rule) => rule.id)) : []) {
      const list = index.get(id);
      if (list) list.push(one);
      else index.set(id, [one]);
    }
  }
  indexes.set(suppressions, index);
  return index;
}

function inDocument(file: FileIr, findings: readonly Finding[], run: RulesRun): Finding[] {
  const suppressions = suppressionsOf(file);
  const used = new Set<Span>();
  const isLeft = (finding: Finding): boolean => !allows(suppressions, finding, used);
  const kept = findings.filter(isLeft);
  // A comment may allow what is said of comments: one that is needed for another kernel is unused
  // for this one.
  return [
    ...kept,
    ...suppressions.flatMap((one) => problemsOf(file, one, used, run)).filter(isLeft),
  ];
}

/** Whether the kernel is given the code that a comment is in and speaks of. */
function isCompiled(file: FileIr, { comment, covers }: Suppression, { facts }: RulesRun): boolean {
  const macros = macrosOf(facts.module, facts.kernel);
  const isLeftOut = (at: number): boolean =>
    isExcluded(
      conditionsOfSite(facts.module, { path: file.path, start: at, end: at + 1 }),
      facts.kernel,
      macros,
    );
  // Conditions are those of code: a comment outside of functions has them of the code that it
  // speaks of.
  return (
    !isLeftOut(comment.start) && !covers.some((span) => isLeftOut(afterBlanks(file, span.start)))
  );
}

/** Whether what a comment speaks of was analysed: else nobody knows what it would hide. */
function isAnalysed(file: FileIr, { covers }: Suppression, { facts }: RulesRun): boolean {
  const given = new Set(
    facts.notAnalysed.filter((one) => one.path === file.path).map((one) => one.function),
  );
  return (
    !given.has('') &&
    !file.functions.some(
      (fn) =>
        given.has(fn.name) && covers.some((span) => span.start < fn.end && fn.start < span.end),
    )
  );
}

function isJudged(file: FileIr, one: Suppression, run: RulesRun): boolean {
  return isCompiled(file, one, run) && isAnalysed(file, one, run);
}

function unneededIn(
  { rules }: Suppression,
  used: ReadonlySet<Span>,
  run: RulesRun,
): Suppression['rules'] {
  return rules.filter((one) => !used.has(one.span) && run.looked.has(one.id) && one.id !== UNUSED);
}

function problemsOf(
  file: FileIr,
  suppression: Suppression,
  used: ReadonlySet<Span>,
  run: RulesRun,
): Finding[] {
  const { comment, rules, hasReason } = suppression;
  if (!isCompiled(file, suppression, run)) return [];
  const functionName = file.functions.find((fn) => contains(fn, comment))?.name ?? null;
  const report = (
    rule: Rule['id'],
    severity: Finding['severity'],
    span: Span,
    message: string,
    fix: Fix | null = null,
  ): Finding[] =>
    run.looked.has(rule)
      ? [
          {
            rule,
            severity,
            message,
            site: { path: file.path, start: span.start, end: span.end },
            functionName,
            related: [],
            fix,
            ...(rule === UNUSED && { tags: ['unnecessary'] as const }),
          },
        ]
      : [];
  if (rules.length === 0)
    return report(
      INVALID,
      'warning',
      comment,
      'this comment suppresses nothing: it is not of the form `vfio-lifecycle: allow(rule): reason`',
    );
  const unknown = rules.filter((one) => !run.known.has(one.id));
  const invalid = unknown.flatMap(({ id, span }) =>
    report(INVALID, 'warning', span, `there is no rule ${JSON.stringify(id)}`),
  );
  if (!hasReason)
    return [
      ...invalid,
      ...report(
        WITHOUT_REASON,
        'warning',
        comment,
        'this comment suppresses nothing, because it gives no reason; say why the finding is to be ignored: `allow(…): reason`',
      ),
    ];
  if (!isAnalysed(file, suppression, run)) return invalid;
  const unused = unneededIn(suppression, used, run);
  if (unused.length === 0) return invalid;
  const reports = (list: string): string =>
    `${list} ${unused.length === 1 ? 'reports' : 'report'} nothing here for Linux ${run.kernel}`;
  const whole = unused.length === rules.length;
  return [
    ...invalid,
    ...(whole
      ? report(
          UNUSED,
          'hint',
          comment,
          `${reports(unused.map((one) => one.id).join(' and '))}: the comment is not needed`,
          removal(file, comment),
        )
      : unused.flatMap(({ id, span }) =>
          report(
            UNUSED,
            'hint',
            span,
            `${id} reports nothing here for Linux ${run.kernel}: it need not be named`,
          ),
        )),
  ];
}

/**
 * Takes a comment out, with its line when nothing else is in it. Another target kernel may need it:
 * a person has to look.
 */
function removal({ path, text }: FileIr, comment: Span): Fix {
  return {
    title: 'Remove the comment',
    safety: 'unsafe',
    edits: [{ path, edits: [{ span: withItsLine(text, comment), newText: '' }] }],
  };
}

/** A comment with its line when nothing else is in it, else with the blanks in front of it. */
export function withItsLine(text: string, { start, end }: Span): Span {
  const before = blanksBefore(text, start);
  return { start: before, end: isAlone(text, { start, end }) ? nextLine(text, end) : end };
}

const FORM = /vfio-lifecycle:\s*allow\(\s*([\w-]+(?:\s*,\s*[\w-]+)*)\s*\)(?:\s*:\s*((?!\*\/)\S))?/d;
/** A comment that begins like a suppression is meant to be one. */
const MEANT = /^\/[/*]+\s*vfio-lifecycle:/;

const known = new WeakMap<FileIr, readonly Suppression[]>();

/** The suppression comments of a document, in its order. */
function suppressionsOf(file: FileIr): readonly Suppression[] {
  let list = known.get(file);
  if (!list)
    known.set(
      file,
      (list = file.comments.flatMap((comment) => {
        if (!comment.text.includes('vfio-lifecycle:')) return [];
        const form = FORM.exec(comment.text);
        if (!form && !MEANT.test(comment.text)) return [];
        const [from, to] = form?.indices?.[1] ?? [0, 0];
        const rules = [...comment.text.slice(from, to).matchAll(/[\w-]+/g)].map((match) => {
          const start = comment.start + from + match.index;
          return { id: match[0], span: { start, end: start + match[0].length } };
        });
        return [
          {
            comment: { start: comment.start, end: comment.end },
            rules,
            hasReason: form?.[2] !== undefined,
            covers: coveredBy(file, comment),
          },
        ];
      })),
    );
  return list;
}

function coveredBy(file: FileIr, comment: Span): Span[] {
  const { lines, functions } = layoutOf(file);
  const line = lines.position(comment.end).line;
  let end = endOfLine(file, line);
  // A comment after code speaks of that code; one that stands alone speaks of the line that
  // follows, over other comments.
  if (isAlone(file.text, comment)) end = endOfRun(file, line + 1, end);
  const covers: Span[] = [{ start: lines.lineStart(lines.position(comment.start).line), end }];
  const fn = functions.get(afterBlanks(file, endOfLine(file, line)));
  if (fn) covers.push({ start: fn.start, end: fn.end });
  return covers;
}

/**
 * The end of the first line from `first` on that is no comment alone; `before` where there is none.
 */
function endOfRun(file: FileIr, first: number, before: number): number {
  const { lines, alone, runs } = layoutOf(file);
  const passed: number[] = [];
  let end = before;
  for (let line = first; line < lines.lineCount && lines.lineStart(line) < file.text.length;) {
    const known = runs.get(line);
    if (known !== undefined) {
      end = known;
      break;
    }
    passed.push(line);
    const comment = alone.get(line);
    const last = comment === undefined ? line : lines.position(comment.end).line;
    end = endOfLine(file, last);
    if (comment === undefined) break;
    line = last + 1;
  }
  for (const line of passed) runs.set(line, end);
  return end;
}

/**
 * The offset of the first thing after `from` that is neither blank nor a comment: kernel-doc may
 * stand between.
 */
function afterBlanks(file: FileIr, from: number): number {
  const { comments, behind } = layoutOf(file);
  const passed: number[] = [];
  let at = afterSpaces(file.text, from);
  for (;;) {
    const known = behind.get(at);
    const end = comments.get(at)?.end ?? at;
    if (known !== undefined) at = known;
    if (known !== undefined || end <= at) break;
    passed.push(at);
    at = afterSpaces(file.text, end);
  }
  for (const one of passed) behind.set(one, at);
  return at;
}

function afterSpaces(text: string, from: number): number {
  let at = from;
  while (at < text.length && /\s/.test(text[at]!)) at++;
  return at;
}

/**
 * Where the comments of a document stand. What a walk over many of them found is kept, so that a
 * row of comments is walked once.
 */
interface Layout {
  readonly lines: LineIndex;
  /** By the offset where each starts. */
  readonly comments: ReadonlyMap<number, Span>;
  /** Those that have their lines to themselves, by the first of them. */
  readonly alone: ReadonlyMap<number, Span>;
  readonly functions: ReadonlyMap<number, Span>;
  /** By line: endOfRun() of it. */
  readonly runs: Map<number, number>;
  /** By the start of a comment: afterBlanks() of it. */
  readonly behind: Map<number, number>;
}

const layouts = new WeakMap<FileIr, Layout>();

function layoutOf(file: FileIr): Layout {
  let layout = layouts.get(file);
  if (!layout) {
    const lines = lineIndex(file.text);
    const alone = file.comments
      .filter((one) => isAlone(file.text, one))
      .map((one) => [lines.position(one.start).line, one] as const);
    layout = {
      lines,
      comments: new Map(file.comments.map((one) => [one.start, one])),
      // Of two in one line neither is alone, but for the case that only blanks stand between: the
      // first counts.
      alone: new Map(alone.reverse()),
      functions: new Map(file.functions.map((one) => [one.start, one] as const).reverse()),
      runs: new Map(),
      behind: new Map(),
    };
    layouts.set(file, layout);
  }
  return layout;
}

/** Whether only blanks stand beside a comment in its lines. */
function isAlone(text: string, { start, end }: Span): boolean {
  const first = blanksBefore(text, start);
  let at = end;
  while (text[at] === ' ' || text[at] === '\t' || text[at] === '\r') at++;
  return (first === 0 || text[first - 1] === '\n') && (at === text.length || text[at] === '\n');
}

/** The offset of a line's terminator. */
function endOfLine(file: FileIr, line: number): number {
  const { lines } = layoutOf(file);
  return lines.offset({ line, character: Infinity });
}
