/** Which findings of today are those of a baseline. */
import type { Finding } from '../rules/types.ts';
import { firstFingerprint, identityOf, type Identity, type SeverityClass } from './fingerprint.ts';
import type { Entry } from './baseline-file.ts';
import type { Workspace } from './workspace.ts';

/** A finding as a baseline compares it. */
export interface Today extends Identity {
  readonly finding: Finding;
  /** Relative to the baseline's folder, with `/`. */
  readonly path: string;
  /** The target kernel that it was found for. */
  readonly kernel: string;
}

export interface Match {
  /** The entry that a finding is known by, and whether it stands there under another name. */
  readonly known: ReadonlyMap<Today, { readonly entry: Entry; readonly isMoved: boolean }>;
  /** How many findings of an entry were not found. */
  readonly unmet: ReadonlyMap<Entry, number>;
}

export function todayOf(
  finding: Finding,
  path: string,
  kernel: string,
  workspace: Workspace,
): Today {
  return { ...identityOf(finding, workspace), finding, path, kernel };
}

/**
 * Finds each finding its entry: first one of the same place, the same severity before a graver one;
 * then one whose function or file is there no more, as after a renaming or a move: the function that
 * went to another file before the one that was renamed. An entry is used up by as many findings as
 * it counts.
 * @param isThere whether the function of an entry still is in its file.
 */
export function match(
  entries: readonly Entry[],
  findings: readonly Today[],
  workspace: Workspace,
  isThere: (entry: Entry) => boolean,
): Match {
  const unmet = new Map(entries.map((entry) => [entry, entry.count]));
  const known = new Map<Today, { entry: Entry; isMoved: boolean }>();
  const atPlace = groupsOf(entries, placeOf);
  // Of version 1 only the rule can be looked up without the place.
  const ofText = groupsOf(entries, (one) => textOf(one.rule, isFirst(one) ? '' : one.fingerprint));
  const isLeft = (entry: Entry): boolean => unmet.get(entry)! > 0;
  const take = (
    among: (today: Today) => readonly Entry[],
    isIt: (entry: Entry, today: Today) => boolean,
    isMoved: boolean,
  ): void => {
    for (const today of findings) {
      if (known.has(today)) continue;
      const entry = among(today).find(
        (one) => isLeft(one) && isIt(one, today) && isOf(one, today, workspace),
      );
      if (entry === undefined) continue;
      unmet.set(entry, unmet.get(entry)! - 1);
      known.set(today, { entry, isMoved });
    }
  };
  const here = ({ path, finding }: Today): readonly Entry[] =>
    atPlace.get(placeOf({ path, function: finding.functionName, rule: finding.rule })) ?? [];
  take(here, (entry, today) => entry.severity === today.severity, false);
  take(here, () => true, false);

  const elsewhere = ({ finding, text }: Today): readonly Entry[] => [
    ...(ofText.get(textOf(finding.rule, text)) ?? []),
    ...(ofText.get(textOf(finding.rule, '')) ?? []),
  ];
  const isGone = (entry: Entry): boolean => !isThere(entry);
  take(
    elsewhere,
    (entry, today) => entry.function === today.finding.functionName && isGone(entry),
    true,
  );
  take(elsewhere, (entry, today) => entry.path === today.path && isGone(entry), true);
  take(elsewhere, isGone, true);
  return { known, unmet };
}

function groupsOf(
  entries: readonly Entry[],
  keyOf: (entry: Entry) => string,
): ReadonlyMap<string, readonly Entry[]> {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const key = keyOf(entry);
    const group = groups.get(key);
    if (group) group.push(entry);
    else groups.set(key, [entry]);
  }
  return groups;
}

function placeOf({
  path,
  function: name,
  rule,
}: Pick<Entry, 'path' | 'function' | 'rule'>): string {
  return JSON.stringify([path, name, rule]);
}

function textOf(rule: string, text: string): string {
  return `${rule} ${text}`;
}

/** Whether an entry is of a file of version 1. */
function isFirst(entry: Entry): boolean {
  return entry.severity === null;
}

const GRAVITY: Readonly<Record<SeverityClass, number>> = { error: 0, warning: 1, note: 2 };

/** Whether a finding would be the entry's if it stood at its place: no graver, owing no more. */
function isOf(entry: Entry, today: Today, workspace: Workspace): boolean {
  if (entry.severity === null) {
    const { finding } = today;
    return firstFingerprint(finding, entry.path, entry.function, workspace) === entry.fingerprint;
  }
  return (
    entry.fingerprint === today.text &&
    GRAVITY[entry.severity] <= GRAVITY[today.severity] &&
    today.owed.every((one) => entry.owed.includes(one))
  );
}
