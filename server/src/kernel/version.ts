/** Reads, compares and writes kernel versions. */
import type { KernelRange, KernelVersion } from './types.ts';

const DOTTED = /^v?(\d{1,3})\.(\d{1,3})(?:\.(\d{1,5})(?:\.\d{1,5})?)?(?:[-+_~][\w.+~:-]{0,64})?$/;
const MACRO = /^KERNEL_VERSION\s*\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,5})\s*\)$/;
const CODE = /^(?:0x[\da-f]{1,8}|\d{5,9})$/i;

/**
 * Series in which the tables tell sublevels apart. The releases of any other have the interface of
 * their first one, as far as it is known.
 */
const TOLD_APART: readonly KernelVersion[] = [
  [5, 10],
  [5, 18],
];

/**
 * Reads a kernel version. Takes what people and build systems write: `6.1`, `v6.1.192`, `6.1-rc7`,
 * `6.1.0-13-amd64`,
 * `KERNEL_VERSION(6, 1, 0)` and the number that LINUX_VERSION_CODE is (`393472`, `0x60100`).
 * The sublevel is kept in the series where it decides, as far as it is written.
 * Returns undefined for anything else; never throws.
 */
export function parseVersion(text: string): KernelVersion | undefined {
  // A version is short: longer text is no version, and is not worth a match.
  if (text.length > 120) return undefined;
  const trimmed = text.trim();
  const dotted = DOTTED.exec(trimmed) ?? MACRO.exec(trimmed);
  if (dotted)
    return plausible(
      Number(dotted[1]),
      Number(dotted[2]),
      dotted[3] === undefined ? undefined : Number(dotted[3]),
    );
  if (CODE.test(trimmed)) {
    const code = Number(trimmed);
    return plausible(Math.floor(code / 65536), Math.floor(code / 256) % 256, code % 256);
  }
  return undefined;
}

/**
 * LINUX_VERSION_CODE keeps major and minor in one byte each; a major of 0 or 1 has no such code in
 * it.
 */
function plausible(
  major: number,
  minor: number,
  sublevel: number | undefined,
): KernelVersion | undefined {
  if (major < 2 || major > 255 || minor > 255) return undefined;
  const series: KernelVersion = [major, minor];
  return sublevel !== undefined && TOLD_APART.some((one) => isSameSeries(one, series))
    ? [major, minor, sublevel]
    : series;
}

function isSameSeries(left: KernelVersion, right: KernelVersion): boolean {
  return left[0] === right[0] && left[1] === right[1];
}

/**
 * Negative when `left` is older than `right`, 0 when they are the same release, positive when it is
 * newer. Sublevels count where both have one.
 */
export function compareVersions(left: KernelVersion, right: KernelVersion): number {
  const series = left[0] - right[0] || left[1] - right[1];
  if (series !== 0 || left[2] === undefined || right[2] === undefined) return series;
  return left[2] - right[2];
}

/** `6.1` for [6, 1], `5.10.198` for [5, 10, 198]. */
export function formatVersion(version: KernelVersion): string {
  return version.join('.');
}

/**
 * True when `version` is in `range`: `since` is inclusive, `until` exclusive, a missing end is
 * open; so is a release of a long-term series that is known to have taken it.
 */
export function inRange(version: KernelVersion, range: KernelRange): boolean {
  return sideOf(version, range) === 0;
}

/** 0 inside the range, -1 when the range lies before `version`, 1 when it lies after it. */
export function sideOf(version: KernelVersion, range: KernelRange): -1 | 0 | 1 {
  if (range.since && compareVersions(version, range.since) < 0)
    return range.backports?.some((one) => hasTaken(version, one)) ? 0 : 1;
  return range.until && compareVersions(version, range.until) >= 0 ? -1 : 0;
}

/** Whether a release is known to have what its series took with a known sublevel. */
function hasTaken(version: KernelVersion, backport: KernelVersion): boolean {
  return (
    isSameSeries(version, backport) &&
    version[2] !== undefined &&
    backport[2] !== undefined &&
    version[2] >= backport[2]
  );
}

/**
 * The backport by which a release that is outside of a range may have it all the same: its series
 * took it with a sublevel that nobody knows, or the release is stated without its own.
 */
export function uncertainBackport(
  version: KernelVersion,
  range: KernelRange,
): KernelVersion | undefined {
  if (sideOf(version, range) !== 1) return undefined;
  return range.backports?.find(
    (one) => isSameSeries(version, one) && (version[2] === undefined || one[2] === undefined),
  );
}

/**
 * The item that holds for `version`; without one the nearest older, else the nearest newer. Old
 * code is analysed for a new
 * target before it is converted, so a call that the target no longer has must still mean what it
 * meant.
 * Items must be ordered from old to new. Returns undefined only for an empty list.
 */
export function nearest<T extends { readonly kernels: KernelRange }>(
  version: KernelVersion,
  items: readonly T[],
): T | undefined {
  const exact = items.find((item) => sideOf(version, item.kernels) === 0);
  if (exact) return exact;
  let older: T | undefined;
  for (const item of items.filter(({ kernels }) => !isOnlyBackported(kernels))) {
    if (sideOf(version, item.kernels) === 1) return older ?? item;
    older = item;
  }
  return older;
}

/** A range that only releases of a long-term series are in. */
export function isOnlyBackported({ since, until }: KernelRange): boolean {
  return since !== undefined && until !== undefined && compareVersions(since, until) === 0;
}
