/**
 * Breaks drivers and looks whether it is said: `npm run test:mutants [-- [--verbose] DIR…]`.
 * Without a folder the drivers are the project's own,
 * with folders those of these kernel trees.
 */
import { resolve } from 'node:path';
import { loadParser } from '../support/parser.ts';
import { inRange } from '../../server/src/kernel/version.ts';
import { createJudge, type Verdict } from './judge.ts';
import { operators } from './operators/index.ts';
import { ownSubjects, treeSubjects } from './subjects.ts';
import { count, percent, placeOf, share, table, type Row } from './table.ts';
import type { Operator } from './types.ts';

/** What has to be found of all, and of each operator. */
const GOAL = 0.95;
const GOAL_OF_EACH = 0.85;

/**
 * @param args the arguments behind the command's name
 * @param root the project's folder
 * @returns how many goals are met and missed
 */
export async function run(
  args: readonly string[],
  root: string,
): Promise<{ passed: number; failed: number; skipped: number }> {
  const only = args.find((one) => one.startsWith('--only='))?.slice('--only='.length) ?? '';
  const isVerbose = args.includes('--verbose');
  const folders = args.filter((one) => !one.startsWith('--'));
  const parser = await loadParser();
  const judge = createJudge(parser);
  const subjects =
    folders.length === 0
      ? ownSubjects(parser, root)
      : (await Promise.all(folders.map((one) => treeSubjects(parser, resolve(one))))).flat();
  if (subjects.length === 0) throw new Error('there is no driver to break');

  const wanted = operators.filter((one) => one.id.includes(only));
  const verdicts = new Map(wanted.map((one): [Operator, Verdict[]] => [one, []]));
  // One driver after the other: what is known of it can go then.
  for (const subject of subjects) {
    for (const operator of wanted.filter((one) => inRange(subject.kernel, one.kernels))) {
      for (const defect of operator.plant(subject)) {
        const verdict = judge(operator, subject, defect);
        if (
          isVerbose ||
          verdict.outcome === 'missed' ||
          verdict.outcome === 'otherwise' ||
          verdict.extra.length > 0
        )
          tell(operator, verdict);
        verdicts.get(operator)!.push(verdict);
      }
    }
  }
  const rows = [...verdicts].map(([operator, list]): Row => ({ operator, verdicts: list }));
  const all = rows.flatMap((one) => one.verdicts);
  console.log(`\n${subjects.length} drivers`);
  console.log(
    `\n${table(
      'operator',
      rows.map((one) => [one.operator.id, one.verdicts]),
    )}`,
  );
  console.log(
    `\n${table(
      'rule',
      [...byRule(all)].sort(([left], [label]) => (left < label ? -1 : 1)),
    )}`,
  );
  console.log(`\n${table('', [['all', all]])}\n`);

  const goals = goalsOf(rows, folders.length === 0);
  const missed = goals.filter((one) => !one.isMet);
  for (const one of missed) console.log(`FAILED ${one.text}`);
  return { passed: goals.length - missed.length, failed: missed.length, skipped: 0 };
}

/** Says what became of one defect. */
function tell(operator: Operator, verdict: Verdict): void {
  const outcome =
    verdict.outcome === 'found' && verdict.extra.length > 0 ? 'found, and more' : verdict.outcome;
  console.log(
    `${outcome}: ${operator.id}: ${placeOf(verdict)}${verdict.said.map((text) => `\n    ${text}`).join('')}`,
  );
}

/**
 * What has to hold. `isOwn`: the drivers are the project's, among which each operator finds
 * something to break.
 */
export function goalsOf(
  rows: readonly Row[],
  isOwn: boolean,
): { readonly isMet: boolean; readonly text: string }[] {
  const total = count(rows.flatMap((one) => one.verdicts));
  return [
    {
      isMet: total.planted > 0 && share(total) >= GOAL,
      text: `${percent(total)} of ${total.planted} planted defects are found; the goal is ${GOAL * 100} %`,
    },
    {
      isMet: total.extra === 0,
      text: `${total.extra} planted defects bring errors that have nothing to do with them`,
    },
    ...rows.map(({ operator, verdicts }) => {
      const one = count(verdicts);
      return {
        // Somebody else's drivers need not have a place for each kind.
        isMet: (one.planted > 0 || !isOwn) && share(one) >= GOAL_OF_EACH,
        text:
          one.planted === 0
            ? `${operator.id}: there is nothing to break`
            : `${operator.id}: ${percent(one)} of ${one.planted} are found; the goal is ${GOAL_OF_EACH * 100} %`,
      };
    }),
  ];
}

function byRule(verdicts: readonly Verdict[]): Map<string, Verdict[]> {
  const rules = new Map<string, Verdict[]>();
  for (const one of verdicts) rules.set(one.rule, [...(rules.get(one.rule) ?? []), one]);
  return rules;
}
