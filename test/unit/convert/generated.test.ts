import fc from 'fast-check';
import { expect, test } from 'vitest';
import { analyseText } from '../../support/analyse.ts';
import { generatedDrivers, renderDriver, type GeneratedDriver } from './grammar.ts';
import { outcomeOf, type Style } from './outcome.ts';
import { codeOf, misunderstood } from './support.ts';

const OLD_NAMES =
  /\b(?:vfio_init_group_dev|vfio_uninit_group_dev|vfio_pci_core_init_device|vfio_pci_core_uninit_device)\b/;
const SEED = 20220921;
/** Many drivers on a busy machine: no statement about speed. */
const SLOW = 300_000;

/** What a shape does wrong on purpose. */
function deliberate(shape: GeneratedDriver): readonly string[] {
  return [
    ...(shape.uninit === 'none' ? ['missing-uninit'] : []),
    ...(shape.leaks
      ? [
          'leak-on-error-path',
          'unbalanced-accounting',
          'async-work-outlives-object',
          'init-leaks-on-error',
        ]
      : []),
    ...(shape.remove === 'one-before-unregister' ? ['teardown-before-unregister'] : []),
  ];
}

function complaints(text: string, kernel: string, shape: GeneratedDriver): string[] {
  const findings = analyseText(text, kernel).filter(
    ({ severity, rule }) =>
      (severity === 'error' || severity === 'warning') && !deliberate(shape).includes(rule),
  );
  return findings.map(({ rule, message }) => `${rule}: ${message}`);
}

test(
  'nothing is reported of a generated driver but what it does wrong on purpose',
  () => {
    fc.assert(
      fc.property(generatedDrivers, (shape) => {
        const text = renderDriver(shape);
        expect(misunderstood('main.c', text)).toBe(0);
        expect(complaints(text, '6.0', shape)).toEqual([]);
      }),
      { numRuns: 200, seed: SEED },
    );
  },
  SLOW,
);

test(
  'it is converted to something that is right, is left alone by a second conversion, and has no old name; or, seldom, refused with a reason and a place',
  () => {
    const table: Record<string, number> = {};
    const count = (key: string): void => void (table[key] = (table[key] ?? 0) + 1);
    fc.assert(
      fc.property(
        generatedDrivers,
        fc.constantFrom('6.1', '6.2', '6.6', '6.12'),
        fc.constantFrom<Style>('minimal', 'fold'),
        (shape, kernel, style) => {
          const before = renderDriver(shape);
          const outcome = outcomeOf(before, kernel, style);
          if (outcome.status === 'refused') {
            count(`refused: ${outcome.code ?? 'not proved'}`);
            expect(outcome.reason).toMatch(/^\S.{20,}/);
            expect(outcome.hasSite).toBe(true);
            return;
          }
          if (outcome.status === 'unchanged') throw new Error('there is something to convert');
          const { text, folded } = outcome;
          count(style === 'fold' ? `fold: ${folded ? 'folded' : 'nothing to fold'}` : style);
          expect(codeOf(text)).not.toMatch(OLD_NAMES);
          expect(misunderstood('main.c', text)).toBe(0);
          expect(complaints(text, kernel, shape)).toEqual([]);
          expect(outcomeOf(text, kernel, style)).toEqual({ status: 'unchanged' });
        },
      ),
      { numRuns: 100, seed: SEED },
    );
    console.log(table);
    const folded = table['fold: folded'] ?? 0;
    const asked = folded + (table['fold: nothing to fold'] ?? 0);
    expect(asked + (table['minimal'] ?? 0)).toBeGreaterThan(90);
    expect(folded / asked).toBeGreaterThan(0.5);
  },
  SLOW,
);
