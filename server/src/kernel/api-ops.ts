/** The members of the tables that a driver gives to the core. */
import type { ApiEntry, KernelRange, Source } from './types.ts';
import { source } from './helper-rows.ts';
import { ALWAYS, before, from, words } from './behaviour-builders.ts';

const FD_OPS = before('5.15');
const TAKES_DATA = before('5.13');
const TAKES_DEVICE = from('5.13');
const FD_TAKES_DEVICE = from('5.13', '5.15');
const SINCE_5_15 = from('5.15');
const NEW_MODEL = from('6.1');
const HEADER = 'linux/vfio.h';
const TAKES_DEVICE_COMMIT = {
  id: '6df62c5b05f4',
  text: 'lets the callbacks take a struct vfio_device',
  kernel: '5.13',
} as const;
const OPEN_DEVICE_COMMIT = {
  id: '2fd585f4ed9d',
  text: 'adds open_device and close_device',
  kernel: '5.15',
} as const;
const OPEN_REMOVED_COMMIT = {
  id: 'eb24c1007e68',
  text: 'removes open and release',
  kernel: '5.15',
} as const;

type Details = Partial<
  Pick<
    ApiEntry,
    'contract' | 'ownership' | 'errors' | 'replacement' | 'commits' | 'model' | 'owner'
  >
>;

const MAIN = 'drivers/vfio/vfio_main.c';
const OLD_MAIN = 'drivers/vfio/vfio.c';
const CDEV = 'drivers/vfio/device_cdev.c';
const IOMMUFD = 'drivers/vfio/iommufd.c';

/** Who calls a member: there it can be seen with what held, and what becomes of the result. */
const CALLERS: ReadonlyMap<string, readonly Source[]> = new Map([
  ['init', [source('6.12', MAIN, 'vfio_init_device')]],
  ['release', [source('6.12', MAIN, 'vfio_device_release')]],
  ['old release', [source('5.12', OLD_MAIN, 'vfio_device_fops_release')]],
  [
    'old migration_set_state',
    [source('5.18', OLD_MAIN, 'vfio_ioctl_device_feature_mig_device_state')],
  ],
  [
    'old migration_get_state',
    [source('5.18', OLD_MAIN, 'vfio_ioctl_device_feature_mig_device_state')],
  ],
  ['old open', [source('5.12', OLD_MAIN, 'vfio_group_get_device_fd')]],
  ['open_device', [source('6.12', MAIN, 'vfio_df_device_first_open')]],
  ['close_device', [source('6.12', MAIN, 'vfio_df_device_last_close')]],
  ['read', [source('6.12', MAIN, 'vfio_device_fops_read')]],
  ['write', [source('6.12', MAIN, 'vfio_device_fops_write')]],
  ['ioctl', [source('6.12', MAIN, 'vfio_device_fops_unl_ioctl')]],
  ['mmap', [source('6.12', MAIN, 'vfio_device_fops_mmap')]],
  ['request', [source('6.12', MAIN, 'vfio_unregister_group_dev')]],
  ['match', [source('6.12', 'drivers/vfio/group.c', 'vfio_device_get_from_name')]],
  [
    'match_token_uuid',
    [
      source('6.19', 'drivers/vfio/pci/vfio_pci_core.c', 'vfio_pci_core_match'),
      source('6.19', CDEV, 'vfio_df_check_token'),
    ],
  ],
  ['dma_unmap', [source('6.12', IOMMUFD, 'vfio_emulated_unmap')]],
  ['device_feature', [source('6.12', MAIN, 'vfio_ioctl_device_feature')]],
  ['bind_iommufd', [source('6.12', IOMMUFD, 'vfio_df_iommufd_bind')]],
  ['unbind_iommufd', [source('6.12', IOMMUFD, 'vfio_df_iommufd_unbind')]],
  ['attach_ioas', [source('6.12', CDEV, 'vfio_df_ioctl_attach_pt')]],
  ['detach_ioas', [source('6.12', CDEV, 'vfio_df_ioctl_detach_pt')]],
  ['pasid_attach_ioas', [source('6.19', CDEV, 'vfio_df_ioctl_attach_pt')]],
  ['pasid_detach_ioas', [source('6.19', CDEV, 'vfio_df_ioctl_detach_pt')]],
  ['get_region_info_caps', [source('6.19', MAIN, 'vfio_get_region_info')]],
  ['migration_set_state', [source('6.12', MAIN, 'vfio_ioctl_device_feature_mig_device_state')]],
  ['migration_get_state', [source('6.12', MAIN, 'vfio_ioctl_device_feature_mig_device_state')]],
  [
    'migration_get_data_size',
    [source('6.12', MAIN, 'vfio_ioctl_device_feature_migration_data_size')],
  ],
]);

