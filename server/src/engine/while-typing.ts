/**
 * What an editor shows of a document while it is being typed: nobody wants to hear that a call is
 * missing before there was time to write it, or see a finding come and go with each key.
 */
import { isBeingTyped } from '../ir/visit.ts';
import type { FileIr } from '../ir/types.ts';
import { commonPrefix, commonSuffix } from '../text/common.ts';
import type { Site } from '../lifecycle/types.ts';
import { ruleById } from '../rules/index.ts';
import type { Finding } from '../rules/types.ts';

/** What was shown of a document last. */
export interface Shown {
  readonly text: string;
  /** The findings of absence, with their spans in `text`. */
  readonly absences: readonly Finding[];
  /** What was not understood when nobody typed: it is so written, and not half typed. */
  readonly known: Unfinished;
}

/** What of a file is not read as it is meant. */
interface Unfinished {
  readonly functions: ReadonlySet<string>;
  /** How many stretches between functions. */
  readonly lost: number;
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
  file: FileIr,
  findings: readonly Finding[],
  before: Shown | null,
  isQuiet: boolean,
): Choice {
  const { path, text } = file;
  const isAbsence = (finding: Finding): boolean =>
    finding.site.path === path && ruleById(finding.rule)?.isAbsence === true;
  const absences = findings.filter(isAbsence);
  const unfinished = unfinishedIn(file);
  const parses = before === null || !isMore(unfinished, before.known);
  if (before === null || (isQuiet && parses))
    return { findings, shown: { text, absences, known: unfinished }, isWaiting: false };
  const moved = movedTo(before, text, path);
  const kept = parses ? knownOf(absences, moved) : moved;
  return {
    findings: [...findings.filter((finding) => !isAbsence(finding)), ...kept].sort(
      (left, right) => left.site.start - right.site.start,
    ),
    shown: { text, absences: kept, known: before.known },
    isWaiting: true,
  };
}

function unfinishedIn({ functions, lost }: FileIr): Unfinished {
  const names = functions.filter((fn) => fn.opaque || isBeingTyped(fn)).map(({ name }) => name);
  return { functions: new Set(names), lost: lost.length };
}

/** Whether something is not understood that was. */
function isMore(now: Unfinished, then: Unfinished): boolean {
  return now.lost > then.lost || [...now.functions].some((name) => !then.functions.has(name));
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

/** What was shown, where an edit has moved it to, without fixes; not what the edit replaced. */
function movedTo({ absences, text: before }: Shown, after: string, path: string): Finding[] {
  if (before === after || absences.length === 0) return [...absences];
  const prefix = commonPrefix(before, after);
  const suffix = commonSuffix(before, after, prefix);
  const shift = (at: number, inside: number): number => {
    if (at <= prefix) return at;
    return at >= before.length - suffix ? at + after.length - before.length : inside;
  };
  const move = (site: Site): Site =>
    site.path === path
      ? {
          ...site,
          start: shift(site.start, prefix),
          end: shift(site.end, after.length - suffix),
        }
      : site;
  return absences.flatMap((finding) => {
    const site = move(finding.site);
    if (site.end <= site.start) return [];
    const related = finding.related.map((one) => ({ ...one, site: move(one.site) }));
    return [{ ...finding, site, related, fix: null }];
  });
}
