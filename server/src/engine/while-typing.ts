/**
 * What an editor shows of a document while it is being typed: nobody wants to hear that a call is
 * missing before there was time to write it, or see a finding come and go with each key.
 */
import { isBeingTyped } from '../ir/visit.ts';
import type { FileIr } from '../ir/types.ts';
import { commonPrefix, commonSuffix } from '../text/common.ts';
import type { Span } from '../text/span.ts';
import type { Finding, Rule } from '../rules/types.ts';

/** What was shown of a document last. */
export interface Shown {
  readonly text: string;
  /** The findings of absence, with their spans in `text`. */
  readonly absences: readonly Finding[];
}

/** What to show now, and whether something else will be shown when nobody types any more. */
export interface Choice {
  readonly findings: readonly Finding[];
  readonly shown: Shown;
  readonly isWaiting: boolean;
}

/**
 * Chooses from the findings of a document while it is being typed. Those of absence that are new
 * wait; those that were there stay as long as the text does not parse, where they have moved to.
 * Others are shown at once.
 * @param before what was shown last; null for a document that was just opened.
 * @param isQuiet no key has come for a while.
 */
export function chooseFindings(
  rules: readonly Rule[],
  file: FileIr,
  findings: readonly Finding[],
  before: Shown | null,
  isQuiet: boolean,
): Choice {
  const { path, text } = file;
  const isAbsence = (finding: Finding): boolean =>
    finding.site.path === path &&
    rules.some((rule) => rule.id === finding.rule && rule.isAbsence === true);
  const absences = findings.filter(isAbsence);
  const parses = isFinished(file);
  if (before === null || (isQuiet && parses))
    return { findings, shown: { text, absences }, isWaiting: false };
  const moved = before.absences.flatMap((finding) => movedTo(finding, before.text, text, path));
  const kept = parses ? knownOf(absences, moved) : moved;
  return {
    findings: [...findings.filter((finding) => !isAbsence(finding)), ...kept].sort(
      (left, right) => left.site.start - right.site.start,
    ),
    shown: { text, absences: kept },
    isWaiting: true,
  };
}

/** Whether everything in a file is read as it is meant: nothing in it is half typed. */
function isFinished(file: FileIr): boolean {
  return file.lost.length === 0 && file.functions.every((fn) => !fn.opaque && !isBeingTyped(fn));
}

/** Those of `now` that were there before: as many of a rule in a function as there were. */
function knownOf(now: readonly Finding[], before: readonly Finding[]): Finding[] {
  const left = new Map<string, number>();
  for (const finding of before) left.set(keyOf(finding), (left.get(keyOf(finding)) ?? 0) + 1);
  return now.filter((finding) => {
    const count = left.get(keyOf(finding)) ?? 0;
    left.set(keyOf(finding), count - 1);
    return count > 0;
  });
}

function keyOf({ rule, functionName, severity }: Finding): string {
  return `${rule}/${functionName ?? ''}/${severity}`;
}

/** A finding where an edit has moved it to, without its fix; nothing when the edit took its place. */
function movedTo(finding: Finding, before: string, after: string, path: string): Finding[] {
  if (before === after) return [finding];
  const prefix = commonPrefix(before, after);
  const suffix = commonSuffix(before, after, prefix);
  const shift = (at: number, inside: number): number => {
    if (at <= prefix) return at;
    return at >= before.length - suffix ? at + after.length - before.length : inside;
  };
  const move = (span: Span): Span => ({
    start: shift(span.start, prefix),
    end: shift(span.end, after.length - suffix),
  });
  const site = { ...finding.site, ...move(finding.site) };
  if (site.end <= site.start) return [];
  const related = finding.related.map((one) =>
    one.site.path === path ? { ...one, site: { ...one.site, ...move(one.site) } } : one,
  );
  return [{ ...finding, site, related, fix: null }];
}
