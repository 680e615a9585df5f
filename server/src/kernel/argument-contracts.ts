/** What each argument of a call of the interface must be, in one sentence. */
import type { ApiEntry, Behaviour, EffectOp, KernelVersion } from './types.ts';
import { nearest } from './version.ts';

/** By function and the name of its parameter: include/linux/vfio.h of v6.1 and v5.15. */
const NAMED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  vfio_alloc_device: {
    dev_struct: 'The tag of the container, without the word `struct`.',
    member: 'The path of the `struct vfio_device` in the container. It has to be the first member.',
    dev: 'The parent, such as `&pdev->dev`. It has to live until the last reference is dropped.',
    ops: 'The ops table. Its `.init` runs inside this call. Its `.release` runs when the last reference is dropped.',
  },
  vfio_init_group_dev: {
    device:
      'Zeroed memory of the driver. The driver frees it, after `vfio_uninit_group_dev()` from 5.15 on.',
    dev: 'The parent, such as `&pdev->dev`.',
    ops: 'The ops table.',
  },
  vfio_assign_device_set: {
    set_id:
      'A pointer that the devices of one set share, such as `pdev->bus`; the container for a set of its own.',
  },
};

/** What a call does to the argument that is the device. */
const BY_EFFECT: Partial<Record<EffectOp, string>> = {
  init: 'Memory of the driver. The driver undoes the initialisation and frees the memory.',
  uninit: 'An initialised device that is no longer registered.',
  'init-device': 'Memory of the driver that contains a device.',
  register:
    'An initialised device that is ready: users may open it before the call returns. A failed call registers nothing and drops nothing.',
  unregister: 'A registered device. When the call returns, nobody has it open.',
  get: 'A device that is registered or held. The caller must drop the reference again.',
  put: 'A device whose reference the caller holds. Do not use the container after the call.',
  'free-device': 'A device whose last reference is dropped: only in `.release`.',
  'core-init': 'The device that `.init` is called for.',
  'core-release': 'The device that `.release` is called for.',
  'assign-set': 'A device that is not registered yet.',
};

/** By the name of a parameter, where no row and no effect says more. */
const BY_NAME: Readonly<Record<string, string>> = {
  dev: 'The parent, such as `&pdev->dev`.',
  ops: 'The ops table.',
  vdev: 'The device.',
  device: 'The device.',
  core_vdev: 'The `vfio_device` in the core device.',
};

/**
 * What the argument `position` of a call has to be; empty where nothing is known.
 * @param parameter its declaration: `struct vfio_device *device`.
 */
export function argumentContract(
  entry: ApiEntry,
  position: number,
  parameter: string,
  kernel: KernelVersion,
): string {
  const name = parameter.match(/\w+/g)?.at(-1) ?? '';
  const row = NAMED[entry.name];
  const named = row !== undefined && Object.hasOwn(row, name) ? row[name] : undefined;
  if (named !== undefined) return named;
  const behaviour: Behaviour | undefined = nearest(kernel, entry.behaviours);
  const effect = behaviour?.success.find((one) => 'target' in one && one.target === position);
  const text = effect && BY_EFFECT[effect.op];
  return text ?? (Object.hasOwn(BY_NAME, name) ? BY_NAME[name]! : '');
}