/** Members that run while the core holds the lock of the device set. */
const LOCKED = new Set(
  words('open_device close_device bind_iommufd unbind_iommufd attach_ioas detach_ioas'),
);
/** Members that are no functions. */
const DATA = new Set(['name']);

function contextOf(name: string): string | undefined {
  if (DATA.has(name)) return undefined;
  return LOCKED.has(name)
    ? 'The core calls it with `vdev->dev_set->lock` held. It may sleep.'
    : 'It may sleep.';
}

/**
 * A member of an ops table. The core calls it, so it has no effects of its own: those are in the
 * function that stands there.
 */
function member(
  name: string,
  kernels: KernelRange,
  signatures: ApiEntry['signatures'],
  summary: string,
  details: Details = {},
): ApiEntry {
  return {
    name,
    kind: 'member',
    model: details.model ?? 'both',
    owner: details.owner ?? 'vfio_device_ops',
    kernels,
    signatures,
    summary,
    contract: details.contract ?? [],
    ownership: details.ownership,
    errors: details.errors,
    context: contextOf(name),
    // What ended was called from elsewhere than what has its name later.
    sources: CALLERS.get(kernels.until === undefined ? name : `old ${name}`),
    behaviours: [],
    replacement: details.replacement,
    header: HEADER,
    commits: details.commits ?? [],
  };
}

/** A callback that took `void *device_data` up to 5.12 and takes the vfio_device since. */
function twoForms(
  returns: string,
  name: string,
  rest: string,
  device: KernelRange = TAKES_DEVICE,
): ApiEntry['signatures'] {
  return [
    { kernels: TAKES_DATA, text: `${returns}(*${name})(void *device_data${rest});` },
    { kernels: device, text: `${returns}(*${name})(struct vfio_device *vdev${rest});` },
  ];
}

const IOMMUFD_CONTRACT: ApiEntry['contract'] = [
  {
    kernels: from('6.2', '6.4'),
    text: '`.bind_iommufd`, `.unbind_iommufd` and `.attach_ioas` come together: registration refuses the first without the other two.',
  },
  {
    kernels: from('6.4', '6.6'),
    text: 'With CONFIG_IOMMUFD registration requires `.bind_iommufd`, `.unbind_iommufd` and `.attach_ioas`.',
  },
  {
    kernels: from('6.6'),
    text: 'With CONFIG_IOMMUFD registration requires `.bind_iommufd`, `.unbind_iommufd`, `.attach_ioas` and `.detach_ioas`.',
  },
  {
    text: 'Use the `vfio_iommufd_physical_` helper for a device with an IOMMU group of its own, the `vfio_iommufd_emulated_` one for an emulated device; never a mix.',
  },
];
const CALLED_ONCE_OPEN =
  'It runs with the lock of the device set held, and only while the device is registered.';

