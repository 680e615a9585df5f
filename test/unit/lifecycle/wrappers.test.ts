import { describe, expect, it } from 'vitest';
import { rowsOf } from '../../../server/src/engine/settings/wrappers.ts';
import { lowerFile } from '../../../server/src/ir/lower.ts';
import type { ExtraFunctions } from '../../../server/src/kernel/lookup.ts';
import { ALWAYS, returnsErrPtr } from '../../../server/src/kernel/rows.ts';
import { analyseModule, createAnalysisCache } from '../../../server/src/lifecycle/analyse.ts';
import { runRules } from '../../../server/src/rules/index.ts';
import { loadParser } from '../../support/parser.ts';
import { CORE_WRAPPERS, OVER_CORE as DRIVER, OVER_CORE_LEAKY } from '../../support/vendor-core.ts';

const CORE = rowsOf(CORE_WRAPPERS).rows!;

const parser = await loadParser();

function lowered(text: string) {
  const tree = parser.parse(text);
  try {
    return lowerFile('acme.c', tree, undefined, parser);
  } finally {
    tree.dispose();
  }
}

function rulesIn(text: string, wrappers: ExtraFunctions | undefined): string[] {
  const facts = analyseModule({ sources: [lowered(text)], headers: [], wrappers }, [6, 6]);
  return runRules({ facts, kernel: facts.kernel }).filter((one) => one.severity === 'error').map((one) => `${one.functionName}: ${one.rule}`);
}

describe('functions of a vendor core', () => {
  it('are understood when they are declared', () => {
    expect(rulesIn(DRIVER, CORE)).toEqual([]);
  });

  it.each([
    ['the put after a failed register is missing', OVER_CORE_LEAKY, 'acme_probe: missing-put'],
    ['the put at the end is missing', DRIVER.replace('unregister(&nic->core);\n\tacme_core_put(&nic->core);', 'unregister(&nic->core);'), 'acme_remove: missing-put'],
    ['the unregister is missing', DRIVER.replace('\tacme_core_unregister(&nic->core);\n', ''), 'acme_remove: remove-without-unregister'],
    ['something is read after the put', DRIVER.replace('\tacme_core_put(&nic->core);\n}', '\tacme_core_put(&nic->core);\n\tpr_info("%d", nic->users);\n}'), 'acme_remove: use-after-put'],
    ['the result is tested for NULL', DRIVER.replace('if (IS_ERR(nic))\n\t\treturn PTR_ERR(nic);', 'if (!nic)\n\t\treturn -ENOMEM;'), 'acme_probe: null-check-on-alloc'],
  ])('%s', (_, text, expected) => {
    expect(text).not.toBe(DRIVER);
    expect(rulesIn(text, CORE)).toContain(expected);
    expect(rulesIn(text, undefined)).toEqual([]);
  });

  it('a definition in the module comes before what is declared of its name', () => {
    const own = DRIVER.replace('static int acme_probe', 'static void acme_core_put(struct acme_core *core)\n{\n}\n\nstatic int acme_probe');
    expect(rulesIn(own, CORE)).toEqual(expect.arrayContaining(['acme_probe: missing-put', 'acme_remove: missing-put']));
  });

  it('results for one set of them are not those for another', () => {
    const file = lowered(OVER_CORE_LEAKY);
    const cache = createAnalysisCache();
    const errors = (wrappers: ExtraFunctions | undefined): number => {
      const facts = analyseModule({ sources: [file], headers: [], wrappers }, [6, 6], cache);
      return runRules({ facts, kernel: facts.kernel }).filter((one) => one.severity === 'error').length;
    };
    expect([errors(undefined), errors(CORE), errors(undefined), errors(new Map([['acme_core_alloc', [returnsErrPtr(ALWAYS)]]]))]).toEqual([0, 1, 0, 0]);
  });
});
