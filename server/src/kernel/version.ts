import type { KernelRange, KernelVersion } from './types.ts';

const DOTTED = /^v?(\d{1,3})\.(\d{1,3})(?:\.\d{1,5}){0,2}(?:[-+_~][\w.+~:-]{0,64})?$/;
const MACRO = /^KERNEL_VERSION\s*\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*\d{1,5}\s*\)$/;
const CODE = /^(?:0x[\da-f]{1,8}|\d{5,9})$/i;

/**
 * Reads a kernel version. Takes what people and build systems write: `6.1`, `v6.1.192`, `6.1-rc7`,
 * `6.1.0-13-amd64`,
 * `KERNEL_VERSION(6, 1, 0)` and the number that LINUX_VERSION_CODE is (`393472`, `0x60100`).
 * Returns undefined for anything else; never throws.
 */
export function parseVersion(text: string): KernelVersion | undefined {
  // A version is short: longer text is no version, and is not worth a match.
  if (text.length > 120) return undefined;
  const trimmed = text.trim();
  const dotted = DOTTED.exec(trimmed) ?? MACRO.exec(trimmed);
  if (dotted) return plausible(Number(dotted[1]), Number(dotted[2]));
  if (CODE.test(trimmed)) {
    const code = Number(trimmed);
    return plausible(Math.floor(code / 65536), Math.floor(code / 256) % 256);
  }
  return undefined;
}

/**
 * LINUX_VERSION_CODE keeps major and minor in one byte each; a major of 0 or 1 has no such code in
 * it.
 */
function plausible(major: number, minor: number): KernelVersion | undefined {
  return major >= 2 && major <= 255 && minor <= 255 ? [major, minor] : undefined;
}

/**
 * Negative when `left` is older than `right`, 0 when they are the same release, positive when it is
 * newer.
 */
export function compareVersions(left: KernelVersion, right: KernelVersion): number {
  return left[0] - right[0] || left[1] - right[1];
}

/** `6.1` for [6, 1]. */
export function formatVersion(version: KernelVersion): string {
  return `${version[0]}.${version[1]}`;
}

/**
 * True when `version` is in `range`: `since` is inclusive, `until` exclusive, a missing end is
 * open.
 */
export function inRange(version: KernelVersion, range: KernelRange): boolean {
  return (
    (!range.since || compareVersions(version, range.since) >= 0) &&
    (!range.until || compareVersions(version, range.until) < 0)
  );
}

/** 0 inside the range, -1 when the range lies before `version`, 1 when it lies after it. */
export function sideOf(version: KernelVersion, range: KernelRange): -1 | 0 | 1 {
  if (range.since && compareVersions(version, range.since) < 0) return 1;
  return range.until && compareVersions(version, range.until) >= 0 ? -1 : 0;
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
  let older: T | undefined;
  for (const item of items) {
    const side = sideOf(version, item.kernels);
    if (side === 0) return item;
    if (side === -1) older = item;
    else return older ?? item;
  }
  return older;
}
