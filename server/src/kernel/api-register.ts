/** Registration, which is the same in both models. */
import type { ApiEntry, Behaviour, Effect } from './types.ts';
import { source } from './helper-rows.ts';
import {
  backported,
  before,
  from,
  returnsErrno,
  returnsPointer,
  returnsValue,
  returnsVoid,
} from './behaviour-builders.ts';

/** 5.10.137 took the three calls with four arguments to init: see argument-counts.ts. */
const SINCE_5_13 = backported(from('5.13'), '5.10.137');
const SINCE_5_15 = from('5.15');
const SINCE_5_16 = from('5.16');
const OLD_MODEL = from('5.13', '6.1');
const NEW_MODEL = from('6.1');

const REGISTER: Effect = { op: 'register', target: 0 };
/** Since 5.15 a device without a set gets one of its own, and keeps it when registration fails. */
const SINGLETON_SET: Effect = { op: 'assign-set', target: 0 };

const REGISTER_WITH_SET: Behaviour = returnsErrno(
  SINCE_5_15,
  [SINGLETON_SET, REGISTER],
  [SINGLETON_SET],
);

const REGISTER_CONTRACT: ApiEntry['contract'] = [
  {
    text: 'User space can open the device before the call returns: set up everything that a callback reads before the call.',
  },
  {
    text: 'On success unregister with `vfio_unregister_group_dev()` before the device is put or freed. On error do not unregister.',
  },
  {
    kernels: OLD_MODEL,
    text: 'On error the driver still owns everything: undo the init and free.',
  },
  {
    kernels: NEW_MODEL,
    text: 'On error the caller still holds its reference: drop it with `vfio_put_device()`.',
  },
  { kernels: SINCE_5_15, text: 'A device without a device set gets a set of its own.' },
  {
    kernels: from('6.2', '6.4'),
    text: 'It returns `-EINVAL` for a table with `.bind_iommufd` but without `.unbind_iommufd` or `.attach_ioas`.',
  },
  {
    kernels: from('6.4', '6.6'),
    text: 'With CONFIG_IOMMUFD it returns `-EINVAL` for a table without `.bind_iommufd`, `.unbind_iommufd` and `.attach_ioas`.',
  },
  {
    kernels: from('6.6'),
    text: 'With CONFIG_IOMMUFD it returns `-EINVAL` for a table without `.bind_iommufd`, `.unbind_iommufd`, `.attach_ioas` and `.detach_ioas`.',
  },
];

/**
 * Registration: the same in both models. The internal count of users is here too; drivers have no
 * business with it.
 */
