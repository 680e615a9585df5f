import { describe, expect, test } from 'vitest';
import { MUTANTS, type Mutant } from '../../fixtures/drivers/mutants.ts';
import { ruleById, rules } from '../../../server/src/rules/index.ts';
import { analyseText } from '../../support/analyse.ts';
import { cleanDrivers } from '../../support/modules.ts';

const drivers = new Map(cleanDrivers().map((one) => [one.name, one]));

/**
 * The driver's documents with the defect planted. Throws when an edit does not fit exactly once.
 */
function plant({ driver, file, edits }: Mutant): { files: Record<string, string>; kernel: string } {
  const [name, inside] = driver.split('/');
  const clean = drivers.get(name!);
  if (!clean) throw new Error(`no driver ${driver}`);
  const path = file ?? inside ?? name!;
  let text = clean.files[path]!;
  for (const [search, replace] of edits) {
    if (text.split(search).length !== 2)
      throw new Error(`${driver}: stands ${text.split(search).length - 1} times: ${search}`);
    text = text.replace(search, () => replace);
  }
  return { files: { ...clean.files, [path]: text }, kernel: clean.kernels.at(-1)! };
}

test('every rule has planted defects', () => {
  // What a suppression comment does wrong is no defect of a life cycle.
  expect(
    rules.map((one) => one.id).filter((id) => !id.includes('suppression') && !MUTANTS[id]?.length),
  ).toEqual([]);
});

describe.each(Object.entries(MUTANTS))('%s', (rule, mutants) => {
  test.each(mutants.map((one) => [`${one.driver}: ${one.what}`, one] as const))(
    '%s',
    (_, mutant) => {
      const { files, kernel } = plant(mutant);
      const target = mutant.kernel ?? kernel;
      const found = analyseText(files, target);
      const severity =
        mutant.lower?.severity ?? (mutant.graver ? 'error' : ruleById(rule)?.severity);
      const named = found
        .filter((one) => one.rule === rule)
        .map((one) => `${one.severity} in ${one.functionName}`);
      if (mutant.missed === undefined) expect(named).toContain(`${severity} in ${mutant.function}`);
      else expect(named).toEqual([]);
      const others = found.filter(
        (one) =>
          (one.severity === 'error' || one.severity === 'warning') &&
          one.rule !== rule &&
          !mutant.also?.includes(one.rule),
      );
      expect(
        others.map((one) => `${one.severity} in ${one.functionName}: ${one.message} [${one.rule}]`),
      ).toEqual([]);
    },
  );
});
