/** The functions of the new model, from 6.1 on. */
import type { ApiEntry } from './types.ts';
import { source } from './helper-rows.ts';
import { from, returnsErrPtr, returnsErrno, returnsVoid } from './behaviour-builders.ts';

const NEW_MODEL = from('6.1');
const ONLY_6_1 = from('6.1', '6.2');
const FROM_6_2 = from('6.2');

const ALLOCATION_CONTRACT: ApiEntry['contract'] = [
  {
    text: 'The core allocates zeroed memory with `kvzalloc()`, sets `dev` and `ops`, and calls `ops->init()` if there is one.',
  },
  {
    text: 'The vfio_device must be at offset 0 of the container, through every level of embedding.',
  },
  {
    text: 'If `ops->init()` fails, the core frees the memory and returns the error. `ops->release()` does not run.',
  },
  {
    kernels: ONLY_6_1,
    text: '`ops->release` is mandatory, and must free the memory with `vfio_free_device()`.',
  },
  {
    kernels: FROM_6_2,
    text: '`ops->release` is optional. The core frees the memory after the callback.',
  },
];

/** The core owns the memory, and a reference count decides when it goes. */
export const NEW_API: readonly ApiEntry[] = [
  {
    name: 'vfio_alloc_device',
    kind: 'macro',
    model: 'new',
    kernels: NEW_MODEL,
    signatures: [
      { kernels: NEW_MODEL, text: '#define vfio_alloc_device(dev_struct, member, dev, ops)' },
    ],
    summary:
      'Allocates a container, `struct dev_struct`, and initialises the vfio_device at `member` in it.',
    contract: [
      {
        text: '`dev_struct` is a struct tag without the word `struct`; `member` may be dotted (`core_device.vdev`).',
      },
      ...ALLOCATION_CONTRACT,
    ],
    ownership:
      'The caller holds one reference and drops it with `vfio_put_device()`. The core owns the memory: never `kfree()` it.',
    behaviours: [returnsErrPtr(NEW_MODEL, { op: 'alloc', target: 'return' })],
    header: 'linux/vfio.h',
    commits: [{ id: 'cb9ff3f3b84c', text: 'adds the allocation helpers', kernel: '6.1' }],
  },
  {
    name: '_vfio_alloc_device',
    kind: 'function',
    model: 'new',
    kernels: NEW_MODEL,
    signatures: [
      {
        kernels: NEW_MODEL,
        text: 'struct vfio_device *_vfio_alloc_device(size_t size, struct device *dev,\n\t\t\t\t       const struct vfio_device_ops *ops);',
      },
    ],
    summary: 'Allocates `size` bytes that start with a vfio_device, and initialises it.',
    contract: [
      {
        text: 'Drivers use `vfio_alloc_device()`, which checks the offset of the member at compile time.',
      },
      ...ALLOCATION_CONTRACT,
    ],
    ownership:
      'The caller holds one reference and drops it with `vfio_put_device()`. The core owns the memory: never `kfree()` it.',
    behaviours: [returnsErrPtr(NEW_MODEL, { op: 'alloc', target: 'return' })],
    sources: [source('6.12', 'drivers/vfio/vfio_main.c', '_vfio_alloc_device')],
    header: 'linux/vfio.h',
    commits: [{ id: 'cb9ff3f3b84c', text: 'adds it', kernel: '6.1' }],
  },
  {
    name: 'vfio_put_device',
    kind: 'function',
    model: 'new',
    kernels: NEW_MODEL,
    signatures: [
      {
        kernels: NEW_MODEL,
        text: 'static inline void vfio_put_device(struct vfio_device *device);',
      },
    ],
    summary: 'Drops a reference; the last one releases the device.',
    contract: [
      { text: 'Do not touch the container afterwards: the memory may be freed.' },
      { text: 'A registered device must be unregistered first.' },
      {
        text: 'The last put releases the device set, calls `ops->release()` and ends with the memory freed. It may come after `remove()`.',
      },
      {
        kernels: ONLY_6_1,
        text: '`ops->release()` must free the memory with `vfio_free_device()`.',
      },
      { kernels: FROM_6_2, text: 'The core frees the memory after `ops->release()`.' },
    ],
    ownership: 'The caller has dropped its reference.',
    behaviours: [returnsVoid(NEW_MODEL, { op: 'put', target: 0 })],
    header: 'linux/vfio.h',
    commits: [{ id: 'cb9ff3f3b84c', text: 'adds it', kernel: '6.1' }],
  },
  {
    name: 'vfio_free_device',
    kind: 'function',
    model: 'new',
    kernels: ONLY_6_1,
    signatures: [{ kernels: ONLY_6_1, text: 'void vfio_free_device(struct vfio_device *device);' }],
    summary: 'Frees the memory that vfio_alloc_device() allocated.',
    contract: [
      { text: 'Call it only in `ops->release()`, as the last statement that touches the device.' },
      { text: '`vfio_pci_core_release_dev()` calls it itself.' },
    ],
    ownership: 'The memory is freed.',
    behaviours: [returnsVoid(ONLY_6_1, { op: 'free-device', target: 0 })],
    replacement: {
      text: '`vfio_put_device()`, and nothing in `.release`',
      names: ['vfio_put_device'],
    },
    sources: [source('6.1', 'drivers/vfio/vfio_main.c', 'vfio_free_device')],
    header: 'linux/vfio.h',
    commits: [
      { id: 'cb9ff3f3b84c', text: 'adds it', kernel: '6.1' },
      { id: '913447d06f03', text: 'removes it and moves the free into the core', kernel: '6.2' },
    ],
  },
  {
    name: 'vfio_init_device',
    kind: 'function',
    model: 'new',
    kernels: ONLY_6_1,
    signatures: [
      {
        kernels: ONLY_6_1,
        text: 'int vfio_init_device(struct vfio_device *device, struct device *dev,\n\t\t     const struct vfio_device_ops *ops);',
      },
    ],
    summary: 'Initialises a vfio_device in memory that the driver owns; made for vfio-ccw alone.',
    contract: [
      {
        text: '`ops->release()` must not free the memory. `remove()` must wait until `ops->release()` has run.',
      },
      {
        text: 'On error the core has released the device set, and `ops->release()` does not run.',
      },
      { text: 'Do not use it in new code: use `vfio_alloc_device()`.' },
    ],
    ownership:
      'The driver owns the memory. It holds one reference and drops it with `vfio_put_device()`.',
    behaviours: [returnsErrno(ONLY_6_1, [{ op: 'init-device', target: 0 }])],
    replacement: { text: '`vfio_alloc_device()`', names: ['vfio_alloc_device'] },
    sources: [source('6.12', 'drivers/vfio/vfio_main.c', 'vfio_init_device')],
    header: 'linux/vfio.h',
    commits: [
      { id: 'cb9ff3f3b84c', text: 'adds it', kernel: '6.1' },
      {
        id: 'd1104f9327df',
        text: 'makes it static when vfio-ccw allocates its device',
        kernel: '6.2',
      },
    ],
  },
];
