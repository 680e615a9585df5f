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
