import { describe, expect, it } from 'vitest';
import { rowsOf } from '../../../server/src/engine/settings/wrappers.ts';
import { lowerFile } from '../../../server/src/ir/lower.ts';
import type { ExtraFunctions } from '../../../server/src/kernel/lookup.ts';
import { ALWAYS, returnsErrPtr } from '../../../server/src/kernel/behaviour-builders.ts';
import { analyseModule, createAnalysisCache } from '../../../server/src/lifecycle/analyse.ts';
import { runRules } from '../../../server/src/rules/index.ts';
import type { Finding } from '../../../server/src/rules/types.ts';
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
  return runRules({ facts, kernel: facts.kernel })
    .filter((one) => one.severity === 'error')
    .map((one) => `${one.functionName}: ${one.rule}`);
}

function findingsIn(text: string, wrappers: ExtraFunctions): readonly Finding[] {
  const facts = analyseModule({ sources: [lowered(text)], headers: [], wrappers }, [6, 6]);
  return runRules({ facts, kernel: facts.kernel });
}

describe('functions of a vendor core', () => {
  it('are understood when they are declared', () => {
    expect(rulesIn(DRIVER, CORE)).toEqual([]);
  });

  it.each([
    ['the put after a failed register is missing', OVER_CORE_LEAKY, 'acme_probe: missing-put'],
    [
      'the put at the end is missing',
      DRIVER.replace(
        'unregister(&nic->core);\n\tacme_core_put(&nic->core);',
        'unregister(&nic->core);',
      ),
      'acme_remove: missing-put',
    ],
    [
      'the unregister is missing',
      DRIVER.replace('\tacme_core_unregister(&nic->core);\n', ''),
      'acme_remove: remove-without-unregister',
    ],
    [
      'something is read after the put',
      DRIVER.replace(
        '\tacme_core_put(&nic->core);\n}',
        '\tacme_core_put(&nic->core);\n\tpr_info("%d", nic->users);\n}',
      ),
      'acme_remove: use-after-put',
    ],
    [
      'the result is tested for NULL',
      DRIVER.replace(
        'if (IS_ERR(nic))\n\t\treturn PTR_ERR(nic);',
        'if (!nic)\n\t\treturn -ENOMEM;',
      ),
      'acme_probe: null-check-on-alloc',
    ],
  ])('%s', (_, text, expected) => {
    expect(text).not.toBe(DRIVER);
    expect(rulesIn(text, CORE)).toContain(expected);
    expect(rulesIn(text, undefined)).toEqual([]);
  });

  it('are not gone past by a fix, and other fixes stay', () => {
    const fixesIn = (text: string, wrappers: ExtraFunctions): Record<string, boolean> => {
      const facts = analyseModule({ sources: [lowered(text)], headers: [], wrappers }, [6, 6]);
      return Object.fromEntries(
        runRules({ facts, kernel: facts.kernel }).map((one) => [one.rule, one.fix !== null]),
      );
    };
    const direct = (text: string): string =>
      text
        .replaceAll('acme_core_put(&nic->core)', 'vfio_put_device(&nic->vdev)')
        .replace('struct acme_core core;', 'struct vfio_device vdev;')
        .replaceAll('acme_core_register(&nic->core)', 'vfio_register_group_dev(&nic->vdev)')
        .replaceAll('acme_core_unregister(&nic->core)', 'vfio_unregister_group_dev(&nic->vdev)')
        .replace('acme_core_alloc(sizeof(*nic), ', 'vfio_alloc_device(acme_nic, vdev, ');
    // Where the core's struct is seen, the device in it has a name that a fix could write.
    const seen = DRIVER.replace(
      'struct acme_nic {',
      'struct acme_core {\n\tstruct vfio_device vdev;\n};\n\nstruct acme_nic {',
    );
    const leaky = seen.replace(
      'unregister(&nic->core);\n\tacme_core_put(&nic->core);',
      'unregister(&nic->core);',
    );
    expect(fixesIn(leaky, CORE)).toMatchObject({ 'missing-put': false });
    // The settings of a tree name a core that this driver does not use.
    expect(fixesIn(direct(leaky), CORE)).toMatchObject({ 'missing-put': true });
    expect(
      fixesIn(
        DRIVER.replace(
          'if (IS_ERR(nic))\n\t\treturn PTR_ERR(nic);',
          'if (!nic)\n\t\treturn -ENOMEM;',
        ),
        CORE,
      ),
    ).toMatchObject({ 'null-check-on-alloc': true });
  });

  const NULL_TESTED = DRIVER.replace(
    'if (IS_ERR(nic))\n\t\treturn PTR_ERR(nic);',
    'if (!nic)\n\t\treturn -ENOMEM;',
  );

  it.each([
    ['a test for NULL', NULL_TESTED],
    ['a comparison with it', NULL_TESTED.replace('if (!nic)', 'if (nic == NULL)')],
    [
      'a test of what a helper hands on',
      NULL_TESTED.replace(
        'nic = acme_core_alloc(sizeof(*nic), &pdev->dev, &acme_ops)',
        'nic = acme_new(pdev)',
      ).replace(
        'static int acme_probe',
        'static struct acme_nic *acme_new(struct pci_dev *pdev)\n{\n\treturn acme_core_alloc(sizeof(struct acme_nic), &pdev->dev, &acme_ops);\n}\n\nstatic int acme_probe',
      ),
    ],
  ])('one that returns NULL when it fails wants %s', (_, text) => {
    const returnsNull = rowsOf([
      { name: 'acme_core_alloc', does: 'alloc', errors: 'null-ptr' },
      ...CORE_WRAPPERS.slice(1),
    ]).rows!;
    expect(text).not.toBe(DRIVER);
    expect(
      findingsIn(text, returnsNull).filter(({ rule }) => rule !== 'ops-table-incomplete'),
    ).toEqual([]);
    expect(rulesIn(text, CORE)).toContain('acme_probe: null-check-on-alloc');
  });

  it('are what messages name where the driver goes through them', () => {
    const [leak] = findingsIn(OVER_CORE_LEAKY, CORE).filter(({ rule }) => rule === 'missing-put');
    expect(leak!.message).toMatch(/of `nic` is leaked .*; call acme_core_put\(\)$/);
    const [test] = findingsIn(NULL_TESTED, CORE).filter(
      ({ rule }) => rule === 'null-check-on-alloc',
    );
    expect(test!.message).toMatch(/^acme_core_alloc\(\) never returns NULL/);
    // What the driver calls itself keeps its name.
    const mixed = OVER_CORE_LEAKY.replace(
      'unregister(&nic->core);\n\tacme_core_put(&nic->core);',
      'unregister(&nic->core);\n\tvfio_put_device(&nic->core.vdev);',
    );
    expect(mixed).not.toBe(OVER_CORE_LEAKY);
    expect(
      findingsIn(mixed, CORE)
        .map(({ message }) => message)
        .join(),
    ).toContain('call vfio_put_device()');
  });

  const THROUGH = rowsOf([
    ...CORE_WRAPPERS,
    { name: 'acme_core_remove', does: ['unregister', 'put'], through: 'drvdata' },
    { name: 'acme_dev_put', does: 'put', argument: 2, through: 'drvdata' },
  ]).rows!;
  const OVER_PARENT = DRIVER.replace(
    /\{\n\tstruct acme_nic \*nic = pci_get_drvdata[^]*?\n\}/,
    '{\n\tacme_core_remove(pdev);\n}',
  );

  it.each([
    ['is right', OVER_PARENT, []],
    ['twice', OVER_PARENT.replace(/\tacme_core_remove.*\n/, '$&$&'), ['double-put']],
    [
      'and a put too many, by the device of the parent',
      OVER_PARENT.replace(/\tacme_core_remove.*\n/, '$&\tacme_dev_put(0, &pdev->dev);\n'),
      ['double-put'],
    ],
    [
      'and a use of the object behind it',
      OVER_PARENT.replace(
        /\tacme_core_remove.*\n/,
        '\tstruct acme_nic *nic = pci_get_drvdata(pdev);\n\n$&\tnic->users = 0;\n',
      ),
      ['use-after-put'],
    ],
    ['missing', OVER_PARENT.replace(/\tacme_core_remove.*\n/, ''), ['remove-without-unregister']],
  ])('one that takes the parent: %s', (_, text, expected) => {
    expect(text).not.toBe(DRIVER);
    const found = rulesIn(text, THROUGH).map((one) => one.replace('acme_remove: ', ''));
    expect(found).toEqual(expect.arrayContaining(expected));
    if (expected.length === 0) expect(found).toEqual([]);
  });

  const BY_OUT = rowsOf([
    { name: 'acme_core_create', does: 'alloc', out: 3 },
    { name: 'acme_core_find', does: 'alloc', out: 1, errors: 'void' },
    ...CORE_WRAPPERS.slice(1),
  ]).rows!;
  const CREATED = DRIVER.replace(
    'nic = acme_core_alloc(sizeof(*nic), &pdev->dev, &acme_ops);\n\tif (IS_ERR(nic))\n\t\treturn PTR_ERR(nic);',
    'ret = acme_core_create(&pdev->dev, &acme_ops, &nic);\n\tif (ret)\n\t\treturn ret;',
  );

  it.each([
    ['is right', CREATED, []],
    [
      'and never fails',
      CREATED.replace(/ret = acme_core_create.*\n.*\n.*;/, 'acme_core_find(&nic);'),
      [],
    ],
    [
      'and the put after a failed register is missing',
      CREATED.replace('goto err_put;', 'return ret;'),
      ['acme_probe: missing-put'],
    ],
    [
      'and nobody puts what it made',
      CREATED.replace(
        '\tacme_core_unregister(&nic->core);\n\tacme_core_put(&nic->core);',
        '\tacme_core_unregister(&nic->core);',
      ),
      ['acme_remove: missing-put'],
    ],
  ])('one that stores the device in an argument: %s', (_, text, expected) => {
    expect(text).not.toBe(DRIVER);
    expect(rulesIn(text, BY_OUT)).toEqual(expected);
  });

  it('that register say nothing of the family of iommufd helpers', () => {
    const mediated = DRIVER.replaceAll('pci_dev *pdev', 'mdev_device *mdev')
      .replaceAll('pdev', 'mdev')
      .replace('struct pci_driver', 'struct mdev_driver');
    for (const text of [DRIVER, mediated]) {
      const found = findingsIn(text, CORE).filter(({ rule }) => rule === 'ops-table-incomplete');
      expect(found.map(({ severity, fix }) => [severity, fix])).toEqual([['hint', null]]);
    }
  });

  it('a definition in the module comes before what is declared of its name', () => {
    const own = DRIVER.replace(
      'static int acme_probe',
      'static void acme_core_put(struct acme_core *core)\n{\n}\n\nstatic int acme_probe',
    );
    expect(rulesIn(own, CORE)).toEqual(
      expect.arrayContaining(['acme_probe: missing-put', 'acme_remove: missing-put']),
    );
  });

  it('results for one set of them are not those for another', () => {
    const file = lowered(OVER_CORE_LEAKY);
    const cache = createAnalysisCache();
    const errors = (wrappers: ExtraFunctions | undefined): number => {
      const facts = analyseModule({ sources: [file], headers: [], wrappers }, [6, 6], cache);
      return runRules({ facts, kernel: facts.kernel }).filter((one) => one.severity === 'error')
        .length;
    };
    expect([
      errors(undefined),
      errors(CORE),
      errors(undefined),
      errors(new Map([['acme_core_alloc', [returnsErrPtr(ALWAYS)]]])),
    ]).toEqual([0, 1, 0, 0]);
  });
});
