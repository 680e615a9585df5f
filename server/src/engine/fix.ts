/** Applies the fixes of findings until nothing is left to fix, and keeps only those that prove themselves. */
import type { Finding } from '../rules/types.ts';
import { composeEdits } from '../text/edits.ts';
import type { Edit, FileEdits } from '../text/span.ts';
import type { Engine } from './analyse.ts';
import { allFindings, countFindings, keyOf, parsesAsWell, withEdits } from './prove.ts';
import type { Configuration, ModuleInput, TargetKernel } from './types.ts';

export interface FixResult {
  /** Edits of the texts in the given module, composed over all rounds; each document at most once. */
  readonly edits: readonly FileEdits[];
  readonly fixed: readonly Finding[];
}

/** A fix may uncover the next defect; more rounds than this are a fix that feeds itself. */
const MAX_ROUNDS = 12;

/**
 * Fixes what `input.file` shows. A fix is kept only when its finding is gone afterwards, no other has come anywhere in the module,
 * and the text parses no worse. Fixes that are in each other's way wait for the next round. Never throws.
 */
export function fixAll(engine: Engine, input: ModuleInput, config: Configuration, kernel: TargetKernel, options: { readonly unsafe: boolean }): FixResult {
  // A store of its own: the texts on the way are nobody's documents.
  const scratch = engine.sibling();
  try {
    const edits = new Map<string, readonly Edit[]>();
    const fixed: Finding[] = [];
    const rejected = new Set<string>();
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
      fixed.push(...chosen);
      current = next;
      return true;
    };

    for (let round = 0; round < MAX_ROUNDS; round++) {
      const wanted = scratch.analyse(current, config, kernel).findings
        .filter(({ fix }) => fix && (options.unsafe || fix.safety === 'safe')).filter((finding) => !rejected.has(attemptKey(finding)));
      const chosen = withoutConflicts(current, wanted);
      if (chosen.length === 0) break;
      if (attempt(chosen)) continue;
      // One of them spoils the rest: find out which, one at a time. Offsets hold only until the first that is kept.
      const kept = chosen.length > 1 && chosen.some((finding) => {
        if (attempt([finding])) return true;
        rejected.add(attemptKey(finding));
        return false;
      });
      if (!kept) for (const finding of chosen) rejected.add(attemptKey(finding));
    }
    const files = [...edits].map(([path, own]) => ({ path, edits: own })).filter((one) => one.edits.length > 0);
    return { edits: files, fixed };
  } finally {
    scratch.dispose();
  }
}

/** In the order of the findings, those whose edits do not touch the edits of one before. */
function withoutConflicts(input: ModuleInput, findings: readonly Finding[]): Finding[] {
  const chosen: Finding[] = [];
  const edits: FileEdits[] = [];
  for (const finding of findings) {
    if (!withEdits(input, [...edits, ...finding.fix!.edits])) continue;
    edits.push(...finding.fix!.edits);
    chosen.push(finding);
  }
  return chosen;
}

function isBetter(engine: Engine, before: ModuleInput, after: ModuleInput, fixed: readonly Finding[], config: Configuration, kernel: TargetKernel): boolean {
  const old = countFindings(allFindings(engine, before, config, kernel));
  const now = countFindings(allFindings(engine, after, config, kernel));
  for (const [key, count] of now) if (count > (old.get(key) ?? 0)) return false;
  for (const [key, count] of countFindings(fixed)) if ((now.get(key) ?? 0) > (old.get(key) ?? 0) - count) return false;
  return parsesAsWell(engine.parser, before, after);
}

/** The same fix for the same thing, wherever its lines have moved meanwhile. */
function attemptKey(finding: Finding): string {
  return `${keyOf(finding)}\n${finding.message}\n${finding.fix!.edits.flatMap((one) => one.edits.map((edit) => edit.newText)).join('\n')}`;
}
