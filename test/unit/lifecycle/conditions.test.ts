import { describe, expect, test } from 'vitest';
import { areAlternatives, evaluateTest, isExcluded, undecided } from '../../../server/src/lifecycle/conditions.ts';

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
    expect(undecided([...old, { test: 'HAVE_ALLOC', holds: false }], [6, 1])).toEqual([{ test: 'HAVE_ALLOC', holds: false }]);
  });

  test('opposite arms of one test are alternatives', () => {
    expect(areAlternatives([{ test: 'A', holds: true }], [{ test: 'B', holds: true }, { test: 'A', holds: false }])).toBe(true);
    expect(areAlternatives([{ test: 'A', holds: true }], [{ test: 'A', holds: true }])).toBe(false);
  });
});
