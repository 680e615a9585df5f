/**
 * Suppression comments: `vfio-lifecycle: allow(rule, …): reason` in a comment on a line of the
 * finding, on the line before it, or
 * directly before the function it is in. The reason is part of the form: without one nothing is
 * suppressed, so that a later
 * reader always learns why. What is wrong with a comment is a finding of its own.
 */
import { conditionsInText } from '../ir/text-conditions.ts';
import type { CommentIr, FileIr } from '../ir/types.ts';
import { isExcluded, macrosOf } from '../lifecycle/module/preprocessor.ts';
import type { ModuleFacts } from '../lifecycle/types.ts';
import type { Span } from '../text/span.ts';
import { nextLine } from './fixes/text.ts';
import { contains, documentsOf } from './locate.ts';
import { isUnfinished, suppressionForms } from './suppression-form.ts';
import type { Finding, Fix, Rule } from './types.ts';
import { append } from '../text/lists.ts';
import { blanksBefore, COMMENT_OR_STRING } from '../text/lexical.ts';
import { nearWords } from '../text/near-words.ts';
import { lineIndex, type LineIndex } from '../text/position.ts';
import { listedShortly, say } from './wording.ts';
import { fitMessage } from './fit-message.ts';

export const INVALID = 'invalid-suppression';
export const WITHOUT_REASON = 'suppression-without-reason';
export const UNUSED = 'unused-suppression';

/** What the rules of those names say; the parts in braces are filled in. */
export const SUPPRESSION_MESSAGES = {
  invalid: {
    form: 'this comment suppresses nothing; write `vfio-lifecycle: allow(rule): reason`',
    advised: 'this comment suppresses nothing; {advice}',
    noRule: 'there is no rule {id}',
    otherRule: 'there is no rule {id}; did you mean {near}?',
  },
  withoutReason: {
    noReason: 'this comment suppresses nothing without a reason; write `allow(…): reason`',
  },
  unused: {
    comment: '{rules} {report} nothing here for Linux {kernel}; delete the comment',
    part: '{rules} {report} nothing here for Linux {kernel}; delete this part',
    name: '{rules} {report} nothing here for Linux {kernel}; take it out of the list',
  },
} as const;

