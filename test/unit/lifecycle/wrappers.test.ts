import { describe, expect, it } from 'vitest';
import { lowerFile } from '../../../server/src/ir/lower.ts';
import type { ExtraFunctions } from '../../../server/src/kernel/lookup.ts';
import { ALWAYS, returnsErrno, returnsErrPtr, returnsVoid } from '../../../server/src/kernel/rows.ts';
import { analyseModule, createAnalysisCache } from '../../../server/src/lifecycle/analyse.ts';
import { runRules } from '../../../server/src/rules/index.ts';
import { loadParser } from '../../support/parser.ts';

/** A driver that knows VFIO only through its vendor's core. */
const DRIVER = `#include <acme/core.h>

struct acme_nic {
	struct acme_core core;
	int users;
};

static const struct vfio_device_ops acme_ops = {
	.name = "acme",
	.release = acme_core_release,
};

static int acme_probe(struct pci_dev *pdev)
{
	struct acme_nic *nic;
	int ret;

	nic = acme_core_alloc(sizeof(*nic), &pdev->dev, &acme_ops);
	if (IS_ERR(nic))
		return PTR_ERR(nic);
	ret = acme_core_register(&nic->core);
	if (ret)
		goto err_put;
	pci_set_drvdata(pdev, nic);
	return 0;

err_put:
	acme_core_put(&nic->core);
	return ret;
}

static void acme_remove(struct pci_dev *pdev)
{
	struct acme_nic *nic = pci_get_drvdata(pdev);

	acme_core_unregister(&nic->core);
	acme_core_put(&nic->core);
}

static struct pci_driver acme_driver = {
	.probe = acme_probe,
	.remove = acme_remove,
};
`;

const CORE: ExtraFunctions = new Map([
  ['acme_core_alloc', [returnsErrPtr(ALWAYS, { op: 'alloc', target: 'return' })]],
  ['acme_core_register', [returnsErrno(ALWAYS, [{ op: 'register', target: 0 }])]],
  ['acme_core_unregister', [returnsVoid(ALWAYS, { op: 'unregister', target: 0 })]],
  ['acme_core_put', [returnsVoid(ALWAYS, { op: 'put', target: 0 })]],
]);

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
    ['the put after a failed register is missing', DRIVER.replace('goto err_put;', 'return ret;'), 'acme_probe: missing-put'],
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
    const file = lowered(DRIVER.replace('goto err_put;', 'return ret;'));
    const cache = createAnalysisCache();
    const errors = (wrappers: ExtraFunctions | undefined): number => {
      const facts = analyseModule({ sources: [file], headers: [], wrappers }, [6, 6], cache);
      return runRules({ facts, kernel: facts.kernel }).filter((one) => one.severity === 'error').length;
    };
    expect([errors(undefined), errors(CORE), errors(undefined), errors(new Map([['acme_core_alloc', [returnsErrPtr(ALWAYS)]]]))]).toEqual([0, 1, 0, 0]);
  });
});
