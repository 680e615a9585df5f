/**
 * Breaks drivers and looks whether it is said: `npm run test:mutants [-- [--verbose] DIR…]`. Without a folder the drivers are the project's own,
 * with folders those of these kernel trees.
 */
import { resolve } from 'node:path';
import { loadParser } from '../support/parser.ts';
import { ruleById } from '../../server/src/rules/index.ts';
import { inRange } from '../../server/src/kernel/version.ts';
import { judge, type Verdict } from './judge.ts';
import { operators } from './operators/index.ts';
import { ownSubjects, treeSubjects } from './subjects.ts';
import { count, placeOf, share, table } from './table.ts';

/** What has to be found of all, and of each operator. */
const GOAL = 0.95;
const GOAL_OF_EACH = 0.85;

/**
 * @param args the arguments behind the command's name
 * @param root the project's folder
 * @returns how many checks passed and failed: one for each mutant that is found, and one for each goal.
 */
export async function run(args: readonly string[], root: string): Promise<{ passed: number; failed: number; skipped: number }> {
  const only = args.find((one) => one.startsWith('--only='))?.slice('--only='.length);
  const isVerbose = args.includes('--verbose');
  const folders = args.filter((one) => !one.startsWith('--'));
  const parser = await loadParser();
  const subjects = folders.length === 0 ? ownSubjects(parser, root) : (await Promise.all(folders.map((one) => treeSubjects(parser, resolve(one))))).flat();
  const rows = operators.filter((one) => only === undefined || one.id.includes(only)).map((operator) => ({
    operator,
    verdicts: subjects.filter((one) => inRange(one.kernel, operator.kernels)).flatMap((subject) => operator.plant(subject).map((defect) => judge(parser, operator, subject, defect))),
  }));
  const all = rows.flatMap((one) => one.verdicts);

  for (const { operator, verdicts } of rows) {
    for (const one of verdicts) {
      if (one.outcome === 'missed' || one.outcome === 'otherwise') console.log(`${one.outcome}: ${operator.id}: ${placeOf(one)}${one.said.map((text) => `\n    ${text}`).join('')}`);
      else if (one.extra.length > 0) console.log(`extra: ${operator.id}: ${placeOf(one)}${one.extra.map((text) => `\n    ${text}`).join('')}`);
      else if (isVerbose) console.log(`${one.outcome}: ${operator.id}: ${placeOf(one)}${one.said.map((text) => `\n    ${text}`).join('')}`);
    }
  }
  console.log(`\n${subjects.length} drivers`);
  console.log(`\n${table('operator', rows.map((one) => [one.operator.id, one.verdicts]))}`);
  console.log(`\n${table('rule', [...byRule(all)].sort(([a], [b]) => (a < b ? -1 : 1)))}`);
  console.log(`\n${table('', [['all', all]])}\n`);

  let failed = 0;
  const goal = (isMet: boolean, what: string): void => {
    if (!isMet) { failed++; console.log(`FAILED ${what}`); }
  };
  const total = count(all);
  goal(total.planted > 0 && share(total) >= GOAL, `${(share(total) * 100).toFixed(1)} % of ${total.planted} planted defects are found; the goal is ${GOAL * 100} %`);
  for (const { operator, verdicts } of rows) {
    const one = count(verdicts);
    goal(share(one) >= GOAL_OF_EACH, `${operator.id}: ${(share(one) * 100).toFixed(1)} % of ${one.planted} are found; the goal is ${GOAL_OF_EACH * 100} %`);
    goal(operator.rules.every((rule) => ruleById(rule) !== null), `${operator.id}: there is no rule ${operator.rules.join(', ')}`);
    goal(folders.length > 0 || only !== undefined || one.planted > 0, `${operator.id}: nothing to break`);
  }
  goal(total.extra === 0, `${total.extra} planted defects bring errors that have nothing to do with them`);
  return { passed: total.found, failed, skipped: 0 };
}

function byRule(verdicts: readonly Verdict[]): Map<string, Verdict[]> {
  const rules = new Map<string, Verdict[]>();
  for (const one of verdicts) rules.set(one.rule, [...rules.get(one.rule) ?? [], one]);
  return rules;
}
