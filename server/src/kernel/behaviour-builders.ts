/** Short forms that the tables of the kernel are written with. */
import type { Behaviour, Effect, KernelRange } from './types.ts';
import { parseVersion } from './version.ts';

/** Every kernel. */
export const ALWAYS: KernelRange = {};

/**
 * `from('6.1')` is 6.1 and later; `from('5.13', '6.1')` ends before 6.1. Throws on a version that
 * does not parse: a typing error in a table.
 */
export function from(since: string, until?: string): KernelRange {
  return until === undefined
    ? { since: version(since) }
    : { since: version(since), until: version(until) };
}

/**
 * The range with the long-term series that took it later: `backported(from('5.13'), '5.10.137')`.
 */
export function backported(range: KernelRange, ...releases: string[]): KernelRange {
  return { ...range, backports: releases.map(version) };
}

/** The names in a list that is written with blanks and line ends between them. */
export function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}

/** `before('5.13')` is 5.12 and earlier. */
export function before(until: string): KernelRange {
  return { until: version(until) };
}

function version(text: string) {
  const parsed = parseVersion(text);
  if (!parsed) throw new Error(`not a kernel version: ${text}`);
  return parsed;
}

/** A call that returns nothing and cannot fail. */
export function returnsVoid(kernels: KernelRange, ...success: Effect[]): Behaviour {
  return { kernels, errors: 'void', success };
}

/**
 * A call that returns 0 or a negative errno; a failed call has done nothing unless `failure` says
 * so.
 */
export function returnsErrno(
  kernels: KernelRange,
  success: readonly Effect[] = [],
  failure: readonly Effect[] = [],
): Behaviour {
  return { kernels, errors: 'errno', success, failure };
}

/** A call whose value tells nothing about success. */
export function returnsValue(kernels: KernelRange, ...success: Effect[]): Behaviour {
  return { kernels, errors: 'value', success };
}

/** A call that returns a pointer or NULL. */
export function returnsPointer(kernels: KernelRange, ...success: Effect[]): Behaviour {
  return { kernels, errors: 'null-ptr', success };
}

/** A call that returns a pointer or ERR_PTR, never NULL. */
export function returnsErrPtr(kernels: KernelRange, ...success: Effect[]): Behaviour {
  return { kernels, errors: 'err-ptr', success };
}
