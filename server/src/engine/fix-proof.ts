/**
 * The one proof that all hosts ask before they call a fix safe: it takes its finding away, brings
 * no other of any level, and changes on
 * no path anything but what the defect is about. What cannot be shown is unsafe, with what a person
 * has to look at.
 */
import { isExcluded, macrosOf, undecided } from '../lifecycle/module/preprocessor.ts';
import type { ModuleFacts, Site } from '../lifecycle/types.ts';
import { isConfiguration } from '../rules/availability.ts';
import { conditionsOfSite } from '../rules/locate.ts';
import type { Finding, Fix } from '../rules/types.ts';
import type { Edit, FileEdits, Span } from '../text/span.ts';
import type { Engine } from './analyse.ts';
import { comparePaths } from './compare-paths.ts';
import { allFindings, notAnalysed, parsesAsWell, withEdits } from './prove.ts';
import { isBudgetSpent, spendAgain, withinBudget } from '../budget/work.ts';
import { ANSWER_BUDGET } from './answers.ts';
import { editAt, editPlaces } from './edit-places.ts';
import { outOfScope } from './fix-scope.ts';
import type { Configuration, ModuleInput, SourceDocument, TargetKernel } from './types.ts';

/** What the proof says of a fix. */
export interface Verdict {
  /** What a person has to look at, a clause as in `check that …`; null where the fix is safe. */
  readonly doubt: string | null;
  /** Nobody may apply it: its problem stays or another comes, or the result is no C. */
  readonly isWrong: boolean;
  /** The result is no C. */
  readonly isBroken?: boolean;
}

const SAFE: Verdict = { doubt: null, isWrong: false };

const BROKEN: Verdict = { doubt: 'check that the result is C', isWrong: true, isBroken: true };

const UNPROVED: Verdict = {
  doubt: 'check the whole function: no proof could be made',
  isWrong: true,
};

const NO_DEFECT = 'check that it is a defect';

/** The facts belong to one version of one module, and so does what was shown of its fixes. */
const known = new WeakMap<ModuleFacts, Map<string, Verdict>>();

/**
 * The finding as a host may show it: a fix that its rule calls safe and that is not proved is
 * unsafe, and its title says what to look at; one that leaves no C is none. Done when it is asked
 * for, once for each finding. Never throws.
 * @param finding a finding of `engine.analyse(input, …)` with the same settings and kernel.
 */
export function withProof(
  engine: Engine,
  input: ModuleInput,
  config: Configuration,
  kernel: TargetKernel,
  finding: Finding,
): Finding {
  if (finding.fix?.safety !== 'safe') return finding;
  if (finding.severity === 'hint') return { ...finding, fix: doubted(finding.fix, NO_DEFECT) };
  const { doubt, isBroken } = proofOf(engine, input, config, kernel, finding);
  if (isBroken === true) return { ...finding, fix: null };
  return doubt === null ? finding : { ...finding, fix: doubted(finding.fix, doubt) };
}

/**
 * Does the fix of a finding need no proof, or is it proved already? Then withProof() costs nothing.
 */
export function hasProof(
  engine: Engine,
  input: ModuleInput,
  kernel: TargetKernel,
  finding: Finding,
): boolean {
  if (finding.fix?.safety !== 'safe' || finding.severity === 'hint') return true;
  const facts = engine.facts(input, kernel);
  return facts !== undefined && known.get(facts)?.has(verdictKey(finding)) === true;
}

function verdictKey({ rule, severity, site, fix }: Finding): string {
  return JSON.stringify([rule, severity, site, fix!.edits]);
}

/**
 * The verdict on the fix of a finding, which has one, whatever its rule calls it: one that its rule
 * calls unsafe is not safe for leaving no
 * doubt here. Never throws: what fails is not shown.
 */
export function proofOf(
  engine: Engine,
  input: ModuleInput,
  config: Configuration,
  kernel: TargetKernel,
  finding: Finding,
): Verdict {
  const facts = engine.facts(input, kernel);
  if (facts === undefined) return UNPROVED;
  const verdicts = known.get(facts) ?? new Map<string, Verdict>();
  known.set(facts, verdicts);
  const key = verdictKey(finding);
  let verdict = verdicts.get(key);
  if (verdict === undefined) {
    const done = withinBudget(shareOf(engine, input, config, kernel), () => {
      try {
        return prove(engine, input, config, kernel, finding, facts);
      } catch (error) {
        if (isBudgetSpent(error)) throw error;
        return UNPROVED;
      }
    });
    spendAgain(done.spent);
    verdict = done.isSpent ? UNPROVED : done.value;
    verdicts.set(key, verdict);
  }
  return verdict;
}

/**
 * What one proof may cost: all that a file can ask for have one budget together, and the same share
 * each, so that none depends on which was asked before.
 */
function shareOf(
  engine: Engine,
  input: ModuleInput,
  config: Configuration,
  kernel: TargetKernel,
): number {
  const { findings } = engine.analyse(input, config, kernel);
  return Math.floor(ANSWER_BUDGET / Math.max(1, findings.filter((one) => one.fix !== null).length));
}

/** A title that says already what to look at keeps that. */
function doubted(fix: Fix, doubt: string): Fix {
  return {
    ...fix,
    safety: 'unsafe',
    title: / \((?:[^()]|\(\))*\)$/.test(fix.title) ? fix.title : `${fix.title} (${doubt})`,
  };
}

/**
 * The title as hosts show it. One that ends in a parenthesis, set off by a space from what is not a
 * call, says already what to look at.
 */
