/**
 * The form of the rows that have no effect on the life of a device: what they say is for people,
 * and for the test that a kernel has them.
 */
import type { ApiEntry, KernelRange, Source } from './types.ts';

/** The headers that declare them. */
export const VFIO_H = 'linux/vfio.h';
export const CORE_H = 'linux/vfio_pci_core.h';
export const MDEV_H = 'linux/mdev.h';
export const PLATFORM_H = 'drivers/vfio/platform/vfio_platform_private.h';

type Row = Pick<ApiEntry, 'name' | 'kind' | 'summary' | 'header'> &
  Partial<
    Pick<
      ApiEntry,
      | 'owner'
      | 'isPrivate'
      | 'contract'
      | 'context'
      | 'ownership'
      | 'errors'
      | 'replacement'
      | 'sources'
    >
  > & {
    /** From old to new, without a gap between kernels that have it. */
    readonly signatures: readonly (readonly [kernels: KernelRange, text: string])[];
  };

/**
 * A row of something that neither takes nor ends anything of the device; its kernels are those of
 * its signatures.
 */
export function helper({ signatures, contract = [], ...row }: Row): ApiEntry {
  const [first] = signatures[0]!;
  const [last] = signatures.at(-1)!;
  return {
    model: 'general',
    kernels: {
      ...(first.since === undefined ? {} : { since: first.since }),
      ...(last.until === undefined ? {} : { until: last.until }),
      ...(first.backports === undefined ? {} : { backports: first.backports }),
    },
    signatures: signatures.map(([kernels, text]) => ({ kernels, text })),
    contract,
    behaviours: [],
    commits: [],
    ...row,
  };
}

/** A function, or a table, of a kernel's source that shows what a row says. */
export function source(kernel: string, file: string, shows: string): Source {
  return { kernel, file, shows };
}
