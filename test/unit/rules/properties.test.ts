import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rules } from '../../../server/src/rules/index.ts';
import type { Finding } from '../../../server/src/rules/types.ts';
import { analyseText, applyFix, MAIN, readAnnotations } from '../../support/analyse.ts';

/** Whole drivers to start from: the examples and the fixtures, without their caret lines. */
const drivers = [
  ...rules
    .flatMap(({ examples }) => [...examples.bad, ...examples.good])
    .map(({ code, kernel }) => ({ code: readAnnotations(code).code, kernel: kernel ?? '6.1' })),
  ...fixtures(),
];

function fixtures(): { code: string; kernel: string }[] {
  const root = resolve(import.meta.dirname, '../../fixtures/rules');
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.c'))
    .map((name) => {
      const text = readFileSync(join(root, name), 'utf8');
      return {
        code: readAnnotations(text).code,
        kernel: /kernel: ([\d.]+)/.exec(text)?.[1] ?? '6.1',
      };
    });
}

type Mutation = {
  readonly kind: 'delete' | 'double' | 'swap' | 'cut' | 'move';
  readonly at: number;
  readonly to: number;
};

function mutation(...kinds: Mutation['kind'][]): fc.Arbitrary<Mutation> {
  return fc.record({
    kind: fc.constantFrom(...kinds),
    at: fc.nat({ max: 10_000 }),
    to: fc.nat({ max: 10_000 }),
  });
}

/**
 * Edits of a person in the middle of work: lines go, come twice, change places; the text ends
 * early.
 */
function mutate(code: string, { kind, at, to }: Mutation): string {
  const lines = code.split('\n');
  const i = at % lines.length;
  const index = to % lines.length;
  switch (kind) {
    case 'delete':
      lines.splice(i, 1);
      break;
    case 'double':
      lines.splice(i, 0, lines[i]!);
      break;
    case 'swap':
      [lines[i], lines[index]] = [lines[index]!, lines[i]!];
      break;
    case 'move':
      lines.splice(index, 0, ...lines.splice(i, 1));
      break;
    case 'cut':
      return code.slice(0, at % code.length);
  }
  return lines.join('\n');
}

function mutated(...kinds: Mutation['kind'][]): fc.Arbitrary<{ kernel: string; code: string }> {
  return fc
    .record({
      driver: fc.constantFrom(...drivers),
      mutations: fc.array(mutation(...kinds), { minLength: 0, maxLength: 3 }),
    })
    .map(({ driver, mutations }) => ({
      kernel: driver.kernel,
      code: mutations.reduce(mutate, driver.code),
    }));
}

/** How often each rule speaks, by severity. */
function count(findings: readonly Finding[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { rule, severity } of findings)
    counts.set(`${rule} ${severity}`, (counts.get(`${rule} ${severity}`) ?? 0) + 1);
  return counts;
}

/** `RUNS=5000 SEED=7 npx vitest run …` looks further. */
const search = { numRuns: Number(process.env.RUNS ?? 200) };

describe('whatever a person does to a driver', () => {
  test('no rule throws, findings and fixes stay in the text, edits do not overlap', () => {
    fc.assert(
      fc.property(mutated('delete', 'double', 'swap', 'cut', 'move'), ({ code, kernel }) => {
        for (const { site, fix, message, related } of analyseText(code, kernel)) {
          expect(site.path).toBe(MAIN);
          expect(0 <= site.start && site.start <= site.end && site.end <= code.length).toBe(true);
          expect(message).not.toMatch(/undefined|null\b|\[object|alloc:|param:/);
          // Two of them may be what a long message had no room for.
          expect(related.length).toBeLessThanOrEqual(11);
          if (fix) expect(applyFix(code, fix)).not.toBe(code);
        }
      }),
      search,
    );
  }, 600_000);

  // Lines that are missing are what people forget; code in a wrong order may hide one defect behind
  // another.
  test('a safe fix takes its finding away and brings no other', () => {
    fc.assert(
      fc.property(mutated('delete'), ({ code, kernel }) => {
        const before = analyseText(code, kernel);
        for (const finding of before) {
          if (finding.fix?.safety !== 'safe') continue;
          const fixed = applyFix(code, finding.fix);
          const after = count(analyseText(fixed, kernel));
          const expected = count(before.filter((one) => one !== finding));
          for (const [key, times] of after)
            expect(
              times,
              `${finding.rule}: ${finding.fix.title}: ${key}\n${fixed}`,
            ).toBeLessThanOrEqual(expected.get(key) ?? 0);
        }
      }),
      search,
    );
  }, 600_000);
});
