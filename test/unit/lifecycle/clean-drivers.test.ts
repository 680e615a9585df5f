import { describe, expect, test } from 'vitest';
import { runRules } from '../../../server/src/rules/index.ts';
import { factsOf } from '../../support/analyse.ts';
import { cleanDrivers, shapes } from '../../support/modules.ts';

const drivers = [...cleanDrivers(), ...shapes()];

test('there are drivers, and each says for which kernel it is', () => {
  expect(cleanDrivers().length).toBeGreaterThanOrEqual(25);
  expect(drivers.filter((one) => one.kernels.length === 0).map((one) => one.name)).toEqual([]);
});

describe.each(drivers)('$name', ({ files, kernels }) => {
  test.each(kernels)('is correct for %s', (kernel) => {
    const facts = factsOf(files, kernel);
    const findings = runRules({ facts, kernel: facts.kernel }).filter(
      (one) => one.severity === 'error' || one.severity === 'warning',
    );
    const lineOf = (path: string, offset: number) =>
      files[path]!.slice(0, offset).split('\n').length;
    expect(
      findings.map(
        (one) =>
          `${one.site.path}:${lineOf(one.site.path, one.site.start)}: ${one.severity}: ${one.message} [${one.rule}]`,
      ),
    ).toEqual([]);
    expect(facts.notAnalysed).toEqual([]);
  });

  test.each(kernels)('is followed for %s', (kernel) => {
    const operations = new Set(
      factsOf(files, kernel)
        .observations.filter((one) => one.kind === 'operation')
        .map((one) => one.op),
    );
    const text = Object.values(files).join('\n');
    // Through a function pointer nothing is seen, and vfio_add_group_dev() of the kernels before
    // 5.13 has another life cycle.
    if (/\bvfio_\w*unregister_\w+\(/.test(text)) expect(operations).toContain('unregister');
    if (/\bvfio_(pci_core_)?register_\w+\(/.test(text)) expect(operations).toContain('register');
  });
});