export const REGISTER_API: readonly ApiEntry[] = [
  {
    name: 'vfio_register_group_dev',
    kind: 'function',
    model: 'both',
    kernels: SINCE_5_13,
    signatures: [
      { kernels: SINCE_5_13, text: 'int vfio_register_group_dev(struct vfio_device *device);' },
    ],
    summary: 'Makes a device with a real IOMMU group visible to user space.',
    contract: [
      ...REGISTER_CONTRACT,
      {
        kernels: from('6.6'),
        text: 'It returns `-EINVAL` for a device whose IOMMU does not keep caches coherent.',
      },
    ],
    ownership:
      'Ownership does not change: the driver still holds everything that it held before the call.',
    behaviours: [
      returnsErrno(backported(from('5.13', '5.15'), '5.10.137'), [REGISTER]),
      REGISTER_WITH_SET,
    ],
    sources: [source('6.12', 'drivers/vfio/vfio_main.c', 'vfio_register_group_dev')],
    header: 'linux/vfio.h',
    commits: [{ id: '0bfc6a4ea63c', text: 'splits it from vfio_add_group_dev()', kernel: '5.13' }],
  },
  {
    name: 'vfio_register_emulated_iommu_dev',
    kind: 'function',
    model: 'both',
    kernels: SINCE_5_16,
    signatures: [
      {
        kernels: SINCE_5_16,
        text: 'int vfio_register_emulated_iommu_dev(struct vfio_device *device);',
      },
    ],
    summary:
      'Makes a device without an IOMMU of its own, such as a mediated device, visible to user space.',
    contract: [
      {
        text: 'User space must not be able to start DMA of the device directly: the driver translates through `vfio_pin_pages()` or `vfio_dma_rw()`.',
      },
      ...REGISTER_CONTRACT,
    ],
    ownership:
      'Ownership does not change: the driver still holds everything that it held before the call.',
    behaviours: [{ ...REGISTER_WITH_SET, kernels: SINCE_5_16 }],
    sources: [source('6.12', 'drivers/vfio/vfio_main.c', 'vfio_register_emulated_iommu_dev')],
    header: 'linux/vfio.h',
    commits: [{ id: 'c68ea0d00ad8', text: 'adds it', kernel: '5.16' }],
  },
  {
    name: 'vfio_unregister_group_dev',
    kind: 'function',
    model: 'both',
    kernels: SINCE_5_13,
    signatures: [
      { kernels: SINCE_5_13, text: 'void vfio_unregister_group_dev(struct vfio_device *device);' },
    ],
    summary: 'Removes the device from user space and waits until the last user has closed it.',
    contract: [
      {
        text: 'It blocks. While it waits, it calls `ops->request()` at once and then every ten seconds, if the table has that callback.',
      },
      {
        text: 'When it returns, user space has closed the device and no callback of user space runs any more. Only then may the driver tear down what callbacks use.',
      },
      {
        kernels: from('5.13', '5.15'),
        text: 'It does not end the object: free the container afterwards.',
      },
      {
        kernels: from('5.15', '6.1'),
        text: 'It does not end the object: `vfio_uninit_group_dev()` and the free come afterwards.',
      },
      {
        kernels: NEW_MODEL,
        text: 'It does not end the object: `vfio_put_device()` comes afterwards.',
      },
    ],
    ownership:
      'The driver still owns the memory in the old model, and its reference in the new model.',
    behaviours: [returnsVoid(SINCE_5_13, { op: 'unregister', target: 0 })],
    sources: [source('6.12', 'drivers/vfio/vfio_main.c', 'vfio_unregister_group_dev')],
    header: 'linux/vfio.h',
    commits: [
      {
        id: '0bfc6a4ea63c',
        text: 'takes the struct vfio_device that the driver has',
        kernel: '5.13',
      },
      { id: '5e42c999445b', text: 'waits for the last user on a completion', kernel: '5.13' },
    ],
  },
  {
    name: 'vfio_assign_device_set',
    kind: 'function',
    model: 'both',
    kernels: SINCE_5_15,
    signatures: [
      {
        kernels: SINCE_5_15,
        text: 'int vfio_assign_device_set(struct vfio_device *device, void *set_id);',
      },
    ],
    summary:
      'Puts the device into the set of all devices with the same `set_id`; open and close hold the lock of the set.',
    contract: [
      { text: 'Call it before registration, at most once.' },
      {
        kernels: from('5.15', '6.1'),
        text: '`vfio_uninit_group_dev()` removes the device from the set.',
      },
      {
        kernels: NEW_MODEL,
        text: 'The core removes the device from the set at the last put, and also when `ops->init()` fails: there is nothing to undo.',
      },
      {
        kernels: NEW_MODEL,
        text: 'The set is already gone in `ops->release()`: do not use `vdev->dev_set` there.',
      },
    ],
    ownership: 'The device holds a count on the set.',
    behaviours: [returnsErrno(SINCE_5_15, [{ op: 'assign-set', target: 0 }])],
    sources: [source('6.12', 'drivers/vfio/vfio_main.c', 'vfio_assign_device_set')],
    header: 'linux/vfio.h',
    commits: [
      { id: '2cd8b14aaa66', text: 'moves vfio-pci to device sets', kernel: '5.15' },
      { id: 'da119f387e94', text: 'moves vfio-fsl-mc to device sets', kernel: '5.15' },
    ],
  },
  {
    name: 'vfio_device_put',
    kind: 'function',
    model: 'old',
    kernels: before('5.19'),
    signatures: [
      { kernels: before('5.19'), text: 'void vfio_device_put(struct vfio_device *device);' },
    ],
    summary: 'Drops a registration count that vfio_device_get_from_dev() took.',
    contract: [{ text: 'It is not `vfio_put_device()`, which drops a reference to the object.' }],
    ownership: 'The caller no longer keeps the device registered.',
    behaviours: [returnsVoid(before('5.19'), { op: 'put-registration', target: 0 })],
    replacement: {
      text: '`vfio_put_device()` to drop the reference of `vfio_alloc_device()`; drivers no longer hold registration counts',
      names: ['vfio_put_device'],
    },
    sources: [source('6.0', 'drivers/vfio/vfio_main.c', 'vfio_device_put')],
    header: 'linux/vfio.h',
    commits: [
      { id: '4a725b8de4cc', text: 'renames it to vfio_device_put_registration()', kernel: '6.1' },
    ],
  },
  {
    name: 'vfio_device_get_from_dev',
    kind: 'function',
    model: 'old',
    kernels: before('5.19'),
    signatures: [
      {
        kernels: before('5.19'),
        text: 'struct vfio_device *vfio_device_get_from_dev(struct device *dev);',
      },
    ],
    summary: 'Finds the registered vfio_device of `dev` and takes a registration count on it.',
    contract: [{ text: 'Drop the count with `vfio_device_put()`: unregister waits for it.' }],
    ownership: 'The caller holds a registration count.',
    behaviours: [returnsPointer(before('5.19'))],
    replacement: {
      text: 'the drvdata of the parent device, which the driver sets itself',
      names: ['dev_get_drvdata'],
    },
    sources: [source('5.15', 'drivers/vfio/vfio.c', 'vfio_device_get_from_dev')],
    header: 'linux/vfio.h',
    commits: [
      { id: '91be0bd6c6cf', text: 'lets vfio-pci find its device through drvdata', kernel: '5.19' },
    ],
  },
  {
    name: 'vfio_device_try_get',
    kind: 'function',
    model: 'old',
    isPrivate: true,
    kernels: OLD_MODEL,
    signatures: [
      {
        kernels: from('5.13', '6.0'),
        text: 'static bool vfio_device_try_get(struct vfio_device *device);',
        header: 'drivers/vfio/vfio.c',
      },
      {
        kernels: from('6.0', '6.1'),
        text: 'static bool vfio_device_try_get(struct vfio_device *device);',
      },
    ],
    summary: 'Takes a registration count unless the device is being unregistered.',
    contract: [{ text: 'Internal to the VFIO core; drivers do not call it.' }],
    ownership: 'When it returns true, the caller holds a registration count.',
    errors: 'Returns true when it took the count.',
    behaviours: [returnsValue(OLD_MODEL)],
    replacement: {
      text: '`vfio_device_try_get_registration()`',
      names: ['vfio_device_try_get_registration'],
      rename: 'vfio_device_try_get_registration',
    },
    sources: [source('6.0', 'drivers/vfio/vfio_main.c', 'vfio_device_try_get')],
    header: 'drivers/vfio/vfio_main.c',
    commits: [{ id: '4a725b8de4cc', text: 'renames it', kernel: '6.1' }],
  },
  {
    name: 'vfio_device_put_registration',
    kind: 'function',
    model: 'new',
    isPrivate: true,
    kernels: NEW_MODEL,
    signatures: [
      {
        kernels: from('6.1', '6.2'),
        text: 'static void vfio_device_put_registration(struct vfio_device *device);',
        header: 'drivers/vfio/vfio_main.c',
      },
      {
        kernels: from('6.2', '6.19'),
        text: 'void vfio_device_put_registration(struct vfio_device *device);',
      },
      {
        kernels: from('6.19'),
        text: 'void vfio_device_put_registration(struct vfio_device *device);',
        header: 'linux/vfio.h',
      },
    ],
    summary: 'Drops a registration count.',
    contract: [
      { text: 'Internal to the VFIO core; drivers do not call it. It is not `vfio_put_device()`.' },
    ],
    ownership: 'The caller no longer keeps the device registered.',
    behaviours: [returnsVoid(NEW_MODEL, { op: 'put-registration', target: 0 })],
    sources: [source('6.12', 'drivers/vfio/vfio_main.c', 'vfio_device_put_registration')],
    header: 'drivers/vfio/vfio.h',
    commits: [{ id: '4a725b8de4cc', text: 'renames it from vfio_device_put()', kernel: '6.1' }],
  },
  {
    name: 'vfio_device_try_get_registration',
    kind: 'function',
    model: 'new',
    isPrivate: true,
    kernels: NEW_MODEL,
    signatures: [
      {
        kernels: from('6.1', '6.2'),
        text: 'static bool vfio_device_try_get_registration(struct vfio_device *device);',
        header: 'drivers/vfio/vfio_main.c',
      },
      {
        kernels: from('6.2', '6.19'),
        text: 'bool vfio_device_try_get_registration(struct vfio_device *device);',
      },
      {
        kernels: from('6.19'),
        text: 'bool vfio_device_try_get_registration(struct vfio_device *device);',
        header: 'linux/vfio.h',
      },
    ],
    summary: 'Takes a registration count unless the device is being unregistered.',
    contract: [{ text: 'Internal to the VFIO core; drivers do not call it.' }],
    ownership: 'When it returns true, the caller holds a registration count.',
    errors: 'Returns true when it took the count.',
    behaviours: [returnsValue(NEW_MODEL)],
    sources: [source('6.12', 'drivers/vfio/vfio_main.c', 'vfio_device_try_get_registration')],
    header: 'drivers/vfio/vfio.h',
    commits: [{ id: '4a725b8de4cc', text: 'renames it from vfio_device_try_get()', kernel: '6.1' }],
  },
];
