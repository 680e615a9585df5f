/** A conversion is planned once for all who ask about the same texts. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { loadParser } from '../../support/parser.ts';
import { kernel, single } from './support.ts';

const CONVERSION = '../../../server/src/convert/index.ts';
const planned: string[] = [];

// Files of this project share their modules: the engine here is one of its own, over a conversion
// that counts.
vi.resetModules();
vi.doMock(import('../../../server/src/convert/index.ts'), async (original) => {
  const real = await original();
  return {
    ...real,
    prepareConversion: (...given: Parameters<typeof real.prepareConversion>) => {
      planned.push(given[0].module.sources[0]!.text);
      return real.prepareConversion(...given);
    },
  };
});
const { createEngine } = await import('../../../server/src/engine/analyse.ts');
const { convert, planOf } = await import('../../../server/src/engine/convert.ts');
const { withAllObstacles } = await import('../../../server/src/engine/convertibility.ts');
const { convertFolding } = await import('../../../server/src/engine/fold.ts');
const { kernelStages } = await import('../../../server/src/engine/pipeline.ts');

afterAll(() => {
  vi.doUnmock(CONVERSION);
  vi.resetModules();
});

const engine = createEngine(await loadParser(), kernelStages);
const TEXT = readFileSync(new URL('../../fixtures/convert/alias.c', import.meta.url), 'utf8');
const TARGET = kernel('6.1');

/** How often a text was planned for. */
function countOf(text: string): number {
  return planned.filter((one) => one === text).length;
}

beforeEach(() => {
  planned.length = 0;
  engine.forget('/w/a.c');
});

describe('a plan', () => {
  test('is made once for an offer, for both styles of its conversion and asked again', () => {
    const offer = planOf(engine, single(TEXT), TARGET, undefined);
    expect(offer.status).toBe('planned');
    expect(convert(engine, single(TEXT), TARGET, undefined).status).toBe('converted');
    expect(convertFolding(engine, single(TEXT), TARGET, undefined).status).toBe('converted');
    expect(planOf(engine, single(TEXT), TARGET, undefined)).toEqual(offer);
    expect(countOf(TEXT)).toBe(1);
  });

  test('what stands beside a finding is the plan of its function', () => {
    const { findings } = engine.analyse(single(TEXT), {}, TARGET);
    const convertible = findings.filter((one) => one.convertible);
    expect(convertible.length).toBeGreaterThan(0);
    withAllObstacles(engine, single(TEXT), TARGET, findings);
    for (const { functionName } of convertible)
      planOf(engine, single(TEXT), TARGET, functionName ?? undefined);
    expect(countOf(TEXT)).toBe(new Set(convertible.map((one) => one.functionName)).size);
  });

  test('gives the conversion that one made anew gives', async () => {
    planOf(engine, single(TEXT), TARGET, undefined);
    const other = createEngine(await loadParser(), kernelStages);
    expect(convert(engine, single(TEXT), TARGET, undefined)).toEqual(
      convert(other, single(TEXT), TARGET, undefined),
    );
  });

  test.each([
    ['another text', single(`${TEXT}\n`), TARGET, undefined],
    ['another target', single(TEXT), kernel('6.6'), undefined],
    ['another function', single(TEXT), TARGET, 'no_such_function'],
    ['another wrapper', { ...single(TEXT), wrappers: new Map() }, TARGET, undefined],
  ] as const)('is made anew for %s', (_, input, target, functionName) => {
    planOf(engine, single(TEXT), TARGET, undefined);
    planOf(engine, input, target, functionName);
    expect(planned.length).toBe(2);
  });

  test('is kept beside that of the module it is converted with, until its text is another', () => {
    const joined = (text: string): ReturnType<typeof single> => ({
      ...single(text),
      sources: [...single(text).sources, { path: '/w/b.c', text: '' }],
    });
    const ask = (text: string): void => {
      planOf(engine, single(text), TARGET, undefined);
      planOf(engine, joined(text), TARGET, undefined);
    };
    ask(TEXT);
    ask(TEXT);
    expect(countOf(TEXT)).toBe(2);
    ask(`${TEXT}\n`);
    ask(TEXT);
    expect(countOf(TEXT)).toBe(4);
  });

  test('goes with its document', () => {
    planOf(engine, single(TEXT), TARGET, undefined);
    engine.forget('/w/a.c');
    planOf(engine, single(TEXT), TARGET, undefined);
    expect(countOf(TEXT)).toBe(2);
  });
});
