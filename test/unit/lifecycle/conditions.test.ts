import { describe, expect, test } from 'vitest';
import {
  areAlternatives,
  evaluateTest,
  isExcluded,
  macrosOf,
  tokensOf,
  undecided,
} from '../../../server/src/lifecycle/module/preprocessor.ts';
import { factsOf } from '../../support/analyse.ts';

describe('a preprocessor test for one target kernel', () => {
  test.each([
    ['LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)', [6, 0], 'true'],
    ['LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)', [6, 1], 'false'],
    ['LINUX_VERSION_CODE >= KERNEL_VERSION(6,1,0)', [6, 12], 'true'],
    ['KERNEL_VERSION(6,1,0) > LINUX_VERSION_CODE', [5, 15], 'true'],
    ['LINUX_VERSION_CODE > KERNEL_VERSION(6,1,20)', [6, 1], 'unknown'],
    ['LINUX_VERSION_CODE == KERNEL_VERSION(6,1,0)', [6, 2], 'false'],
    ['LINUX_VERSION_CODE != KERNEL_VERSION(6,1,0)', [6, 2], 'true'],
    ['!(LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0))', [6, 1], 'true'],
    ['LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0) && defined(RHEL)', [6, 1], 'false'],
    ['LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0) && defined(RHEL)', [6, 0], 'unknown'],
    ['defined RHEL || LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0)', [6, 1], 'true'],
    ['RHEL_RELEASE_CODE >= RHEL_RELEASE_VERSION(9, 2)', [6, 1], 'unknown'],
    ['IS_ENABLED(CONFIG_X)', [6, 1], 'unknown'],
    ['HAVE_ALLOC', [6, 1], 'unknown'],
    ['0', [6, 1], 'false'],
    ['1', [6, 1], 'true'],
    [`${'('.repeat(20)}1${')'.repeat(20)}`, [6, 1], 'true'],
    [`${'('.repeat(200)}1${')'.repeat(200)}`, [6, 1], 'unknown'],
    ['', [6, 1], 'unknown'],
    ['((((', [6, 1], 'unknown'],
    ['KERNEL_VERSION(', [6, 1], 'unknown'],
    ['LINUX_VERSION_CODE <', [6, 1], 'unknown'],
    ['('.repeat(100_000), [6, 1], 'unknown'],
  ] as const)('%s on %j', (expression, kernel, expected) => {
    expect(evaluateTest(expression, kernel)).toBe(expected);
  });

  test('code in an arm that the version rules out is excluded', () => {
    const old = [{ test: 'LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)', holds: true }];
    expect(isExcluded(old, [6, 1])).toBe(true);
    expect(isExcluded(old, [6, 0])).toBe(false);
    expect(isExcluded([{ ...old[0]!, holds: false }], [6, 0])).toBe(true);
    expect(isExcluded([{ test: 'HAVE_ALLOC', holds: false }], [6, 1])).toBe(false);
    expect(undecided([...old, { test: 'HAVE_ALLOC', holds: false }], [6, 1])).toEqual([
      { test: 'HAVE_ALLOC', holds: false },
    ]);
  });

  test('opposite arms of one test are alternatives', () => {
    expect(
      areAlternatives(
        [{ test: 'A', holds: true }],
        [
          { test: 'B', holds: true },
          { test: 'A', holds: false },
        ],
      ),
    ).toBe(true);
    expect(areAlternatives([{ test: 'A', holds: true }], [{ test: 'A', holds: true }])).toBe(false);
  });
});

describe('the tokens of a test', () => {
  const isKept = (one: string, others: readonly string[]): boolean => {
    const first = tokensOf(one);
    others.forEach(tokensOf);
    return tokensOf(one) === first;
  };

  test('are kept while others are asked about', () => {
    // All are dropped at once, which may be after the first of these, but then not after the next.
    expect([isKept('A1 && B1', ['C1']), isKept('A2 && B2', ['C2'])]).toContain(true);
  });

  test('are not kept for ever', () => {
    const others = Array.from({ length: 5_000 }, (_, i) => `OTHER${i}`);
    expect(isKept('A3 && B3', others)).toBe(false);
  });
});

describe('macros of the driver that stand for a version', () => {
  const NEW = '#define FOO_NEW (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0)) /* allocates */\n';
  const OLD = '#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)\n#define FOO_OLD\n#endif\n';

  test.each([
    [NEW, 'FOO_NEW', '6.1', 'true'],
    [NEW, 'FOO_NEW', '6.0', 'false'],
    [NEW, '!FOO_NEW || BAR', '6.0', 'true'],
    [NEW, 'defined(FOO_NEW) && !FOO_NEW', '6.0', 'true'],
    [OLD, 'FOO_OLD', '6.0', 'true'],
    [OLD, 'FOO_OLD', '6.1', 'false'],
    [OLD, 'defined FOO_OLD', '6.1', 'false'],
    ['#ifdef HAVE_X\n#define FOO_OLD\n#endif\n', 'FOO_OLD', '6.1', 'unknown'],
    ['int x;\n#ifndef FOO_OLD\n#define FOO_OLD 1\n#endif\n', 'FOO_OLD', '6.1', 'unknown'],
    ['#define A B\n#define B A\n', 'A', '6.1', 'unknown'],
    ['#define A B\n#define B C\n#define C 1\n', 'A', '6.1', 'true'],
    [
      `${Array.from({ length: 5_000 }, (_, i) => `#define A${i} A${i + 1}\n`).join('')}`,
      'A0',
      '6.1',
      'unknown',
    ],
    ['', 'FOO_OLD', '6.1', 'unknown'],
  ])('case %#', (code, expression, kernel, expected) => {
    const { module, kernel: version } = factsOf(code, kernel);
    expect(evaluateTest(expression, version, macrosOf(module, version))).toBe(expected);
  });
});
