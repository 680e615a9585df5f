/** What stands in the way of a conversion is told beside the findings that it would take away. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createEngine } from '../../../server/src/engine/analyse.ts';
import { withAllObstacles } from '../../../server/src/engine/convertibility.ts';
import { kernelStages } from '../../../server/src/engine/pipeline.ts';
import { loadParser } from '../../support/parser.ts';
import { kernel, single } from './support.ts';

const engine = createEngine(await loadParser(), kernelStages);

/**
 * What is told beside the findings on the old model in a fixture, as `line of the obstacle:
 * sentence`.
 */
function toldOf(name: string, target: string): string[] {
  const input = single(
    readFileSync(new URL(`../../fixtures/convert/${name}`, import.meta.url), 'utf8'),
  );
  const { findings } = engine.analyse(input, {}, kernel(target));
  const told = withAllObstacles(engine, input, kernel(target), findings).filter(
    (one) => one.convertible,
  );
  expect(told.length).toBeGreaterThan(0);
  const { text } = input.sources[0]!;
  return told.flatMap(({ related }) =>
    related.map(
      ({ site, message }) => `${text.slice(0, site.start).split('\n').length}: ${message}`,
    ),
  );
}

describe('a finding on the old model', () => {
  test.each([
    [
      'removed-api',
      'refused-atomic.c',
      '6.1',
      /^22: cannot be converted automatically: `GFP_ATOMIC`: [^]*[^.] \(line 22\)$/,
    ],
    [
      'removed-api',
      'refused-array.c',
      '6.6',
      /^22: cannot be converted automatically: kcalloc\(\) allocates an array; [^]* \(line 22\)$/,
    ],
    [
      'deprecated-init-group-dev',
      'refused-array.c',
      '6.0',
      /^22: cannot be converted automatically: kcalloc\(\)/,
    ],
  ])('%s has the obstacle of %s for %s', (_, name, target, message) => {
    expect(toldOf(name, target)).toContainEqual(expect.stringMatching(message));
  });

  test.each(['alias.c', 'helper-creates.c'])('has none where there is a plan: %s', (name) => {
    expect(toldOf(name, '6.1')).toEqual([]);
  });
});