export function fixTitle({ title, safety }: Fix): string {
  if (safety === 'safe') return title;
  const [, what, check] = /^(.*) \(([^()]*(?:\(\)[^()]*)*)\)$/.exec(title) ?? [];
  return what === undefined ? `${title} (unsafe: review the result)` : `${what} (unsafe: ${check})`;
}

function prove(
  engine: Engine,
  input: ModuleInput,
  config: Configuration,
  kernel: TargetKernel,
  finding: Finding,
  facts: ModuleFacts,
): Verdict {
  const { edits } = finding.fix!;
  const after = withEdits(input, edits);
  if (after === undefined) return UNPROVED;
  const arm = openArm(facts, finding);
  const atOnce =
    arm === null ? null : `check the code under #if ${arm}: it may be for another kernel`;
  const prover = engine.prover();
  if (!parsesAsWell(prover, input, after)) return BROKEN;
  const before = allFindings(engine, input, config, kernel);
  const unseen = notAnalysed(prover, after, config, kernel).find(
    (one) => one.function === '' || one.function === finding.functionName,
  );
  if (unseen) return UNPROVED;
  const changed = changeOfFindings(
    before,
    allFindings(prover, after, config, kernel),
    finding,
    after.sources,
  );
  const fixed = prover.facts(after, kernel);
  if (fixed === undefined) return UNPROVED;
  if (namesNothing(fixed, edits)) return BROKEN;
  if (changed !== null) return wrong(atOnce ?? changed);
  const doubt =
    finding.severity === 'hint' ? NO_DEFECT : (atOnce ?? comparePaths(facts, fixed, edits));
  return doubt === null ? SAFE : { doubt, isWrong: false };
}

/** A fix writes a name where it is not declared. */
function namesNothing({ module }: ModuleFacts, edits: readonly FileEdits[]): boolean {
  return edits.some(({ path, edits: own }) =>
    [...module.sources, ...module.headers].some(
      (file) => file.path === path && outOfScope(file, editPlaces(own)) !== null,
    ),
  );
}

function wrong(doubt: string): Verdict {
  return { doubt, isWrong: true };
}

/**
 * The test of an #if around the finding or an edit that nobody here can decide; null when there is
 * none.
 */
function openArm(facts: ModuleFacts, { site, fix }: Finding): string | null {
  const macros = macrosOf(facts.module, facts.kernel);
  const places: Site[] = [
    site,
    ...fix!.edits.flatMap(({ path, edits }) => edits.map(({ span }) => ({ path, ...span }))),
  ];
  for (const place of places) {
    const conditions = conditionsOfSite(facts.module, place);
    if (isExcluded(conditions, facts.kernel, macros)) return conditions[0]!.test;
    const open = undecided(conditions, facts.kernel, macros).find(
      ({ test }) => !isConfiguration(test),
    );
    if (open !== undefined) return open.test;
  }
  return null;
}

/**
 * What is wrong with the findings after the fix: its own is there still, or one has come that was
 * not there. A finding is the same one
 * where its rule, function and severity are the same and its text or its place are.
 */
function changeOfFindings(
  before: readonly Finding[],
  after: readonly Finding[],
  fixed: Finding,
  sources: readonly SourceDocument[],
): string | null {
  const { edits } = fixed.fix!;
  const left = before.filter(
    (one) => !isSame(one, fixed, []) || one.site.start !== fixed.site.start,
  );
  for (const one of after) {
    const at = left.findIndex((other) => isSame(other, one, edits));
    if (at >= 0) {
      left.splice(at, 1);
      continue;
    }
    if (isSame(fixed, one, edits)) return stillFound(sources, one, edits);
    const place = one.functionName === null ? 'the result' : `${one.functionName}()`;
    return `check ${place}: ${one.rule} is found then`;
  }
  return null;
}

/** Where the problem of a fix is found when the fix is made. */
function stillFound(
  sources: readonly SourceDocument[],
  { site, functionName }: Finding,
  edits: readonly FileEdits[],
): string {
  const source = sources.find(({ path }) => path === site.path);
  const where = functionName === null ? 'the result' : `${functionName}()`;
  const own = edits.filter(({ path }) => path === site.path).flatMap((one) => one.edits);
  const isNew = editAt(editPlaces(own), site, 'after') >= 0;
  if (isNew) return `check ${where}: another path has the same problem in what this fix writes`;
  if (source === undefined) return `check ${where}: this fix alone does not cure it`;
  const word = wordAt(source.text, site.start);
  return `check the other paths of ${where} to \`${word}\`: this fix alone does not cure it there`;
}

/** What a person looks for in the text: the name, member or keyword at a place. */
function wordAt(text: string, start: number): string {
  return /^(?:\w+(?:(?:->|\.)\w+)*|.{1,20})/.exec(text.slice(start))?.[0] ?? '';
}

function isSame(before: Finding, after: Finding, edits: readonly FileEdits[]): boolean {
  if (
    before.rule !== after.rule ||
    before.severity !== after.severity ||
    before.functionName !== after.functionName ||
    before.site.path !== after.site.path
  )
    return false;
  return before.message === after.message || movedTo(before.site, edits) === after.site.start;
}

/** The offset at which a place begins once the edits are made. */
function movedTo(site: Site, edits: readonly FileEdits[]): number {
  const own = edits.filter(({ path }) => path === site.path).flatMap((one) => one.edits);
  return (
    site.start +
    own.filter(({ span }) => isBefore(span, site)).reduce((sum, edit) => sum + growth(edit), 0)
  );
}

function isBefore(span: Span, site: Site): boolean {
  return span.end <= site.start;
}

function growth({ span, newText }: Edit): number {
  return newText.length - (span.end - span.start);
}
