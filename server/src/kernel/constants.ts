/** The numbers that names of the kernel's own headers stand for. */
import type { KernelRange, KernelVersion } from './types.ts';
import { inRange } from './version.ts';

interface Constant {
  readonly value: number;
  readonly kernels: KernelRange;
}

/** The second migration protocol: before it the same names were flags. */
const SINCE_V2: KernelRange = { since: [5, 18] };
const SINCE_PRE_COPY: KernelRange = { since: [6, 2] };

/**
 * enum vfio_device_mig_state (v6.12 include/uapi/linux/vfio.h:1213). A driver compares its state
 * with each of them in turn: who does not know that they differ sees paths through many arms.
 */
const CONSTANTS: ReadonlyMap<string, Constant> = new Map([
  ['VFIO_DEVICE_STATE_ERROR', { value: 0, kernels: SINCE_V2 }],
  ['VFIO_DEVICE_STATE_STOP', { value: 1, kernels: SINCE_V2 }],
  ['VFIO_DEVICE_STATE_RUNNING', { value: 2, kernels: SINCE_V2 }],
  ['VFIO_DEVICE_STATE_STOP_COPY', { value: 3, kernels: SINCE_V2 }],
  ['VFIO_DEVICE_STATE_RESUMING', { value: 4, kernels: SINCE_V2 }],
  ['VFIO_DEVICE_STATE_RUNNING_P2P', { value: 5, kernels: SINCE_V2 }],
  ['VFIO_DEVICE_STATE_PRE_COPY', { value: 6, kernels: SINCE_PRE_COPY }],
  ['VFIO_DEVICE_STATE_PRE_COPY_P2P', { value: 7, kernels: SINCE_PRE_COPY }],
]);

/** The number of a name in a kernel; null for a name of which it is not known. */
export function kernelConstant(name: string, kernel: KernelVersion): number | null {
  const constant = CONSTANTS.get(name);
  return constant && inRange(kernel, constant.kernels) ? constant.value : null;
}

/** Whether the name has a number in some kernel. */
export function isKernelConstant(name: string): boolean {
  return CONSTANTS.has(name);
}
