/**
 * Applies the fixes of findings until nothing is left to fix, and keeps only those that are proved.
 */
import { callNamesIn } from './call-names.ts';
import { ruleById } from '../rules/index.ts';
import type { Finding } from '../rules/types.ts';
import { composeEdits } from '../text/edits.ts';
import type { Edit, FileEdits } from '../text/span.ts';
import type { Engine } from './analyse.ts';
import { answered } from './answers.ts';
import { proofOf } from './fix-proof.ts';
import { allFindings, countFindings, keyOf, parsesAsWell, withEdits } from './prove.ts';
import type { Configuration, ModuleInput, TargetKernel } from './types.ts';
import { append } from '../text/lists.ts';

/** A fix that its rule calls safe and that was not applied. */
export interface SkippedFix {
  /**
   * The finding as it was when the fix was left out: its site is a place in the text of that round.
   */
  readonly finding: Finding;
  /** What a person has to look at. */
  readonly doubt: string;
}

export interface FixResult {
  /**
   * Edits of the texts in the given module, composed over all rounds; each document at most once.
   */
  readonly edits: readonly FileEdits[];
  readonly fixed: readonly Finding[];
  /** In the order of the findings that are left. */
  readonly skipped: readonly SkippedFix[];
}

export interface FixOptions {
  /** Take the unsafe fixes too. */
  readonly unsafe: boolean;
  /** Only the findings of this rule. */
  readonly rule?: string | undefined;
}

/** A fix may uncover the next defect; more rounds than this are a fix that feeds itself. */
const MAX_ROUNDS = 12;

/**
 * Fixes what `input.file` shows. A fix is applied when it is proved alone, an unsafe one, where it
 * is asked for, by the same proof with its doubts
 * accepted, and when all of one round together bring no finding. Fixes that are in each other's way
 * wait for the next round, and so does the
 * fix of a caller while a function that it calls is fixed. Never throws.
 */
export function fixAll(
  engine: Engine,
  input: ModuleInput,
  config: Configuration,
  kernel: TargetKernel,
  options: FixOptions,
): FixResult {
  // A store of its own: the texts on the way are nobody's documents.
  const scratch = engine.sibling();
  try {
    const edits = new Map<string, readonly Edit[]>();
    const fixed: Finding[] = [];
    const rejected = new Map<string, string>();
    let current = input;

    const attempt = (chosen: readonly Finding[]): boolean => {
      const files = chosen.flatMap((finding) => finding.fix!.edits);
      const next = withEdits(current, files);
      if (!next || !isBetter(scratch, current, next, chosen, config, kernel)) return false;
      for (const { path } of files) if (!edits.has(path)) edits.set(path, []);
      for (const path of edits.keys()) {
        const own = files.filter((one) => one.path === path).flatMap((one) => one.edits);
        edits.set(path, composeEdits(edits.get(path)!, own));
      }
      append(fixed, chosen);
      current = next;
      return true;
    };
    const isWanted = (finding: Finding): boolean => {
      if (finding.fix === null || rejected.has(attemptKey(finding))) return false;
      if (options.rule !== undefined && finding.rule !== options.rule) return false;
      const isOffered = finding.fix.safety === 'safe' && finding.severity !== 'hint';
      if (!options.unsafe && !isOffered) return false;
      if (isExcused(finding)) return false;
      const { doubt, isWrong } = proofOf(scratch, current, config, kernel, finding);
      return options.unsafe ? !isWrong : doubt === null;
    };

    const fixRound = (): boolean => {
      const found = scratch.analyse(current, config, kernel).findings;
      const chosen = withoutCallers(
        current,
        scratch,
        withoutConflicts(current, found.filter(isWanted)),
      );
      if (chosen.length === 0) return false;
      if (attempt(chosen)) return true;
      // One of them spoils the rest: find out which, one at a time. Offsets hold only until the
      // first that is kept.
      const kept =
        chosen.length > 1 &&
        chosen.some((finding) => {
          if (attempt([finding])) return true;
          rejected.set(attemptKey(finding), TOGETHER);
          return false;
        });
      if (!kept) for (const finding of chosen) rejected.set(attemptKey(finding), TOGETHER);
      return true;
    };
    // What was fixed by then is fixed where the rest is too much work.
    answered(() => {
      for (let round = 0; round < MAX_ROUNDS && fixRound(); round++);
    }, undefined);
    const skipped = scratch
      .analyse(current, config, kernel)
      .findings.flatMap((finding): SkippedFix[] => {
        if (finding.fix?.safety !== 'safe' || finding.severity === 'hint') return [];
        const doubt =
          rejected.get(attemptKey(finding)) ??
          proofOf(scratch, current, config, kernel, finding).doubt;
        return [{ finding, doubt: doubt ?? TOGETHER }];
      });
    const files = [...edits]
      .map(([path, own]) => ({ path, edits: own }))
      .filter((one) => one.edits.length > 0);
    return { edits: files, fixed, skipped };
  } finally {
    scratch.dispose();
  }
}

/**
 * Code that is not seen does what is missing, as its name or its type suggests. To fix that is for a
 * person, who looks at the one place: in bulk it would put and free a second time.
 */
function isExcused({ rule, severity }: Finding): boolean {
  return severity === 'hint' && (ruleById(rule)?.severity ?? 'hint') !== 'hint';
}

const TOGETHER = 'check the function: the fix does not take the problem away, or brings another';

/** In the order of the findings, those whose edits do not touch the edits of one before. */
function withoutConflicts(input: ModuleInput, findings: readonly Finding[]): Finding[] {
  const chosen: Finding[] = [];
  const edits: FileEdits[] = [];
  for (const finding of findings) {
    if (!withEdits(input, [...edits, ...finding.fix!.edits])) continue;
    append(edits, finding.fix!.edits);
    chosen.push(finding);
  }
  return chosen;
}

/**
 * Without the findings in functions that call another function of the list: what the helper's fix
 * changes may be what is wrong in its caller.
 */
function withoutCallers(
  input: ModuleInput,
  engine: Engine,
  findings: readonly Finding[],
): Finding[] {
  const names = new Set(findings.flatMap(({ functionName }) => functionName ?? []));
  if (names.size < 2) return [...findings];
  const module = engine.module(input);
  if (module === undefined) return [...findings];
  const calledBy = callNamesIn(module);
  const waits = ({ functionName: name }: Finding): boolean =>
    name !== null &&
    [...calledBy(name)].some((one) => one !== name && names.has(one) && !calledBy(one).has(name));
  const left = findings.filter((finding) => !waits(finding));
  return left.length > 0 ? left : [...findings];
}

function isBetter(
  engine: Engine,
  before: ModuleInput,
  after: ModuleInput,
  fixed: readonly Finding[],
  config: Configuration,
  kernel: TargetKernel,
): boolean {
  const old = countFindings(allFindings(engine, before, config, kernel));
  const now = countFindings(allFindings(engine, after, config, kernel));
  for (const [key, count] of now) if (count > (old.get(key) ?? 0)) return false;
  for (const [key, count] of countFindings(fixed))
    if ((now.get(key) ?? 0) > (old.get(key) ?? 0) - count) return false;
  return parsesAsWell(engine, before, after);
}

/** The same fix for the same thing, wherever its lines have moved meanwhile. */
function attemptKey(finding: Finding): string {
  return `${keyOf(finding)}\n${finding.message}\n${finding.fix!.edits.flatMap((one) => one.edits.map((edit) => edit.newText)).join('\n')}`;
}