/** Members of the tables that a driver gives to the core. `release` has two lives. */
export const OPS_MEMBERS: readonly ApiEntry[] = [
  member('name', ALWAYS, [{ kernels: ALWAYS, text: 'char *name;' }], 'The name of the driver.'),
  member(
    'init',
    NEW_MODEL,
    [{ kernels: NEW_MODEL, text: 'int (*init)(struct vfio_device *vdev);' }],
    "Initialises the driver's part of a device while vfio_alloc_device() runs. Optional.",
    {
      model: 'new',
      contract: [
        {
          text: '`vdev->dev` and `vdev->ops` are set; reach the container with `container_of()` and the parent through `vdev->dev`.',
        },
        { text: '`vdev->device` is not initialised yet: do not get or put the device here.' },
        {
          text: 'It does not see anything that probe sets after the allocation. It sees the drvdata of the parent only if probe set it before.',
        },
        {
          text: 'On failure it must undo its own work: `.release` does not run. The core releases a device set that `.init` assigned.',
        },
      ],
      ownership: 'The core owns the memory, and frees it when `.init` fails.',
      errors: 'Return 0 or a negative errno, which vfio_alloc_device() then returns as an ERR_PTR.',
      commits: [{ id: 'cb9ff3f3b84c', text: 'adds it', kernel: '6.1' }],
    },
  ),
  member(
    'release',
    FD_OPS,
    twoForms('void ', 'release', '', FD_TAKES_DEVICE),
    'Called when a file descriptor of the device is closed. It is not the end of the object.',
    {
      model: 'old',
      contract: [
        {
          text: 'In 5.15 it became `.close_device`. The `.release` of 6.1 is another callback: the end of the object.',
        },
      ],
      replacement: { text: '`.close_device`', names: ['close_device'] },
      commits: [TAKES_DEVICE_COMMIT, OPEN_REMOVED_COMMIT],
    },
  ),
  member(
    'release',
    NEW_MODEL,
    [{ kernels: NEW_MODEL, text: 'void (*release)(struct vfio_device *vdev);' }],
    "Releases the driver's part of a device after the last reference is dropped.",
    {
      model: 'new',
      contract: [
        {
          kernels: from('6.1', '6.2'),
          text: 'It is mandatory: the core calls it unconditionally. It must end with `vfio_free_device()`, or with `vfio_pci_core_release_dev()`, which calls that.',
        },
        {
          kernels: from('6.2'),
          text: 'It is optional. The core frees the memory after `.release`: do not free the container here.',
        },
        {
          text: 'It may run after `remove()`: do not use the drvdata of the parent, nor anything that `remove()` frees.',
        },
        { text: '`vdev->dev_set` is already gone.' },
        { text: 'It does not run when `.init` failed.' },
      ],
      ownership: 'Nothing else holds a reference to the device.',
      commits: [
        { id: 'cb9ff3f3b84c', text: 'adds it', kernel: '6.1' },
        {
          id: '913447d06f03',
          text: 'makes it optional and moves the free into the core',
          kernel: '6.2',
        },
      ],
    },
  ),
  member(
    'open',
    FD_OPS,
    twoForms('int ', 'open', '', FD_TAKES_DEVICE),
    'Called for each file descriptor that is opened.',
    {
      model: 'old',
      contract: [
        {
          text: 'In 5.15 it became `.open_device`, which is called for the first file descriptor only.',
        },
      ],
      replacement: { text: '`.open_device`', names: ['open_device'] },
      commits: [TAKES_DEVICE_COMMIT, OPEN_REMOVED_COMMIT],
    },
  ),
  member(
    'open_device',
    SINCE_5_15,
    [{ kernels: SINCE_5_15, text: 'int (*open_device)(struct vfio_device *vdev);' }],
    'Called when the first file descriptor of the device is opened.',
    { contract: [{ text: CALLED_ONCE_OPEN }], commits: [OPEN_DEVICE_COMMIT] },
  ),
  member(
    'close_device',
    SINCE_5_15,
    [{ kernels: SINCE_5_15, text: 'void (*close_device)(struct vfio_device *vdev);' }],
    'Called when the last file descriptor of the device is closed.',
    { contract: [{ text: CALLED_ONCE_OPEN }], commits: [OPEN_DEVICE_COMMIT] },
  ),
  member(
    'read',
    ALWAYS,
    twoForms('ssize_t ', 'read', ', char __user *buf,\n\t\tsize_t count, loff_t *ppos'),
    'Reads from the file descriptor of the device.',
    { commits: [TAKES_DEVICE_COMMIT] },
  ),
  member(
    'write',
    ALWAYS,
    twoForms('ssize_t ', 'write', ', const char __user *buf,\n\t\t size_t count, loff_t *size'),
    'Writes to the file descriptor of the device.',
    { commits: [TAKES_DEVICE_COMMIT] },
  ),
  member(
    'ioctl',
    ALWAYS,
    twoForms('long ', 'ioctl', ', unsigned int cmd,\n\t      unsigned long arg'),
    'Handles an ioctl on the file descriptor of the device.',
    { commits: [TAKES_DEVICE_COMMIT] },
  ),
  member(
    'mmap',
    ALWAYS,
    twoForms('int ', 'mmap', ', struct vm_area_struct *vma'),
    'Maps a region of the device.',
    { commits: [TAKES_DEVICE_COMMIT] },
  ),
  member(
    'request',
    ALWAYS,
    twoForms('void ', 'request', ', unsigned int count'),
    'Asks the driver to release the device while unregister waits for its users.',
    {
      contract: [
        {
          text: 'The core calls it at once and then every ten seconds. `count` is the number of the request.',
        },
      ],
      commits: [TAKES_DEVICE_COMMIT],
    },
  ),
  member(
    'match',
    ALWAYS,
    twoForms('int ', 'match', ', char *buf'),
    'Compares a name from user space with the device. Optional.',
    {
      errors: 'Return more than 0 for a match, 0 for none, or a negative errno to end the search.',
      commits: [TAKES_DEVICE_COMMIT],
    },
  ),
  member(
    'match_token_uuid',
    from('6.17'),
    [
      {
        kernels: from('6.17'),
        text: 'int (*match_token_uuid)(struct vfio_device *vdev, const uuid_t *uuid);',
      },
    ],
    'Compares a token from user space with the token of the device, when the device is bound to an iommufd.',
    {
      contract: [
        {
          text: 'A table with `.match = vfio_pci_core_match` needs it: that helper calls it unconditionally. Set it to `vfio_pci_core_match_token_uuid`. In other tables it is optional.',
        },
      ],
      errors: 'Return 0 when the token matches, or a negative errno.',
    },
  ),
  member(
    'dma_unmap',
    from('6.0'),
    [
      {
        kernels: from('6.0'),
        text: 'void (*dma_unmap)(struct vfio_device *vdev, u64 iova, u64 length);',
      },
    ],
    'Called when user space unmaps addresses that the driver may have pinned.',
    {
      contract: [
        { text: 'Unpin the pages of the range before you return.' },
        {
          kernels: from('6.6'),
          text: 'A driver without it cannot pin: `vfio_pin_pages()` returns `-EINVAL`.',
        },
      ],
    },
  ),
  member(
    'device_feature',
    from('5.18'),
    [
      {
        kernels: from('5.18'),
        text: 'int (*device_feature)(struct vfio_device *device, u32 flags,\n\t\t      void __user *arg, size_t argsz);',
      },
    ],
    'Handles VFIO_DEVICE_FEATURE. Optional.',
  ),
  member(
    'bind_iommufd',
    from('6.2'),
    [
      {
        kernels: from('6.2'),
        text: 'int (*bind_iommufd)(struct vfio_device *vdev,\n\t\t    struct iommufd_ctx *ictx, u32 *out_device_id);',
      },
    ],
    'Binds the device to an iommufd.',
    { contract: IOMMUFD_CONTRACT },
  ),
  member(
    'unbind_iommufd',
    from('6.2'),
    [{ kernels: from('6.2'), text: 'void (*unbind_iommufd)(struct vfio_device *vdev);' }],
    'Undoes `.bind_iommufd`.',
    { contract: IOMMUFD_CONTRACT },
  ),
  member(
    'attach_ioas',
    from('6.2'),
    [{ kernels: from('6.2'), text: 'int (*attach_ioas)(struct vfio_device *vdev, u32 *pt_id);' }],
    'Attaches the device to an address space of its iommufd.',
    { contract: IOMMUFD_CONTRACT },
  ),
  member(
    'detach_ioas',
    from('6.6'),
    [{ kernels: from('6.6'), text: 'void (*detach_ioas)(struct vfio_device *vdev);' }],
    'Undoes `.attach_ioas`.',
    {
      contract: IOMMUFD_CONTRACT.slice(2),
      commits: [
        {
          id: 'fe24d5bc635e',
          text: 'adds it to pds, which lacked it',
          kernel: '6.17',
        },
      ],
    },
  ),
  member(
    'pasid_attach_ioas',
    from('6.15'),
    [
      {
        kernels: from('6.15'),
        text: 'int (*pasid_attach_ioas)(struct vfio_device *vdev, u32 pasid, u32 *pt_id);',
      },
    ],
    'Attaches one PASID of the device to an address space. Optional.',
  ),
  member(
    'pasid_detach_ioas',
    from('6.15'),
    [
      {
        kernels: from('6.15'),
        text: 'void (*pasid_detach_ioas)(struct vfio_device *vdev, u32 pasid);',
      },
    ],
    'Undoes `.pasid_attach_ioas`.',
  ),
  member(
    'get_region_info_caps',
    from('6.19'),
    [
      {
        kernels: from('6.19'),
        text: 'int (*get_region_info_caps)(struct vfio_device *vdev,\n\t\t\t    struct vfio_region_info *info,\n\t\t\t    struct vfio_info_cap *caps);',
      },
    ],
    'Describes a region of the device, for VFIO_DEVICE_GET_REGION_INFO.',
    {
      contract: [
        {
          text: 'The core answers the request itself and returns `-EINVAL` without this member: `.ioctl` no longer sees the request.',
        },
        { text: 'On the vfio-pci core set it to `vfio_pci_ioctl_get_region_info`.' },
      ],
      errors: 'Return 0 or a negative errno.',
    },
  ),
  member(
    'migration_set_state',
    from('5.18', '6.0'),
    [
      {
        kernels: from('5.18', '6.0'),
        text: 'struct file *(*migration_set_state)(struct vfio_device *device,\n\t\t\t\t    enum vfio_device_mig_state new_state);',
      },
    ],
    'Changes the migration state.',
    {
      replacement: {
        text: 'the member of the same name in `struct vfio_migration_ops`, which `vdev->mig_ops` points to',
        names: ['vfio_migration_ops'],
      },
    },
  ),
  member(
    'migration_get_state',
    from('5.18', '6.0'),
    [
      {
        kernels: from('5.18', '6.0'),
        text: 'int (*migration_get_state)(struct vfio_device *device,\n\t\t\t   enum vfio_device_mig_state *curr_state);',
      },
    ],
    'Reports the migration state.',
    {
      replacement: {
        text: 'the member of the same name in `struct vfio_migration_ops`, which `vdev->mig_ops` points to',
        names: ['vfio_migration_ops'],
      },
    },
  ),
  member(
    'migration_set_state',
    from('6.0'),
    [
      {
        kernels: from('6.0'),
        text: 'struct file *(*migration_set_state)(struct vfio_device *device,\n\t\t\t\t    enum vfio_device_mig_state new_state);',
      },
    ],
    'Changes the migration state.',
    { owner: 'vfio_migration_ops' },
  ),
  member(
    'migration_get_state',
    from('6.0'),
    [
      {
        kernels: from('6.0'),
        text: 'int (*migration_get_state)(struct vfio_device *device,\n\t\t\t   enum vfio_device_mig_state *curr_state);',
      },
    ],
    'Reports the migration state.',
    { owner: 'vfio_migration_ops' },
  ),
  member(
    'migration_get_data_size',
    from('6.2'),
    [
      {
        kernels: from('6.2'),
        text: 'int (*migration_get_data_size)(struct vfio_device *device,\n\t\t\t       unsigned long *stop_copy_length);',
      },
    ],
    'Estimates how many bytes the stop-copy state will produce.',
    {
      owner: 'vfio_migration_ops',
      contract: [{ text: 'vfio-pci core refuses a device whose `mig_ops` lacks it.' }],
    },
  ),
];
