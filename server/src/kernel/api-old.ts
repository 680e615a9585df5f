/** The functions of the old models, up to 6.0. */
import type { ApiEntry } from './types.ts';
import { source } from './helper-rows.ts';
import {
  backported,
  before,
  from,
  returnsErrno,
  returnsValue,
  returnsVoid,
} from './behaviour-builders.ts';

const UP_TO_5_12 = before('5.13');
const OLD_MODEL = backported(from('5.13', '6.1'), '5.10.137');
/** The releases of 5.10.y that took the old model, with an argument more. */
const LATE_5_10 = backported({ since: [5, 13], until: [5, 13] }, '5.10.137');
const OLD_MODEL_WITH_UNINIT = from('5.15', '6.1');

/**
 * The driver owns the memory: up to 5.12 the core keeps a struct of its own beside it, from 5.13 to
 * 6.0 the driver embeds it.
 */
export const OLD_API: readonly ApiEntry[] = [
  {
    name: 'vfio_init_group_dev',
    kind: 'function',
    model: 'old',
    kernels: OLD_MODEL,
    signatures: [
      {
        kernels: LATE_5_10,
        text: 'void vfio_init_group_dev(struct vfio_device *device, struct device *dev,\n\t\t\t const struct vfio_device_ops *ops, void *device_data);',
      },
      {
        kernels: from('5.13', '6.1'),
        text: 'void vfio_init_group_dev(struct vfio_device *device, struct device *dev,\n\t\t\t const struct vfio_device_ops *ops);',
      },
    ],
    summary:
      'Prepares a vfio_device that the driver has embedded in its own memory for registration.',
    contract: [
      { text: 'The memory must be zeroed: the core reads members that this call does not set.' },
      {
        kernels: from('5.13', '5.15'),
        text: 'There is nothing to undo. Free the memory only when the device is not registered.',
      },
      {
        kernels: OLD_MODEL_WITH_UNINIT,
        text: 'Every exit path must call `vfio_uninit_group_dev()` once, after unregister and before the memory is freed.',
      },
    ],
    ownership: 'The driver owns the memory before and after the call.',
    behaviours: [returnsVoid(OLD_MODEL, { op: 'init', target: 0 })],
    replacement: {
      text: '`vfio_alloc_device()` and `vfio_put_device()`',
      names: ['vfio_alloc_device', 'vfio_put_device'],
    },
    sources: [source('6.0', 'drivers/vfio/vfio_main.c', 'vfio_init_group_dev')],
    header: 'linux/vfio.h',
    commits: [
      { id: '0bfc6a4ea63c', text: 'splits it from registration', kernel: '5.13' },
      { id: 'ebb72b765fb4', text: 'removes it with its last user, vfio-ccw', kernel: '6.1' },
    ],
  },
  {
    name: 'vfio_uninit_group_dev',
    kind: 'function',
    model: 'old',
    kernels: OLD_MODEL_WITH_UNINIT,
    signatures: [
      {
        kernels: OLD_MODEL_WITH_UNINIT,
        text: 'void vfio_uninit_group_dev(struct vfio_device *device);',
      },
    ],
    summary: 'Undoes vfio_init_group_dev(): releases the device set.',
    contract: [
      {
        text: 'Call it once for each `vfio_init_group_dev()`, on every exit path, after unregister.',
      },
      { text: 'It does not free the container: free it afterwards.' },
    ],
    ownership: 'The driver still owns the memory and must free it.',
    behaviours: [returnsVoid(OLD_MODEL_WITH_UNINIT, { op: 'uninit', target: 0 })],
    replacement: {
      text: '`vfio_put_device()` instead of it and the free',
      names: ['vfio_put_device'],
    },
    sources: [source('6.0', 'drivers/vfio/vfio_main.c', 'vfio_uninit_group_dev')],
    header: 'linux/vfio.h',
    commits: [
      { id: 'ae03c3771b8c', text: 'adds it', kernel: '5.15' },
      { id: 'ebb72b765fb4', text: 'removes it', kernel: '6.1' },
    ],
  },
  {
    name: 'vfio_add_group_dev',
    kind: 'function',
    model: 'old',
    kernels: UP_TO_5_12,
    signatures: [
      {
        kernels: UP_TO_5_12,
        text: 'int vfio_add_group_dev(struct device *dev, const struct vfio_device_ops *ops,\n\t\t       void *device_data);',
      },
    ],
    summary: 'Creates a vfio_device inside the core for `dev` and registers it.',
    contract: [
      {
        text: 'The vfio_device belongs to the core; the driver sees only `device_data`, which every callback of `ops` receives.',
      },
      { text: 'Undo it with `vfio_del_group_dev()`.' },
      {
        text: 'It stores the vfio_device as the drvdata of `dev`, and `vfio_del_group_dev()` clears the drvdata. The driver must not use that drvdata.',
      },
    ],
    ownership:
      'The core owns the vfio_device. The driver owns `device_data`, and frees it on error.',
    behaviours: [
      returnsErrno(UP_TO_5_12, [
        { op: 'set-drvdata', target: 0, value: 2 },
        { op: 'init', target: 2 },
        { op: 'register', target: 2 },
      ]),
    ],
    replacement: {
      text: 'an embedded `struct vfio_device` with `vfio_init_group_dev()` (5.13 to 6.0) or `vfio_alloc_device()` (6.1 and later), and `vfio_register_group_dev()`',
      names: ['vfio_register_group_dev', 'vfio_init_group_dev', 'vfio_alloc_device'],
    },
    sources: [source('5.12', 'drivers/vfio/vfio.c', 'vfio_add_group_dev')],
    header: 'linux/vfio.h',
    commits: [{ id: '0bfc6a4ea63c', text: 'adds init and register in its place', kernel: '5.13' }],
  },
  {
    name: 'vfio_del_group_dev',
    kind: 'function',
    model: 'old',
    kernels: UP_TO_5_12,
    signatures: [{ kernels: UP_TO_5_12, text: 'void *vfio_del_group_dev(struct device *dev);' }],
    summary: 'Unregisters the device of `dev` and returns its `device_data`.',
    contract: [{ text: 'It blocks until the last user has closed the device.' }],
    ownership: 'The caller owns the returned `device_data` again.',
    errors: 'Returns the `device_data` that was passed to vfio_add_group_dev().',
    behaviours: [
      returnsValue(
        UP_TO_5_12,
        { op: 'unregister', target: 0, through: 'drvdata' },
        { op: 'uninit', target: 0, through: 'drvdata' },
        { op: 'get-drvdata', target: 0, result: 'return' },
      ),
    ],
    replacement: {
      text: '`vfio_unregister_group_dev()` on the embedded vfio_device',
      names: ['vfio_unregister_group_dev'],
    },
    sources: [source('5.12', 'drivers/vfio/vfio.c', 'vfio_del_group_dev')],
    header: 'linux/vfio.h',
    commits: [
      { id: '0bfc6a4ea63c', text: 'adds unregister of a struct vfio_device', kernel: '5.13' },
    ],
  },
  {
    name: 'vfio_device_data',
    kind: 'function',
    model: 'old',
    kernels: UP_TO_5_12,
    signatures: [
      { kernels: UP_TO_5_12, text: 'void *vfio_device_data(struct vfio_device *device);' },
    ],
    summary: 'Returns the `device_data` of a registered device.',
    contract: [
      { text: 'The caller must hold a registration count from `vfio_device_get_from_dev()`.' },
    ],
    ownership: 'Nothing changes hands.',
    errors: 'Returns the pointer unchanged; it cannot fail.',
    behaviours: [returnsValue(UP_TO_5_12)],
    replacement: { text: '`container_of()` on the embedded vfio_device', names: [] },
    sources: [source('5.12', 'drivers/vfio/vfio.c', 'vfio_device_data')],
    header: 'linux/vfio.h',
    commits: [{ id: '1e04ec14204d', text: 'removes device_data', kernel: '5.13' }],
  },
];
