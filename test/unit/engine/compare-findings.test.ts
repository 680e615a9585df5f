import { describe, expect, test } from 'vitest';
import { firstNew } from '../../../server/src/engine/compare-findings.ts';
import { keyOf } from '../../../server/src/engine/prove.ts';
import type { Finding, Severity } from '../../../server/src/rules/types.ts';

function found(rule: string, severity: Severity, functionName = 'foo_probe'): Finding {
  const site = { path: '/foo.c', start: 0, end: 1 };
  return { rule, severity, message: rule, site, functionName, related: [], fix: null };
}

const isNew = (before: Finding[], after: Finding[]): boolean =>
  firstNew(after, keyOf, [before], keyOf) !== undefined;

describe('a change of a module adds', () => {
  test.each<[string, Finding[], Finding[], boolean]>([
    ['nothing to what was there', [found('a', 'error')], [found('a', 'error')], false],
    [
      'nothing where a finding has become quieter',
      [found('a', 'error')],
      [found('a', 'hint')],
      false,
    ],
    ['a hint', [], [found('a', 'hint')], true],
    [
      'an information',
      [found('b', 'error')],
      [found('b', 'error'), found('a', 'information')],
      true,
    ],
    ['an error where a hint was', [found('a', 'hint')], [found('a', 'error')], true],
    [
      'a warning beside an error',
      [found('a', 'error')],
      [found('a', 'error'), found('a', 'warning')],
      true,
    ],
    [
      'an error in another function',
      [found('a', 'error')],
      [found('a', 'error', 'foo_remove')],
      true,
    ],
  ])('%s', (_, before, after, expected) => {
    expect(isNew(before, after)).toBe(expected);
  });

  test('nothing that one of several earlier states had', () => {
    const one = found('a', 'warning');
    expect(firstNew([one], keyOf, [[], [one]], keyOf)).toBeUndefined();
  });
});
