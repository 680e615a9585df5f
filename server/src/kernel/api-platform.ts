/** The private interface of vfio-platform and vfio-amba. */
import type { ApiEntry } from './types.ts';
import { source } from './helper-rows.ts';
import { before, from, returnsErrno, returnsValue, returnsVoid } from './behaviour-builders.ts';

const HEADER = 'drivers/vfio/platform/vfio_platform_private.h';
const BEFORE_5_13 = before('5.13');
const TAKES_DEVICE = from('5.13', '5.15');
const NEEDS_UNINIT = from('5.15', '6.1');
const NEW_MODEL = from('6.1');

/**
 * What vfio-platform and vfio-amba share. The header is private, so a module that declares these
 * has its own.
 */
export const PLATFORM_API: readonly ApiEntry[] = [
  {
    name: 'vfio_platform_probe_common',
    kind: 'function',
    model: 'old',
    isPrivate: true,
    kernels: before('6.1'),
    signatures: [
      {
        kernels: before('6.1'),
        text: 'int vfio_platform_probe_common(struct vfio_platform_device *vdev,\n\t\t\t       struct device *dev);',
      },
    ],
    summary: 'Initialises and registers the device of a platform driver.',
    contract: [
      {
        text: 'On success undo it with `vfio_platform_remove_common()`. On error it has undone its own work.',
      },
    ],
    ownership: 'The driver owns the memory before and after the call, and frees it on error.',
    behaviours: [
      returnsErrno(BEFORE_5_13),
      returnsErrno(TAKES_DEVICE, [
        { op: 'init', target: 0 },
        { op: 'register', target: 0 },
      ]),
      returnsErrno(NEEDS_UNINIT, [
        { op: 'init', target: 0 },
        { op: 'assign-set', target: 0 },
        { op: 'register', target: 0 },
      ]),
    ],
    replacement: {
      text: '`vfio_alloc_device()` with an `.init` that calls `vfio_platform_init_common()`, then `vfio_register_group_dev()`',
      names: ['vfio_alloc_device', 'vfio_platform_init_common', 'vfio_register_group_dev'],
    },
    sources: [
      source('6.0', 'drivers/vfio/platform/vfio_platform_common.c', 'vfio_platform_probe_common'),
    ],
    header: HEADER,
    commits: [
      { id: 'cb6164586814', text: 'uses init and register inside it', kernel: '5.13' },
      { id: '5f6c7e0831a1', text: 'converts vfio-platform to vfio_alloc_device()', kernel: '6.1' },
    ],
  },
  {
    name: 'vfio_platform_remove_common',
    kind: 'function',
    model: 'old',
    isPrivate: true,
    kernels: before('6.1'),
    signatures: [
      {
        kernels: BEFORE_5_13,
        text: 'struct vfio_platform_device *vfio_platform_remove_common(struct device *dev);',
      },
      {
        kernels: from('5.13', '6.1'),
        text: 'void vfio_platform_remove_common(struct vfio_platform_device *vdev);',
      },
    ],
    summary: 'Unregisters the device of a platform driver and undoes its init.',
    contract: [
      {
        text: 'It blocks until the last user has closed the device. Free the container afterwards.',
      },
    ],
    ownership: 'The driver still owns the memory and must free it.',
    behaviours: [
      returnsValue(BEFORE_5_13),
      returnsVoid(TAKES_DEVICE, { op: 'unregister', target: 0 }),
      returnsVoid(NEEDS_UNINIT, { op: 'unregister', target: 0 }, { op: 'uninit', target: 0 }),
    ],
    replacement: {
      text: '`vfio_unregister_group_dev()` and `vfio_put_device()`, with a `.release` that calls `vfio_platform_release_common()`',
      names: ['vfio_unregister_group_dev', 'vfio_put_device', 'vfio_platform_release_common'],
    },
    sources: [
      source('6.0', 'drivers/vfio/platform/vfio_platform_common.c', 'vfio_platform_remove_common'),
    ],
    header: HEADER,
    commits: [
      { id: 'cb6164586814', text: 'takes the device instead of returning it', kernel: '5.13' },
      { id: '5f6c7e0831a1', text: 'converts vfio-platform to vfio_alloc_device()', kernel: '6.1' },
    ],
  },
  {
    name: 'vfio_platform_init_common',
    kind: 'function',
    model: 'new',
    isPrivate: true,
    kernels: NEW_MODEL,
    signatures: [
      {
        kernels: NEW_MODEL,
        text: 'int vfio_platform_init_common(struct vfio_platform_device *vdev);',
      },
    ],
    summary: 'Finds the reset function and the properties of the device; call it from `.init`.',
    contract: [{ text: 'Undo it with `vfio_platform_release_common()` in `.release`.' }],
    ownership: 'Nothing changes hands: it neither registers nor takes a reference.',
    behaviours: [returnsErrno(NEW_MODEL)],
    sources: [
      source('6.12', 'drivers/vfio/platform/vfio_platform_common.c', 'vfio_platform_init_common'),
    ],
    header: HEADER,
    commits: [
      { id: '5f6c7e0831a1', text: 'adds it', kernel: '6.1' },
      {
        id: '168a9c91fe0a',
        text: 'lets a device without a reset function probe again when none is required',
        kernel: '6.3',
      },
    ],
  },
  {
    name: 'vfio_platform_release_common',
    kind: 'function',
    model: 'new',
    isPrivate: true,
    kernels: NEW_MODEL,
    signatures: [
      {
        kernels: NEW_MODEL,
        text: 'void vfio_platform_release_common(struct vfio_platform_device *vdev);',
      },
    ],
    summary: 'Undoes vfio_platform_init_common(); call it from `.release`.',
    contract: [
      {
        kernels: from('6.1', '6.2'),
        text: 'It does not free the container: `.release` still ends with `vfio_free_device()`.',
      },
    ],
    ownership: 'Nothing changes hands.',
    behaviours: [returnsVoid(NEW_MODEL)],
    sources: [
      source(
        '6.12',
        'drivers/vfio/platform/vfio_platform_common.c',
        'vfio_platform_release_common',
      ),
    ],
    header: HEADER,
    commits: [{ id: '5f6c7e0831a1', text: 'adds it', kernel: '6.1' }],
  },
];
