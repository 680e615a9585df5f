import type { Run } from './run.ts';

/** What a conversion did to a driver, as the scenarios saw it. */
export interface Verdict {
  /** What is worse or other than before, one line each; a good conversion has none. */
  readonly problems: readonly string[];
  /** What only the original does wrong, or both in the same way. */
  readonly forgiven: readonly string[];
  /** How many runs were compared. */
  readonly compared: number;
}

/**
 * Compares the runs of a driver before and after its conversion: at every failure point the same
 * return codes and the same effects in the same
 * order, and no bug that the original does not have. A run that only the conversion has (a
 * reference that outlives remove, a call of its own that
 * fails) is judged by its bugs alone.
 */
export function compare(before: readonly Run[], after: readonly Run[]): Verdict {
  const problems: string[] = [];
  const forgiven: string[] = [];
  const old = keyed(before);
  const converted = keyed(after);
  let compared = 0;
  for (const [key, run] of converted) {
    const original = old.get(key);
    const fresh = run.bugs.filter((bug) => !original?.bugs.includes(bug));
    problems.push(...fresh.map((bug) => `${key}: ${bug}`));
    if (!original) continue;
    compared++;
    if (original.bugs.length > 0) {
      // Where the original goes wrong, what it does there is nothing to hold on to.
      forgiven.push(
        ...original.bugs.map(
          (bug) => `${key}: ${run.bugs.includes(bug) ? 'both' : 'only the original'}: ${bug}`,
        ),
      );
      continue;
    }
    if (fresh.length > 0) continue;
    const difference = firstDifference(effects(original), effects(run));
    if (difference !== undefined) problems.push(`${key}: ${difference}`);
  }
  for (const key of old.keys())
    if (!converted.has(key)) problems.push(`${key}: the conversion has no such failure`);
  if (compared === 0) problems.push('nothing was compared');
  return { problems, forgiven, compared };
}

/** The bugs of a driver that nothing is compared with. */
export function bugsOf(runs: readonly Run[]): string[] {
  return [...keyed(runs)].flatMap(([key, run]) => run.bugs.map((bug) => `${key}: ${bug}`));
}

/**
 * Runs by a name that means the same before and after a conversion, which may have calls of its own
 * that can fail.
 */
function keyed(runs: readonly Run[]): Map<string, Run> {
  const result = new Map<string, Run>();
  for (const run of runs) {
    const name = `${run.scenario}${run.type > 0 ? `, type ${run.type}` : ''}${run.failed === null ? '' : `, ${run.failed} fails`}`;
    let key = name;
    for (let count = 2; result.has(key); count++) key = `${name} (${count})`;
    result.set(key, run);
  }
  return result;
}

/** What the outside sees. What probe returned is one of the events. */
function effects(run: Run): string[] {
  return run.events.filter((event) => !event.startsWith('~'));
}

function firstDifference(before: readonly string[], after: readonly string[]): string | undefined {
  const at = before.findIndex((event, index) => event !== after[index]);
  if (at < 0 && before.length === after.length) return undefined;
  const index = at < 0 ? before.length : at;
  const previous = index === 0 ? '' : ` after "${before[index - 1]}"`;
  return `the original has "${before[index] ?? 'nothing more'}"${previous}, the conversion "${after[index] ?? 'nothing more'}"`;
}
