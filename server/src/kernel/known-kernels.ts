/**
 * The kernels that the tables speak of. Of an older or a later one they would say what is only true
 * of its neighbours.
 */
import { compareVersions, formatVersion } from './version.ts';
import type { KernelVersion } from './types.ts';

/**
 * The first and the last release of each major number whose headers the tables were read off
 * (5.10.y and later).
 */
const KNOWN: readonly { readonly first: KernelVersion; readonly last: KernelVersion }[] = [
  { first: [5, 10], last: [5, 19] },
  { first: [6, 0], last: [6, 19] },
  { first: [7, 0], last: [7, 1] },
];

/** The newest kernel of the old model: what a driver that is to be converted was written for. */
export const LAST_OF_OLD_MODEL: KernelVersion = [6, 0];

/** Every known release, such as `6.1`, the oldest first. */
export const KNOWN_KERNELS: readonly string[] = KNOWN.flatMap(({ first, last }) =>
  Array.from({ length: last[1] - first[1] + 1 }, (_, i) => formatVersion([first[0], first[1] + i])),
);

/** Whether the tables say something of this kernel. */
export function isKnownKernel(version: KernelVersion): boolean {
  return KNOWN.some(
    ({ first, last }) =>
      compareVersions(version, first) >= 0 && compareVersions(version, last) <= 0,
  );
}
