import { expect, test } from 'vitest';
import { isKnownKernel, KNOWN_KERNELS } from '../../../server/src/kernel/known-kernels.ts';
import { API_ENTRIES } from '../../../server/src/kernel/lifecycle-api.ts';
import { INTERFACE_CHANGES } from '../../../server/src/kernel/interface-changes.ts';
import type { KernelVersion } from '../../../server/src/kernel/types.ts';
import { formatVersion, parseVersion } from '../../../server/src/kernel/version.ts';

test('every release at which a table changes is known', () => {
  const borders = API_ENTRIES.flatMap(({ kernels, signatures }) => [
    kernels,
    ...signatures.map((one) => one.kernels),
  ])
    .flatMap(({ since, until }) => [since, until])
    .filter((one): one is KernelVersion => one?.length === 2);
  const all = [...borders, ...INTERFACE_CHANGES.map((one) => one.since)].map(formatVersion);
  expect(all.length).toBeGreaterThan(50);
  expect(all.filter((one) => !KNOWN_KERNELS.includes(one))).toEqual([]);
});

test.each([
  ['5.10', true],
  ['6.19', true],
  ['6.0', true],
  ['4.19', false],
  ['5.9', false],
  ['5.20', false],
  ['6.20', false],
  ['6.99', false],
  ['7.0', true],
  ['7.1', true],
  ['7.2', false],
])('%s: %s', (text, known) => {
  expect(isKnownKernel(parseVersion(text)!)).toBe(known);
  expect(KNOWN_KERNELS.includes(text)).toBe(known);
});
