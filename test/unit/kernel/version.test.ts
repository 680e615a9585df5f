import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KernelRange, KernelVersion } from '../../../server/src/kernel/types.ts';
import {
  compareVersions,
  formatVersion,
  inRange,
  nearest,
  parseVersion,
  sideOf,
  uncertainBackport,
} from '../../../server/src/kernel/version.ts';

describe('parseVersion', () => {
  it.each<[string, KernelVersion]>([
    ['6.1', [6, 1]],
    ['v6.1.192', [6, 1]],
    ['6.1-rc7', [6, 1]],
    ['6.1.0-13-amd64', [6, 1]],
    [' 5.15.0-1053.61~20.04.1-azure ', [5, 15]],
    ['6.12.0+deb13', [6, 12]],
    ['2.6.32', [2, 6]],
    ['2.6.32.71', [2, 6]],
    ['KERNEL_VERSION(6, 1, 0)', [6, 1]],
    ['393472', [6, 1]],
    ['0x60c00', [6, 12]],
    ['394239', [6, 3]],
    ['5.10', [5, 10]],
    ['5.10.198', [5, 10, 198]],
    ['v5.10.0-28-amd64', [5, 10, 0]],
    ['KERNEL_VERSION(5, 18, 18)', [5, 18, 18]],
    ['5.15.198', [5, 15]],
  ])('reads %s', (text, version) => expect(parseVersion(text)).toEqual(version));

  it.each([
    '',
    '6',
    '6.',
    '.1',
    '6.x',
    'six',
    '6.1.2.3.4',
    '6..1',
    '6.1 6.2',
    '1000.1',
    '6.1; rm',
    '0.0',
    '12',
    '999999999',
    '6.1-' + 'a'.repeat(200),
    '6.1\u0000',
    '٦.١',
    'v',
    'NaN',
    'Infinity',
    '0x',
  ])('refuses %j', (text) => expect(parseVersion(text)).toBeUndefined());

  it('takes any text', () =>
    fc.assert(
      fc.property(fc.string(), (text) => {
        const version = parseVersion(text);
        if (version) expect(parseVersion(formatVersion(version))).toEqual(version);
      }),
    ));
});

const anyVersion = fc.tuple(fc.integer({ min: 2, max: 9 }), fc.integer({ min: 0, max: 30 }));

describe('order', () => {
  it('is by major, then by minor', () => {
    expect(compareVersions([5, 19], [6, 0])).toBeLessThan(0);
    expect(compareVersions([6, 12], [6, 2])).toBeGreaterThan(0);
    expect(compareVersions([6, 1], [6, 1])).toBe(0);
  });

  it('round-trips through text', () =>
    fc.assert(
      fc.property(anyVersion, (version) => {
        expect(parseVersion(formatVersion(version))).toEqual(version);
      }),
    ));
});

describe('ranges', () => {
  const old: KernelRange = { since: [5, 13], until: [6, 1] };
  it.each<[KernelVersion, boolean, number]>([
    [[5, 12], false, 1],
    [[5, 13], true, 0],
    [[6, 0], true, 0],
    [[6, 1], false, -1],
  ])('%j', (version, inside, side) => {
    expect(inRange(version, old)).toBe(inside);
    expect(sideOf(version, old)).toBe(side);
  });

  it('an open range holds all', () =>
    fc.assert(
      fc.property(anyVersion, (version) => {
        expect(inRange(version, {})).toBe(true);
      }),
    ));

  it('falls back to the nearest older item, then to the nearest newer one', () => {
    const items = [
      { kernels: { since: [5, 0], until: [5, 5] } },
      { kernels: { since: [5, 10], until: [6, 1] } },
    ] as const;
    expect(nearest([5, 12], items)).toBe(items[1]);
    expect(nearest([6, 6], items)).toBe(items[1]);
    expect(nearest([5, 7], items)).toBe(items[0]);
    expect(nearest([4, 0], items)).toBe(items[0]);
    expect(nearest([4, 0], [])).toBeUndefined();
  });
});

describe('a long-term series that took it later', () => {
  const range: KernelRange = {
    since: [5, 13],
    until: [6, 1],
    backports: [
      [5, 10, 137],
      [5, 11],
    ],
  };
  it.each<[KernelVersion, number, boolean]>([
    [[5, 10, 136], 1, false],
    [[5, 10, 137], 0, false],
    [[5, 10, 198], 0, false],
    [[5, 10], 1, true],
    [[5, 11], 1, true],
    [[5, 12], 1, false],
    [[5, 13], 0, false],
    [[6, 1], -1, false],
  ])('%j', (version, side, isUncertain) => {
    expect(sideOf(version, range)).toBe(side);
    expect(inRange(version, range)).toBe(side === 0);
    expect(uncertainBackport(version, range) !== undefined).toBe(isUncertain);
  });

  it('is not what other kernels are nearest to', () => {
    const items = [
      { kernels: { since: [5, 13], until: [5, 13], backports: [[5, 10, 137]] } as KernelRange },
      { kernels: { since: [5, 13] } as KernelRange },
    ];
    expect(nearest([5, 10, 198], items)).toBe(items[0]);
    for (const version of [
      [5, 10],
      [5, 12],
      [5, 13],
      [6, 2],
    ] as const)
      expect(nearest(version, items)).toBe(items[1]);
  });
});
