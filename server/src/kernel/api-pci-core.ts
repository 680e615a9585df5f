/** The interface of vfio-pci core. */
import type { ApiEntry, Behaviour, KernelRange } from './types.ts';
import { source } from './helper-rows.ts';
import { backported, from, returnsErrno, returnsValue, returnsVoid } from './behaviour-builders.ts';

const CORE = from('5.15');
const OLD_CORE = from('5.15', '6.1');
const NEW_CORE = from('6.1');
const HEADER = 'linux/vfio_pci_core.h';
const SPLIT = {
  id: '7fa005caa35e',
  text: 'makes vfio-pci core a module of its own',
  kernel: '5.15',
} as const;

/**
 * A core function that a driver calls or puts into its table, and that leaves the life cycle alone.
 */
function harmless(
  name: string,
  behaviour: Behaviour,
  signatures: ApiEntry['signatures'],
  summary: string,
  more: Partial<Pick<ApiEntry, 'contract' | 'errors' | 'replacement' | 'commits' | 'sources'>> = {},
): ApiEntry {
  return {
    name,
    kind: 'function',
    model: 'core',
    kernels: behaviour.kernels,
    signatures,
    summary,
    contract: more.contract ?? [],
    ownership: 'Nothing changes hands.',
    errors: more.errors,
    behaviours: [behaviour],
    replacement: more.replacement,
    sources: more.sources ?? [source('6.12', 'drivers/vfio/pci/vfio_pci_core.c', name)],
    header: HEADER,
    commits: more.commits ?? [SPLIT],
  };
}

function always(kernels: KernelRange, text: string): ApiEntry['signatures'] {
  return [{ kernels, text }];
}