/** What one comment allows, and where: offsets into its document. */
interface Suppression {
  readonly comment: Span;
  /** Where it stands in the comment: the whole of it, unless that has several. */
  readonly site: Span;
  /** The rules that it names, and where it does; none when it is not of the form. */
  readonly rules: readonly { readonly id: string; readonly span: Span }[];
  readonly hasReason: boolean;
  /** See SuppressionForm.advice. */
  readonly advice: string | undefined;
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
      suppressionsOf(file, run).length > 0 ? [[file.path, file] as const] : [],
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
    const suppressions = compiledIn(file, run);
    const used = new Set<Span>();
    for (const finding of findings)
      if (finding.site.path === file.path) allows(suppressions, finding, used);
    return suppressions.flatMap((one) => {
      const unneeded =
        one.hasReason &&
        one.site === one.comment &&
        !one.rules.some(({ id }) => id === UNUSED) &&
        isJudged(file, one, run)
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
  const suppressions = compiledIn(file, run);
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

/** The suppressions that the kernel is given: not those in an arm of `#if` that is left out. */
function compiledIn(file: FileIr, run: RulesRun): readonly Suppression[] {
  const all = suppressionsOf(file, run);
  const kept = all.filter(({ comment }) => !isLeftOut(file, comment.start, run));
  return kept.length === all.length ? all : kept;
}

function isLeftOut(file: FileIr, at: number, { facts }: RulesRun): boolean {
  const conditions = conditionsInText(file, at);
  return (
    conditions.length > 0 &&
    isExcluded(conditions, facts.kernel, macrosOf(facts.module, facts.kernel))
  );
}

/** Whether the kernel is given the code that a comment speaks of. */
function isCompiled(file: FileIr, { covers }: Suppression, run: RulesRun): boolean {
  return !covers.some((span) => isLeftOut(file, afterBlanks(file, span.start), run));
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
  const { comment, site, rules, hasReason, advice } = suppression;
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
          fitMessage({
            rule,
            severity,
            message,
            site: { path: file.path, start: span.start, end: span.end },
            functionName,
            related: [],
            fix,
            ...(rule === UNUSED && { tags: ['unnecessary'] as const }),
          }),
        ]
      : [];
  if (rules.length === 0)
    return report(
      INVALID,
      'warning',
      site,
      advice === undefined
        ? SUPPRESSION_MESSAGES.invalid.form
        : say(SUPPRESSION_MESSAGES.invalid.advised, { advice }),
    );
  const unknown = rules.filter((one) => !run.known.has(one.id));
  const invalid = unknown.flatMap(({ id, span }) =>
    report(INVALID, 'warning', span, noRuleMessage(id, run)),
  );
  if (!hasReason)
    return [
      ...invalid,
      ...report(WITHOUT_REASON, 'warning', site, SUPPRESSION_MESSAGES.withoutReason.noReason),
    ];
  if (!isAnalysed(file, suppression, run)) return invalid;
  const unused = unneededIn(suppression, used, run);
  if (unused.length === 0) return invalid;
  const whole = unused.length === rules.length;
  const { comment: alone, part, name } = SUPPRESSION_MESSAGES.unused;
  return [
    ...invalid,
    ...(whole
      ? report(
          UNUSED,
          'hint',
          site,
          unusedMessage(site === comment ? alone : part, unused, run),
          site === comment ? removal(file, comment) : null,
        )
      : unused.flatMap((one) => report(UNUSED, 'hint', one.span, unusedMessage(name, [one], run)))),
  ];
}

function unusedMessage(
  template: (typeof SUPPRESSION_MESSAGES.unused)[keyof typeof SUPPRESSION_MESSAGES.unused],
  unused: Suppression['rules'],
  { kernel }: RulesRun,
): string {
  const ids = listedShortly(unused.map((one) => one.id));
  return say(template, { rules: ids, report: unused.length === 1 ? 'reports' : 'report', kernel });
}

function noRuleMessage(id: string, { known: rules }: RulesRun): string {
  const [near] = nearWords(id, [...rules], 3);
  const name = JSON.stringify(id);
  return near === undefined
    ? say(SUPPRESSION_MESSAGES.invalid.noRule, { id: name })
    : say(SUPPRESSION_MESSAGES.invalid.otherRule, { id: name, near });
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

const known = new WeakMap<FileIr, readonly Suppression[]>();

/** The suppression comments of a document, in its order. */
function suppressionsOf(file: FileIr, run: RulesRun): readonly Suppression[] {
  let list = known.get(file);
  if (!list) {
    list = saysNothing(file, run.known)
      ? NO_SUPPRESSIONS
      : wholeComments(file).flatMap((comment) => inComment(file, comment, run.known));
    known.set(file, list);
  }
  return list;
}

function inComment(
  file: FileIr,
  comment: CommentIr,
  rules: ReadonlySet<string>,
): readonly Suppression[] {
  const forms = suppressionForms(comment.text, (name) => rules.has(name));
  if (forms.length === 0) return NO_SUPPRESSIONS;
  const moved = ({ start, end }: Span): Span => ({
    start: comment.start + start,
    end: comment.start + end,
  });
  const covers = coveredBy(file, comment);
  return forms.map(({ rules, hasReason, advice, ...form }) => ({
    comment,
    site: forms.length === 1 ? comment : moved(form),
    rules: rules.map(({ id, span }) => ({ id, span: moved(span) })),
    hasReason,
    advice,
    covers,
  }));
}

const NO_SUPPRESSIONS: readonly Suppression[] = [];

/** The comments of the last documents in which none says anything of rules, by their paths. */
const silent = new WeakMap<ReadonlySet<string>, Map<string, readonly CommentIr[]>>();
const MAX_SILENT = 200;

/**
 * Whether no comment of a document says anything of rules: where none of its last version did, only
 * those are read that this had not.
 */
function saysNothing({ path, comments }: FileIr, rules: ReadonlySet<string>): boolean {
  let byPath = silent.get(rules);
  if (!byPath) silent.set(rules, (byPath = new Map()));
  const before = byPath.get(path) ?? [];
  const isSame = (at: number, other: number): boolean => comments[at]?.text === before[other]?.text;
  const shorter = Math.min(comments.length, before.length);
  let from = 0;
  while (from < shorter && isSame(from, from)) from++;
  let to = 0;
  while (to < shorter - from && isSame(comments.length - 1 - to, before.length - 1 - to)) to++;
  const fresh = comments.slice(from, comments.length - to);
  const isSilent = fresh.every(
    ({ text }) =>
      !isUnfinished(text) && suppressionForms(text, (name) => rules.has(name)).length === 0,
  );
  if (byPath.size >= MAX_SILENT) byPath.clear();
  if (isSilent) byPath.set(path, comments);
  else byPath.delete(path);
  return isSilent;
}

/** Lines of one suppression: nobody writes longer ones. */
const MAX_LINES = 20;

/**
 * The comments of a document; line comments below each other are one where a list or a reason goes
 * on in the next line.
 */
function wholeComments(file: FileIr): readonly CommentIr[] {
  const { comments, text } = file;
  const whole: CommentIr[] = [];
  for (let i = 0; i < comments.length; i++) {
    const first = comments[i]!;
    let last = i;
    while (
      last - i < MAX_LINES &&
      isLineComment(first) &&
      isUnfinished(text.slice(first.start, comments[last]!.end)) &&
      continues(text, comments[last]!, comments[last + 1])
    )
      last++;
    const { start } = first,
      { end } = comments[last]!;
    whole.push(last === i ? first : { start, end, text: text.slice(start, end) });
    i = last;
  }
  return whole;
}

function isLineComment({ text }: CommentIr): boolean {
  return text.startsWith('//');
}

/** Whether a line comment stands alone in the line below another. */
function continues(text: string, before: Span, next: CommentIr | undefined): boolean {
  return (
    next !== undefined &&
    isLineComment(next) &&
    /^\r?\n[ \t]*$/.test(text.slice(before.end, next.start))
  );
}

function coveredBy(file: FileIr, comment: Span): Span[] {
  const { lines } = layoutOf(file);
  const line = lines.position(comment.end).line;
  let end = endOfLine(file, line);
  // A comment after code speaks of that code; one that stands alone speaks of the line that
  // follows, over other comments.
  if (isAlone(file.text, comment)) end = endOfRun(file, line + 1, end);
  const covers: Span[] = [{ start: lines.lineStart(lines.position(comment.start).line), end }];
  const fn = functionAt(file, afterBlanks(file, endOfLine(file, line)));
  if (fn) covers.push({ start: fn.start, end: fn.end });
  return covers;
}

/** Characters between a comment and a function: attributes are shorter. */
const MAX_ATTRIBUTES = 1_000;

/** The function that begins at an offset, or behind attributes and what decides about it there. */
function functionAt({ functions, text }: FileIr, at: number): Span | undefined {
  const fn = functions[firstIndex(functions, (one) => one.start >= at)];
  if (fn === undefined || fn.start - at > MAX_ATTRIBUTES) return undefined;
  const between = text.slice(at, fn.start).replace(COMMENT_OR_STRING, '');
  return /[;{}=#]/.test(between.replace(CONDITIONALS, '')) ? undefined : fn;
}

/** The index of the first item of a sorted list for which a test holds, which does for the rest. */
function firstIndex<T>(list: readonly T[], holds: (item: T) => boolean): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(list[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** A directive that decides whether what follows is compiled, or says how, with its whole line. */
const CONDITIONAL = /#[ \t]*(?:if|ifdef|ifndef|endif|pragma)\b(?:[^\\\n]|\\[^])*/y;
const CONDITIONALS = new RegExp(CONDITIONAL, 'g');

/** The offset behind such a directive at `at`; `at` itself where there is none. */
function afterDirective(text: string, at: number): number {
  CONDITIONAL.lastIndex = at;
  return CONDITIONAL.test(text) ? CONDITIONAL.lastIndex : at;
}

/**
 * The end of the first line from `first` on that is neither a comment alone nor such a directive;
 * `before` where there is none.
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
    const start = afterIndent(file.text, lines.lineStart(line));
    const passedTo = comment?.end ?? afterDirective(file.text, start);
    const last = passedTo === start ? line : lines.position(passedTo).line;
    end = endOfLine(file, last);
    if (passedTo === start) break;
    line = last + 1;
  }
  for (const line of passed) runs.set(line, end);
  return end;
}

function afterIndent(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t') at++;
  return at;
}

/**
 * The offset of the first thing after `from` that is neither blank, a comment nor a directive that
 * decides about what follows: kernel-doc may stand between.
 */
function afterBlanks(file: FileIr, from: number): number {
  const { comments, behind } = layoutOf(file);
  const passed: number[] = [];
  let at = afterSpaces(file.text, from);
  for (;;) {
    const known = behind.get(at);
    const end = comments.get(at)?.end ?? afterDirective(file.text, at);
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
