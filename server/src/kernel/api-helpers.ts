/**
 * What the core offers to the callbacks of a driver: tests of arguments, chains of capabilities, eventfds,
 * migration states and sets.
 */
import type { ApiEntry } from './types.ts';
import { VFIO_H, helper, source } from './helper-rows.ts';
import { ALWAYS, backported, before, from } from './behaviour-builders.ts';

export const HELPER_API: readonly ApiEntry[] = [
  helper({
    name: 'vfio_check_feature',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        from('5.18'),
        'static inline int vfio_check_feature(u32 flags, size_t argsz, u32 supported_ops,\n\t\t\t\t     size_t minsz);',
      ],
    ],
    summary: 'Checks the arguments of `.device_feature` for one feature.',
    contract: [{ text: 'Continue only when it returns 1.' }],
    errors:
      'Returns 1 when the driver must do the get or set, 0 for an answered probe, or a negative errno. Return 0 and errors unchanged.',
  }),
  helper({
    name: 'vfio_check_precopy_ioctl',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        from('7.1'),
        'static inline int vfio_check_precopy_ioctl(struct vfio_device *vdev,\n\t\tunsigned int cmd, unsigned long arg,\n\t\tstruct vfio_precopy_info *info);',
      ],
    ],
    summary: 'Checks and copies the argument of VFIO_MIG_GET_PRECOPY_INFO.',
    contract: [{ text: 'Call it first in the ioctl of the migration file.' }],
    context: 'It copies from user space, and may sleep.',
    errors: 'Returns 0; `-ENOTTY` for another request; or a negative errno.',
  }),
  helper({
    name: 'vfio_mig_get_next_state',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        from('5.18'),
        'int vfio_mig_get_next_state(struct vfio_device *device,\n\t\t\t    enum vfio_device_mig_state cur_fsm,\n\t\t\t    enum vfio_device_mig_state new_fsm,\n\t\t\t    enum vfio_device_mig_state *next_fsm);',
      ],
    ],
    summary: 'Finds the next step from one migration state to another.',
    contract: [
      {
        text: 'Call it in a loop in `.migration_set_state`, and do each step until the device reaches the wanted state.',
      },
      { text: '`vdev->migration_flags` decides which states the path may use.' },
    ],
    errors: 'Returns 0 with the step in `*next_fsm`, or `-EINVAL` when there is no path.',
    sources: [source('6.12', 'drivers/vfio/vfio_main.c', 'vfio_mig_get_next_state')],
  }),
  helper({
    name: 'vfio_combine_iova_ranges',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        from('6.6'),
        'void vfio_combine_iova_ranges(struct rb_root_cached *root, u32 cur_nodes,\n\t\t\t      u32 req_nodes);',
      ],
    ],
    summary: 'Joins ranges of an interval tree until there are no more than the device can log.',
    contract: [
      { text: 'Call it in `.log_start` with the ranges that the callback received.' },
      { text: 'It removes joined nodes from the tree, and does not free them.' },
    ],
    sources: [source('6.12', 'drivers/vfio/vfio_main.c', 'vfio_combine_iova_ranges')],
  }),
  helper({
    name: 'vfio_find_device_in_devset',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        from('6.6'),
        'struct vfio_device * vfio_find_device_in_devset(struct vfio_device_set *dev_set,\n\t\tstruct device *dev);',
      ],
    ],
    summary: 'Finds the vfio_device of a device in a set.',
    contract: [{ text: 'The caller holds `dev_set->lock`.' }],
    ownership: 'It takes no reference: the pointer is valid while the caller holds the lock.',
    errors: 'Returns a pointer, or NULL.',
    sources: [source('6.12', 'drivers/vfio/vfio_main.c', 'vfio_find_device_in_devset')],
  }),
  helper({
    name: 'vfio_device_set_open_count',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [from('6.1'), 'unsigned int vfio_device_set_open_count(struct vfio_device_set *dev_set);'],
    ],
    summary: 'Counts the open devices of a set.',
    contract: [{ text: 'The caller holds `dev_set->lock`.' }],
    errors: 'Returns the count; it cannot fail.',
    sources: [source('6.12', 'drivers/vfio/vfio_main.c', 'vfio_device_set_open_count')],
  }),
  helper({
    name: 'vfio_device_cdev_opened',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [from('6.6'), 'static inline bool vfio_device_cdev_opened(struct vfio_device *device);'],
    ],
    summary:
      'Tells whether the device was opened through its own character device, and not through its group.',
    contract: [{ text: 'Call it in `.open_device` or later.' }],
    errors: 'Returns true or false.',
  }),
  helper({
    name: 'vfio_info_cap_add',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        ALWAYS,
        'struct vfio_info_cap_header *vfio_info_cap_add(struct vfio_info_cap *caps,\n\t\tsize_t size, u16 id, u16 version);',
      ],
    ],
    summary: 'Adds room for one capability to the chain that an info ioctl returns.',
    contract: [
      {
        text: 'It allocates and grows `caps->buf`. The caller must free the buffer with `kfree()`.',
      },
    ],
    context: 'It may sleep.',
    ownership: 'The result points into `caps->buf` and is valid until the next call.',
    errors: 'Returns a pointer, or an ERR_PTR; never NULL. On error it frees the buffer.',
    sources: [source('6.12', 'drivers/vfio/vfio_main.c', 'vfio_info_cap_add')],
  }),
  helper({
    name: 'vfio_info_cap_shift',
    kind: 'function',
    header: VFIO_H,
    signatures: [[ALWAYS, 'void vfio_info_cap_shift(struct vfio_info_cap *caps, size_t offset);']],
    summary: 'Shifts the offsets in a chain by the place of the chain after the info struct.',
    contract: [
      { text: 'Call it once, after the chain is complete and before you copy it to the user.' },
    ],
    sources: [source('6.12', 'drivers/vfio/vfio_main.c', 'vfio_info_cap_shift')],
  }),
  helper({
    name: 'vfio_info_add_capability',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        ALWAYS,
        'int vfio_info_add_capability(struct vfio_info_cap *caps,\n\t\t\t     struct vfio_info_cap_header *cap, size_t size);',
      ],
    ],
    summary: 'Adds a copy of a capability to the chain that an info ioctl returns.',
    contract: [
      {
        text: 'It allocates and grows `caps->buf`. The caller must free the buffer with `kfree()`.',
      },
      { text: 'Set `cap->id` and `cap->version`. `size` is the size of the whole capability.' },
    ],
    context: 'It may sleep.',
    errors: 'Returns 0, or a negative errno. On error it frees the buffer.',
    sources: [source('6.12', 'drivers/vfio/vfio_main.c', 'vfio_info_add_capability')],
  }),
  helper({
    name: 'vfio_set_irqs_validate_and_prepare',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        ALWAYS,
        'int vfio_set_irqs_validate_and_prepare(struct vfio_irq_set *hdr, int num_irqs,\n\t\t\t\t       int max_irq_type, size_t *data_size);',
      ],
    ],
    summary:
      'Checks the header of VFIO_DEVICE_SET_IRQS, and computes the size of the data after it.',
    contract: [
      {
        text: 'When `*data_size` is not 0, the driver copies that many bytes from after the header.',
      },
    ],
    errors: 'Returns 0, or `-EINVAL`.',
    sources: [source('6.12', 'drivers/vfio/vfio_main.c', 'vfio_set_irqs_validate_and_prepare')],
  }),
  helper({
    name: 'vfio_virqfd_enable',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        ALWAYS,
        'int vfio_virqfd_enable(void *opaque, int (*handler)(void *, void *),\n\t\t       void (*thread)(void *, void *), void *data,\n\t\t       struct virqfd **pvirqfd, int fd);',
      ],
    ],
    summary: 'Calls functions of the driver when an eventfd of the user is signalled.',
    contract: [
      {
        text: '`handler` runs in atomic context. When it is NULL or does not return 0, `thread` runs in a work item.',
      },
      { text: 'Call `vfio_virqfd_disable()` before you free `opaque` or `data`.' },
      { text: 'User space can also end it by closing the eventfd; `*pvirqfd` is then NULL.' },
    ],
    context: 'It may sleep.',
    ownership: 'The core keeps `opaque`, `data` and `pvirqfd`.',
    errors: 'Returns 0, or a negative errno; `-EBUSY` when `*pvirqfd` is in use.',
    sources: [source('6.12', 'drivers/vfio/virqfd.c', 'vfio_virqfd_enable')],
  }),
  helper({
    name: 'vfio_virqfd_disable',
    kind: 'function',
    header: VFIO_H,
    signatures: [[ALWAYS, 'void vfio_virqfd_disable(struct virqfd **pvirqfd);']],
    summary: 'Undoes vfio_virqfd_enable().',
    contract: [{ text: 'It does nothing when `*pvirqfd` is NULL.' }],
    context: 'It may sleep, and waits until the functions of the driver no longer run.',
    ownership: 'The driver may free `opaque` and `data` again.',
    sources: [source('6.12', 'drivers/vfio/virqfd.c', 'vfio_virqfd_disable')],
  }),
  helper({
    name: 'vfio_virqfd_flush_thread',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        backported(from('6.9'), '6.1', '6.6'),
        'void vfio_virqfd_flush_thread(struct virqfd **pvirqfd);',
      ],
    ],
    summary: 'Waits until a pending `thread` has run.',
    contract: [{ text: 'The next signal can start `thread` again.' }],
    context: 'It may sleep.',
    sources: [source('6.12', 'drivers/vfio/virqfd.c', 'vfio_virqfd_flush_thread')],
  }),
  helper({
    name: 'vfio_spapr_pci_eeh_open',
    kind: 'function',
    header: VFIO_H,
    signatures: [[before('6.2'), 'void vfio_spapr_pci_eeh_open(struct pci_dev *pdev);']],
    summary: 'Prepares the error handling of POWER when a PCI device is opened.',
    replacement: { text: 'nothing: vfio-pci core does it', names: [] },
    sources: [source('5.15', 'drivers/vfio/vfio_spapr_eeh.c', 'vfio_spapr_pci_eeh_open')],
  }),
  helper({
    name: 'vfio_spapr_pci_eeh_release',
    kind: 'function',
    header: VFIO_H,
    signatures: [[before('6.2'), 'void vfio_spapr_pci_eeh_release(struct pci_dev *pdev);']],
    summary: 'Undoes vfio_spapr_pci_eeh_open().',
    replacement: { text: 'nothing: vfio-pci core does it', names: [] },
    sources: [source('5.15', 'drivers/vfio/vfio_spapr_eeh.c', 'vfio_spapr_pci_eeh_release')],
  }),
];