/** Helpers of vfio-pci core for drivers of one kind of PCI device. */
export const PCI_CORE_API: readonly ApiEntry[] = [
  {
    name: 'vfio_pci_core_init_device',
    kind: 'function',
    model: 'core-old',
    kernels: OLD_CORE,
    signatures: always(
      OLD_CORE,
      'void vfio_pci_core_init_device(struct vfio_pci_core_device *vdev,\n\t\t\t       struct pci_dev *pdev,\n\t\t\t       const struct vfio_device_ops *vfio_pci_ops);',
    ),
    summary:
      'Prepares the core device that a driver has embedded in its own memory; calls vfio_init_group_dev().',
    contract: [
      { text: 'The memory must be zeroed.' },
      {
        text: 'Every exit path must call `vfio_pci_core_uninit_device()` once, after unregister and before the memory is freed.',
      },
    ],
    ownership: 'The driver owns the memory before and after the call.',
    behaviours: [returnsVoid(OLD_CORE, { op: 'init', target: 0 })],
    replacement: {
      text: '`vfio_alloc_device()` with `vfio_pci_core_init_dev()` as, or called by, the `.init` of the ops table',
      names: ['vfio_alloc_device', 'vfio_pci_core_init_dev'],
    },
    sources: [source('6.0', 'drivers/vfio/pci/vfio_pci_core.c', 'vfio_pci_core_init_device')],
    header: HEADER,
    commits: [
      SPLIT,
      { id: '27aeb915595b', text: 'converts the last user, hisi_acc', kernel: '6.1' },
    ],
  },
  {
    name: 'vfio_pci_core_uninit_device',
    kind: 'function',
    model: 'core-old',
    kernels: OLD_CORE,
    signatures: always(
      OLD_CORE,
      'void vfio_pci_core_uninit_device(struct vfio_pci_core_device *vdev);',
    ),
    summary: 'Undoes vfio_pci_core_init_device(); calls vfio_uninit_group_dev().',
    contract: [
      {
        text: 'It frees what the core attached to the device, not the container: free the container afterwards.',
      },
    ],
    ownership: 'The driver still owns the memory and must free it.',
    behaviours: [returnsVoid(OLD_CORE, { op: 'uninit', target: 0 })],
    replacement: {
      text: '`vfio_put_device()`, with `vfio_pci_core_release_dev()` as, or called by, the `.release` of the ops table',
      names: ['vfio_put_device', 'vfio_pci_core_release_dev'],
    },
    sources: [source('6.0', 'drivers/vfio/pci/vfio_pci_core.c', 'vfio_pci_core_uninit_device')],
    header: HEADER,
    commits: [
      SPLIT,
      { id: '27aeb915595b', text: 'converts the last user, hisi_acc', kernel: '6.1' },
    ],
  },
  {
    name: 'vfio_pci_core_init_dev',
    kind: 'function',
    model: 'core-new',
    kernels: NEW_CORE,
    signatures: always(NEW_CORE, 'int vfio_pci_core_init_dev(struct vfio_device *core_vdev);'),
    summary:
      'Initialises the core device; use it as the `.init` of the ops table, or call it from there.',
    contract: [
      { text: 'It takes the PCI device from `core_vdev->dev`.' },
      {
        text: 'A table whose `.init` calls it must also call `vfio_pci_core_release_dev()` in `.release`.',
      },
      { kernels: from('6.1', '6.19'), text: 'It always returns 0.' },
      { kernels: from('6.19'), text: 'It can fail: then undo the earlier steps of `.init`.' },
    ],
    ownership: 'Nothing changes hands; the core attaches its own resources to the device.',
    behaviours: [
      { ...returnsErrno(from('6.1', '6.19'), [{ op: 'core-init', target: 0 }]), cannotFail: true },
      returnsErrno(from('6.19'), [{ op: 'core-init', target: 0 }]),
    ],
    sources: [source('6.12', 'drivers/vfio/pci/vfio_pci_core.c', 'vfio_pci_core_init_dev')],
    header: HEADER,
    commits: [
      { id: '63d7c77989de', text: 'adds it with the conversion of vfio-pci', kernel: '6.1' },
    ],
  },
  {
    name: 'vfio_pci_core_release_dev',
    kind: 'function',
    model: 'core-new',
    kernels: NEW_CORE,
    signatures: always(NEW_CORE, 'void vfio_pci_core_release_dev(struct vfio_device *core_vdev);'),
    summary:
      'Releases what vfio_pci_core_init_dev() set up; use it as the `.release` of the ops table, or call it from there.',
    contract: [
      {
        kernels: from('6.1', '6.2'),
        text: 'It ends with `vfio_free_device()`: call it as the last statement of `.release`, and do not touch the device afterwards.',
      },
      {
        kernels: from('6.2'),
        text: 'It does not free the container; the core does that after `.release`.',
      },
      {
        kernels: from('6.1', '6.2'),
        text: 'Do not call it when `.init` fails: the core frees the memory itself, and the call would be a double free.',
      },
      {
        kernels: from('6.2'),
        text: 'It may also be called when `.init` fails after `vfio_pci_core_init_dev()`.',
      },
    ],
    ownership: 'In 6.1 the memory is freed. Since 6.2 the core still owns the memory.',
    behaviours: [
      returnsVoid(from('6.1', '6.2'), { op: 'core-release', target: 0, frees: true }),
      returnsVoid(from('6.2'), { op: 'core-release', target: 0 }),
    ],
    sources: [source('6.12', 'drivers/vfio/pci/vfio_pci_core.c', 'vfio_pci_core_release_dev')],
    header: HEADER,
    commits: [
      { id: '63d7c77989de', text: 'adds it with the conversion of vfio-pci', kernel: '6.1' },
      { id: '913447d06f03', text: 'no longer frees the device', kernel: '6.2' },
    ],
  },
  {
    name: 'vfio_pci_core_register_device',
    kind: 'function',
    model: 'core',
    kernels: CORE,
    signatures: always(
      CORE,
      'int vfio_pci_core_register_device(struct vfio_pci_core_device *vdev);',
    ),
    summary:
      'Registers a PCI device: assigns the device set, prepares SR-IOV, VGA and power management, and calls vfio_register_group_dev().',
    contract: [
      {
        text: 'User space can open the device before the call returns: set up everything that a callback reads before the call.',
      },
      {
        text: 'On success unregister with `vfio_pci_core_unregister_device()`. On error do not unregister.',
      },
      {
        kernels: backported(from('5.19'), '5.18.18'),
        text: 'The drvdata of the PCI device must hold the `struct vfio_pci_core_device *` before the call; otherwise it warns and returns `-EINVAL`.',
      },
      {
        text: 'It returns `-EBUSY` for a physical function with virtual functions enabled.',
      },
      {
        kernels: from('6.0'),
        text: 'It returns `-EINVAL` for a `mig_ops` or `log_ops` in which a callback is missing.',
      },
      {
        kernels: from('5.19'),
        text: 'It sets `.pm` of the driver: the core does the runtime power management.',
      },
      {
        kernels: OLD_CORE,
        text: 'On error the driver still owns everything: call `vfio_pci_core_uninit_device()` and free.',
      },
      {
        kernels: NEW_CORE,
        text: 'On error the caller still holds its reference: drop it with `vfio_put_device()`.',
      },
    ],
    ownership:
      'Ownership does not change: the driver still holds everything that it held before the call.',
    context: 'It may sleep.',
    sources: [
      source('6.12', 'drivers/vfio/pci/vfio_pci_core.c', 'vfio_pci_core_register_device'),
      source('5.19', 'drivers/vfio/pci/vfio_pci_core.c', 'vfio_pci_core_register_device'),
    ],
    behaviours: [
      returnsErrno(
        CORE,
        [
          { op: 'assign-set', target: 0 },
          { op: 'register', target: 0 },
        ],
        [{ op: 'assign-set', target: 0 }],
      ),
    ],
    header: HEADER,
    commits: [SPLIT, { id: '91be0bd6c6cf', text: 'requires the drvdata', kernel: '5.19' }],
  },
  {
    name: 'vfio_pci_core_unregister_device',
    kind: 'function',
    model: 'core',
    kernels: CORE,
    signatures: always(
      CORE,
      'void vfio_pci_core_unregister_device(struct vfio_pci_core_device *vdev);',
    ),
    summary:
      'Undoes vfio_pci_core_register_device(); waits until the last user has closed the device.',
    contract: [
      { text: 'It blocks, and when it returns no callback runs any more.' },
      { kernels: OLD_CORE, text: '`vfio_pci_core_uninit_device()` and the free come afterwards.' },
      { kernels: NEW_CORE, text: '`vfio_put_device()` comes afterwards.' },
    ],
    ownership:
      'The driver still owns the memory in the old model, and its reference in the new model.',
    behaviours: [returnsVoid(CORE, { op: 'unregister', target: 0 })],
    sources: [
      source('6.12', 'drivers/vfio/pci/vfio_pci_core.c', 'vfio_pci_core_unregister_device'),
    ],
    header: HEADER,
    commits: [SPLIT],
  },
  harmless(
    'vfio_pci_core_enable',
    returnsErrno(CORE),
    always(CORE, 'int vfio_pci_core_enable(struct vfio_pci_core_device *vdev);'),
    'Enables the PCI device when it is opened; the first step of `.open_device`.',
    {
      contract: [
        {
          text: 'When a later step of `.open_device` fails, undo it with `vfio_pci_core_disable()`.',
        },
      ],
    },
  ),
  harmless(
    'vfio_pci_core_finish_enable',
    returnsVoid(CORE),
    always(CORE, 'void vfio_pci_core_finish_enable(struct vfio_pci_core_device *vdev);'),
    'Completes `.open_device`: from here on the device can be mapped.',
  ),
  harmless(
    'vfio_pci_core_disable',
    returnsVoid(CORE),
    always(CORE, 'void vfio_pci_core_disable(struct vfio_pci_core_device *vdev);'),
    'Undoes vfio_pci_core_enable() on the error path of `.open_device`.',
    {
      contract: [{ text: 'The caller holds `vdev->vdev.dev_set->lock`, as `.open_device` does.' }],
    },
  ),
  harmless(
    'vfio_pci_core_close_device',
    returnsVoid(CORE),
    always(CORE, 'void vfio_pci_core_close_device(struct vfio_device *core_vdev);'),
    'Disables the PCI device when it is closed; use it as `.close_device`, or call it from there.',
  ),
  harmless(
    'vfio_pci_core_ioctl',
    returnsValue(CORE),
    always(
      CORE,
      'long vfio_pci_core_ioctl(struct vfio_device *core_vdev, unsigned int cmd,\n\t\t\t unsigned long arg);',
    ),
    'Handles the ioctls of a PCI device; use it as `.ioctl`, or call it from there.',
    { errors: 'Returns the result of the ioctl: 0 or more, or a negative errno.' },
  ),
  harmless(
    'vfio_pci_core_ioctl_feature',
    returnsValue(from('5.18')),
    always(
      from('5.18'),
      'int vfio_pci_core_ioctl_feature(struct vfio_device *device, u32 flags,\n\t\t\t\tvoid __user *arg, size_t argsz);',
    ),
    'Handles VFIO_DEVICE_FEATURE of a PCI device; use it as `.device_feature`, or call it from there.',
    { errors: 'Returns the result of the ioctl: 0 or more, or a negative errno.', commits: [] },
  ),
  harmless(
    'vfio_pci_core_read',
    returnsValue(CORE),
    always(
      CORE,
      'ssize_t vfio_pci_core_read(struct vfio_device *core_vdev, char __user *buf,\n\t\t\t   size_t count, loff_t *ppos);',
    ),
    'Reads from a region of a PCI device; use it as `.read`, or call it from there.',
    { errors: 'Returns the number of bytes, or a negative errno.' },
  ),
  harmless(
    'vfio_pci_core_write',
    returnsValue(CORE),
    always(
      CORE,
      'ssize_t vfio_pci_core_write(struct vfio_device *core_vdev, const char __user *buf,\n\t\t\t    size_t count, loff_t *ppos);',
    ),
    'Writes to a region of a PCI device; use it as `.write`, or call it from there.',
    { errors: 'Returns the number of bytes, or a negative errno.' },
  ),
  harmless(
    'vfio_pci_core_mmap',
    returnsErrno(CORE),
    always(
      CORE,
      'int vfio_pci_core_mmap(struct vfio_device *core_vdev, struct vm_area_struct *vma);',
    ),
    'Maps a BAR of a PCI device; use it as `.mmap`, or call it from there.',
  ),
  harmless(
    'vfio_pci_core_request',
    returnsVoid(CORE),
    always(CORE, 'void vfio_pci_core_request(struct vfio_device *core_vdev, unsigned int count);'),
    'Asks user space to release the device; use it as `.request`.',
  ),
  harmless(
    'vfio_pci_core_match',
    returnsValue(CORE),
    always(CORE, 'int vfio_pci_core_match(struct vfio_device *core_vdev, char *buf);'),
    'Compares a name, and the VF token in it, with the device; use it as `.match`.',
    {
      contract: [
        {
          kernels: from('6.17'),
          text: 'It calls `.match_token_uuid` of the table unconditionally: the table must have it.',
        },
      ],
      errors: 'Returns more than 0 for a match, 0 for none, or a negative errno.',
      sources: [
        source('6.12', 'drivers/vfio/pci/vfio_pci_core.c', 'vfio_pci_core_match'),
        source('6.17', 'drivers/vfio/pci/vfio_pci_core.c', 'vfio_pci_core_match'),
      ],
    },
  ),
  harmless(
    'vfio_pci_core_match_token_uuid',
    returnsErrno(from('6.17')),
    always(
      from('6.17'),
      'int vfio_pci_core_match_token_uuid(struct vfio_device *core_vdev, const uuid_t *uuid);',
    ),
    'Checks the VF token from user space; use it as `.match_token_uuid`.',
    {
      contract: [
        { text: 'For a VF the token must be the token of its PF, if vfio-pci core drives the PF.' },
        {
          text: 'For a PF whose VFs are in use, it must be the token of the PF. Otherwise it becomes the token of the PF.',
        },
        { text: 'It refuses a token that nothing requires.' },
      ],
      sources: [
        source('6.17', 'drivers/vfio/pci/vfio_pci_core.c', 'vfio_pci_core_match_token_uuid'),
      ],
      commits: [],
    },
  ),
  harmless(
    'vfio_pci_core_sriov_configure',
    returnsValue(CORE),
    [
      {
        kernels: from('5.15', '5.19'),
        text: 'int vfio_pci_core_sriov_configure(struct pci_dev *pdev, int nr_virtfn);',
      },
      {
        kernels: from('5.19'),
        text: 'int vfio_pci_core_sriov_configure(struct vfio_pci_core_device *vdev,\n\t\t\t\t  int nr_virtfn);',
      },
    ],
    'Enables or disables virtual functions; call it from `.sriov_configure` of the PCI driver.',
    {
      contract: [
        {
          kernels: from('5.18'),
          text: 'The caller holds the device lock of the PCI device, as `.sriov_configure` does.',
        },
      ],
      errors: 'Returns the number of functions enabled, or a negative errno.',
    },
  ),
  harmless(
    'vfio_pci_core_aer_err_detected',
    returnsValue(from('5.18')),
    always(
      from('5.18'),
      'pci_ers_result_t vfio_pci_core_aer_err_detected(struct pci_dev *pdev,\n\t\t\t\t\t\tpci_channel_state_t state);',
    ),
    'Tells user space of a PCI error; use it as `.error_detected`, or call it from there.',
    {
      contract: [
        {
          kernels: from('5.18', '5.19'),
          text: 'It finds the device with `vfio_device_get_from_dev()`.',
        },
        { kernels: from('5.19'), text: 'It finds the device through the drvdata of `pdev`.' },
      ],
      errors: 'Returns a pci_ers_result_t.',
      commits: [],
    },
  ),
  harmless(
    'vfio_pci_core_set_params',
    returnsVoid(CORE),
    always(
      CORE,
      'void vfio_pci_core_set_params(bool nointxmask, bool is_disable_vga,\n\t\t\t      bool is_disable_idle_d3);',
    ),
    'Sets the module parameters that all PCI devices share.',
  ),
  harmless(
    'vfio_pci_core_register_dev_region',
    returnsErrno(from('6.1')),
    always(
      from('6.1'),
      'int vfio_pci_core_register_dev_region(struct vfio_pci_core_device *vdev,\n\t\t\t\t      unsigned int type, unsigned int subtype,\n\t\t\t\t      const struct vfio_pci_regops *ops,\n\t\t\t\t      size_t size, u32 flags, void *data);',
    ),
    'Adds a region of the driver to the regions that user space sees; call it in `.open_device`.',
    { commits: [] },
  ),
];
