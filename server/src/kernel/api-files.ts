/**
 * VFIO groups and files as others than drivers hold them, KVM above all.
 */
import type { ApiEntry } from './types.ts';
import { VFIO_H, helper, source } from './helper-rows.ts';
import { before, from } from './behaviour-builders.ts';

export const FILES_API: readonly ApiEntry[] = [
  helper({
    name: 'vfio_file_iommu_group',
    kind: 'function',
    header: VFIO_H,
    signatures: [[from('5.19'), 'struct iommu_group *vfio_file_iommu_group(struct file *file);']],
    summary: 'Returns the IOMMU group of a file of a VFIO group.',
    contract: [
      { text: 'For KVM on POWER; drivers do not call it.' },
      { kernels: from('6.1'), text: 'Without CONFIG_SPAPR_TCE_IOMMU it returns NULL.' },
    ],
    ownership:
      'Since 6.1 the caller must drop the reference with `iommu_group_put()`. Before, the pointer is valid while the caller holds the file.',
    errors: 'Returns a pointer, or NULL when the file does not belong to a VFIO group.',
    sources: [
      source('6.12', 'drivers/vfio/group.c', 'vfio_file_iommu_group'),
      source('6.0', 'drivers/vfio/vfio_main.c', 'vfio_file_iommu_group'),
    ],
  }),
  helper({
    name: 'vfio_file_is_group',
    kind: 'function',
    header: VFIO_H,
    signatures: [[from('6.1'), 'bool vfio_file_is_group(struct file *file);']],
    summary: 'Tells whether a file belongs to a VFIO group.',
    contract: [{ text: 'For KVM; drivers do not call it.' }],
    errors: 'Returns true or false.',
    sources: [source('6.12', 'drivers/vfio/group.c', 'vfio_file_is_group')],
  }),
  helper({
    name: 'vfio_file_is_valid',
    kind: 'function',
    header: VFIO_H,
    signatures: [[from('6.6'), 'bool vfio_file_is_valid(struct file *file);']],
    summary: 'Tells whether a file belongs to a VFIO group or to a VFIO device.',
    contract: [{ text: 'For KVM; drivers do not call it.' }],
    errors: 'Returns true or false.',
    sources: [source('6.12', 'drivers/vfio/vfio_main.c', 'vfio_file_is_valid')],
  }),
  helper({
    name: 'vfio_file_has_dev',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [from('5.19'), 'bool vfio_file_has_dev(struct file *file, struct vfio_device *device);'],
    ],
    summary: 'Tells whether a device is in the group of a file.',
    contract: [{ text: 'vfio-pci core calls it for a hot reset.' }],
    context: 'It may sleep.',
    errors: 'Returns true or false.',
    sources: [source('6.12', 'drivers/vfio/group.c', 'vfio_file_has_dev')],
  }),
  helper({
    name: 'vfio_file_enforced_coherent',
    kind: 'function',
    header: VFIO_H,
    signatures: [[from('5.19'), 'bool vfio_file_enforced_coherent(struct file *file);']],
    summary: 'Tells whether DMA through a file is always coherent with the caches.',
    contract: [{ text: 'For KVM; drivers do not call it.' }],
    errors: 'Returns true or false.',
    sources: [source('6.12', 'drivers/vfio/vfio_main.c', 'vfio_file_enforced_coherent')],
  }),
  helper({
    name: 'vfio_file_set_kvm',
    kind: 'function',
    header: VFIO_H,
    signatures: [[from('5.19'), 'void vfio_file_set_kvm(struct file *file, struct kvm *kvm);']],
    summary: 'Tells the devices of a file which KVM they belong to; NULL removes the KVM.',
    contract: [{ text: 'For KVM; drivers read `vdev->kvm` in `.open_device`.' }],
    errors: 'Returns nothing.',
    sources: [source('6.12', 'drivers/vfio/vfio_main.c', 'vfio_file_set_kvm')],
  }),
  helper({
    name: 'vfio_group_get_external_user',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [before('5.19'), 'struct vfio_group *vfio_group_get_external_user(struct file *filep);'],
    ],
    summary: 'Finds the VFIO group of a file and takes a reference to it.',
    contract: [{ text: 'User space must have set the container and the IOMMU of the group.' }],
    ownership: 'The caller must drop the reference with `vfio_group_put_external_user()`.',
    errors: 'Returns a pointer, or an ERR_PTR; never NULL.',
    replacement: { text: 'nothing of a driver: KVM and others hold the `struct file`', names: [] },
    sources: [source('5.15', 'drivers/vfio/vfio.c', 'vfio_group_get_external_user')],
  }),
  helper({
    name: 'vfio_group_put_external_user',
    kind: 'function',
    header: VFIO_H,
    signatures: [[before('5.19'), 'void vfio_group_put_external_user(struct vfio_group *group);']],
    summary:
      'Drops the reference to a group from vfio_group_get_external_user() or vfio_group_get_external_user_from_dev().',
    ownership: 'The caller no longer holds the group.',
    replacement: { text: 'nothing of a driver: KVM and others hold the `struct file`', names: [] },
    sources: [source('5.15', 'drivers/vfio/vfio.c', 'vfio_group_put_external_user')],
  }),
  helper({
    name: 'vfio_group_get_external_user_from_dev',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        before('5.19'),
        'struct vfio_group *vfio_group_get_external_user_from_dev(struct device *dev);',
      ],
    ],
    summary: 'Finds the VFIO group of a device and takes a reference to it.',
    contract: [
      {
        text: 'Call it while the device is open, and drop the reference before the device is closed.',
      },
    ],
    ownership: 'The caller must drop the reference with `vfio_group_put_external_user()`.',
    errors: 'Returns a pointer, or an ERR_PTR; never NULL.',
    replacement: {
      text: 'nothing: `vfio_dma_rw()` and `vfio_pin_pages()` take the vfio_device',
      names: ['vfio_dma_rw', 'vfio_pin_pages'],
    },
    sources: [source('5.15', 'drivers/vfio/vfio.c', 'vfio_group_get_external_user_from_dev')],
  }),
  helper({
    name: 'vfio_external_group_match_file',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        before('5.19'),
        'bool vfio_external_group_match_file(struct vfio_group *group,\n\t\t\t\t    struct file *filep);',
      ],
    ],
    summary: 'Tells whether a file belongs to the given group.',
    errors: 'Returns true or false.',
    replacement: { text: 'nothing of a driver: KVM and others hold the `struct file`', names: [] },
    sources: [source('5.15', 'drivers/vfio/vfio.c', 'vfio_external_group_match_file')],
  }),
  helper({
    name: 'vfio_external_user_iommu_id',
    kind: 'function',
    header: VFIO_H,
    signatures: [[before('5.19'), 'int vfio_external_user_iommu_id(struct vfio_group *group);']],
    summary: 'Returns the number of the IOMMU group of a VFIO group.',
    errors: 'Returns the number; it cannot fail.',
    replacement: { text: '`vfio_file_iommu_group()`', names: ['vfio_file_iommu_group'] },
    sources: [source('5.15', 'drivers/vfio/vfio.c', 'vfio_external_user_iommu_id')],
  }),
  helper({
    name: 'vfio_external_check_extension',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        before('5.19'),
        'long vfio_external_check_extension(struct vfio_group *group, unsigned long arg);',
      ],
    ],
    summary: 'Asks the container of a group for an extension.',
    errors: 'Returns the result of VFIO_CHECK_EXTENSION.',
    replacement: {
      text: '`vfio_file_enforced_coherent()`',
      names: ['vfio_file_enforced_coherent'],
    },
    sources: [source('5.15', 'drivers/vfio/vfio.c', 'vfio_external_check_extension')],
  }),
  helper({
    name: 'vfio_group_set_kvm',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [before('5.19'), 'void vfio_group_set_kvm(struct vfio_group *group, struct kvm *kvm);'],
    ],
    summary: 'Tells the drivers of a group which KVM they belong to.',
    contract: [{ text: 'It calls the notifiers for `VFIO_GROUP_NOTIFY_SET_KVM`.' }],
    context: 'It may sleep.',
    replacement: { text: '`vfio_file_set_kvm()`', names: ['vfio_file_set_kvm'] },
    sources: [source('5.15', 'drivers/vfio/vfio.c', 'vfio_group_set_kvm')],
  }),
];
