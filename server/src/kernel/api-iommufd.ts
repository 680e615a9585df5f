/**
 * The values of the iommufd members of an ops table, and what a driver may ask of a binding.
 */
import type { ApiEntry } from './types.ts';
import { VFIO_H, helper, source } from './helper-rows.ts';
import { from } from './behaviour-builders.ts';

export const IOMMUFD_API: readonly ApiEntry[] = [
  helper({
    name: 'vfio_iommufd_physical_bind',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        from('6.2'),
        'int vfio_iommufd_physical_bind(struct vfio_device *vdev,\n\t\t\t       struct iommufd_ctx *ictx, u32 *out_device_id);',
      ],
    ],
    summary: 'Binds the device to an iommufd.',
    contract: [
      { text: 'Use it as `.bind_iommufd`, or call it from there.' },
      { text: 'For a device with an IOMMU group of its own.' },
      {
        text: 'Without CONFIG_IOMMUFD the name is NULL. Use it as a value in the ops table, and call it only with CONFIG_IOMMUFD.',
      },
    ],
    context: 'The core calls it with `vdev->dev_set->lock` held. It may sleep.',
    ownership: '`vfio_iommufd_physical_unbind()` undoes it.',
    errors: 'Returns 0, or a negative errno.',
    sources: [source('6.12', 'drivers/vfio/iommufd.c', 'vfio_iommufd_physical_bind')],
  }),
  helper({
    name: 'vfio_iommufd_physical_unbind',
    kind: 'function',
    header: VFIO_H,
    signatures: [[from('6.2'), 'void vfio_iommufd_physical_unbind(struct vfio_device *vdev);']],
    summary: 'Undoes vfio_iommufd_physical_bind(), and detaches the device if it is attached.',
    contract: [
      { text: 'Use it as `.unbind_iommufd`, or call it from there.' },
      { text: 'For a device with an IOMMU group of its own.' },
      {
        text: 'Without CONFIG_IOMMUFD the name is NULL. Use it as a value in the ops table, and call it only with CONFIG_IOMMUFD.',
      },
    ],
    context: 'The core calls it with `vdev->dev_set->lock` held. It may sleep.',
    sources: [source('6.12', 'drivers/vfio/iommufd.c', 'vfio_iommufd_physical_unbind')],
  }),
  helper({
    name: 'vfio_iommufd_physical_attach_ioas',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [from('6.2'), 'int vfio_iommufd_physical_attach_ioas(struct vfio_device *vdev, u32 *pt_id);'],
    ],
    summary: 'Attaches the device to an address space.',
    contract: [
      { text: 'Use it as `.attach_ioas`, or call it from there.' },
      { text: 'For a device with an IOMMU group of its own.' },
      { text: 'It sets `pt_id` to the page table that it uses.' },
      {
        text: 'Without CONFIG_IOMMUFD the name is NULL. Use it as a value in the ops table, and call it only with CONFIG_IOMMUFD.',
      },
    ],
    context: 'The core calls it with `vdev->dev_set->lock` held. It may sleep.',
    errors: 'Returns 0, or a negative errno.',
    sources: [source('6.12', 'drivers/vfio/iommufd.c', 'vfio_iommufd_physical_attach_ioas')],
  }),
  helper({
    name: 'vfio_iommufd_physical_detach_ioas',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [from('6.6'), 'void vfio_iommufd_physical_detach_ioas(struct vfio_device *vdev);'],
    ],
    summary: 'Undoes vfio_iommufd_physical_attach_ioas().',
    contract: [
      { text: 'Use it as `.detach_ioas`, or call it from there.' },
      { text: 'For a device with an IOMMU group of its own.' },
      {
        text: 'Without CONFIG_IOMMUFD the name is NULL. Use it as a value in the ops table, and call it only with CONFIG_IOMMUFD.',
      },
    ],
    context: 'The core calls it with `vdev->dev_set->lock` held. It may sleep.',
    sources: [source('6.12', 'drivers/vfio/iommufd.c', 'vfio_iommufd_physical_detach_ioas')],
  }),
  helper({
    name: 'vfio_iommufd_physical_pasid_attach_ioas',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        from('6.15'),
        'int vfio_iommufd_physical_pasid_attach_ioas(struct vfio_device *vdev, u32 pasid,\n\t\tu32 *pt_id);',
      ],
    ],
    summary: 'Attaches one PASID of the device to an address space.',
    contract: [
      { text: 'Use it as `.pasid_attach_ioas`, or call it from there.' },
      { text: 'For a device with an IOMMU group of its own.' },
      {
        text: 'Without CONFIG_IOMMUFD the name is NULL. Use it as a value in the ops table, and call it only with CONFIG_IOMMUFD.',
      },
    ],
    context: 'The core calls it with `vdev->dev_set->lock` held. It may sleep.',
    errors: 'Returns 0, or a negative errno.',
    sources: [source('6.19', 'drivers/vfio/iommufd.c', 'vfio_iommufd_physical_pasid_attach_ioas')],
  }),
  helper({
    name: 'vfio_iommufd_physical_pasid_detach_ioas',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        from('6.15'),
        'void vfio_iommufd_physical_pasid_detach_ioas(struct vfio_device *vdev,\n\t\tu32 pasid);',
      ],
    ],
    summary: 'Undoes vfio_iommufd_physical_pasid_attach_ioas().',
    contract: [
      { text: 'Use it as `.pasid_detach_ioas`, or call it from there.' },
      { text: 'For a device with an IOMMU group of its own.' },
      {
        text: 'Without CONFIG_IOMMUFD the name is NULL. Use it as a value in the ops table, and call it only with CONFIG_IOMMUFD.',
      },
    ],
    context: 'The core calls it with `vdev->dev_set->lock` held. It may sleep.',
    sources: [source('6.19', 'drivers/vfio/iommufd.c', 'vfio_iommufd_physical_pasid_detach_ioas')],
  }),
  helper({
    name: 'vfio_iommufd_emulated_bind',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        from('6.2'),
        'int vfio_iommufd_emulated_bind(struct vfio_device *vdev,\n\t\t\t       struct iommufd_ctx *ictx, u32 *out_device_id);',
      ],
    ],
    summary: 'Binds the device to an iommufd.',
    contract: [
      { text: 'Use it as `.bind_iommufd`, or call it from there.' },
      {
        text: 'For a device that reaches memory through `vfio_pin_pages()` or `vfio_dma_rw()`, such as a mediated device.',
      },
      {
        kernels: from('6.2'),
        text: 'The core reports unmapped ranges to `.dma_unmap` of the table.',
      },
      {
        text: 'Without CONFIG_IOMMUFD the name is NULL. Use it as a value in the ops table, and call it only with CONFIG_IOMMUFD.',
      },
    ],
    context: 'The core calls it with `vdev->dev_set->lock` held. It may sleep.',
    ownership: '`vfio_iommufd_emulated_unbind()` undoes it.',
    errors: 'Returns 0, or a negative errno.',
    sources: [source('6.12', 'drivers/vfio/iommufd.c', 'vfio_iommufd_emulated_bind')],
  }),
  helper({
    name: 'vfio_iommufd_emulated_unbind',
    kind: 'function',
    header: VFIO_H,
    signatures: [[from('6.2'), 'void vfio_iommufd_emulated_unbind(struct vfio_device *vdev);']],
    summary: 'Undoes vfio_iommufd_emulated_bind().',
    contract: [
      { text: 'Use it as `.unbind_iommufd`, or call it from there.' },
      {
        text: 'For a device that reaches memory through `vfio_pin_pages()` or `vfio_dma_rw()`, such as a mediated device.',
      },
      {
        text: 'Without CONFIG_IOMMUFD the name is NULL. Use it as a value in the ops table, and call it only with CONFIG_IOMMUFD.',
      },
    ],
    context: 'The core calls it with `vdev->dev_set->lock` held. It may sleep.',
    sources: [source('6.12', 'drivers/vfio/iommufd.c', 'vfio_iommufd_emulated_unbind')],
  }),
  helper({
    name: 'vfio_iommufd_emulated_attach_ioas',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [from('6.2'), 'int vfio_iommufd_emulated_attach_ioas(struct vfio_device *vdev, u32 *pt_id);'],
    ],
    summary: 'Attaches the device to an address space.',
    contract: [
      { text: 'Use it as `.attach_ioas`, or call it from there.' },
      {
        text: 'For a device that reaches memory through `vfio_pin_pages()` or `vfio_dma_rw()`, such as a mediated device.',
      },
      {
        text: 'Without CONFIG_IOMMUFD the name is NULL. Use it as a value in the ops table, and call it only with CONFIG_IOMMUFD.',
      },
    ],
    context: 'The core calls it with `vdev->dev_set->lock` held. It may sleep.',
    errors: 'Returns 0, or a negative errno.',
    sources: [source('6.12', 'drivers/vfio/iommufd.c', 'vfio_iommufd_emulated_attach_ioas')],
  }),
  helper({
    name: 'vfio_iommufd_emulated_detach_ioas',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [from('6.6'), 'void vfio_iommufd_emulated_detach_ioas(struct vfio_device *vdev);'],
    ],
    summary: 'Undoes vfio_iommufd_emulated_attach_ioas().',
    contract: [
      { text: 'Use it as `.detach_ioas`, or call it from there.' },
      {
        text: 'For a device that reaches memory through `vfio_pin_pages()` or `vfio_dma_rw()`, such as a mediated device.',
      },
      {
        text: 'Without CONFIG_IOMMUFD the name is NULL. Use it as a value in the ops table, and call it only with CONFIG_IOMMUFD.',
      },
    ],
    context: 'The core calls it with `vdev->dev_set->lock` held. It may sleep.',
    sources: [source('6.12', 'drivers/vfio/iommufd.c', 'vfio_iommufd_emulated_detach_ioas')],
  }),
  helper({
    name: 'vfio_iommufd_device_ictx',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [from('6.6'), 'struct iommufd_ctx *vfio_iommufd_device_ictx(struct vfio_device *vdev);'],
    ],
    summary: 'Returns the iommufd that a physical device is bound to.',
    contract: [{ text: 'Without CONFIG_IOMMUFD it always returns NULL.' }],
    ownership: 'It takes no reference.',
    errors: 'Returns a pointer, or NULL when the device is not bound.',
    sources: [source('6.12', 'drivers/vfio/iommufd.c', 'vfio_iommufd_device_ictx')],
  }),
  helper({
    name: 'vfio_iommufd_get_dev_id',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        from('6.6'),
        'int vfio_iommufd_get_dev_id(struct vfio_device *vdev, struct iommufd_ctx *ictx);',
      ],
    ],
    summary:
      'Returns the id of the device in an iommufd, for a reset that concerns several devices.',
    contract: [{ text: 'Without CONFIG_IOMMUFD it always returns `VFIO_PCI_DEVID_NOT_OWNED`.' }],
    errors:
      'Returns the id; `-ENOENT` when only the group of the device is bound to that iommufd, `-ENODEV` when nothing is.',
    sources: [source('6.12', 'drivers/vfio/iommufd.c', 'vfio_iommufd_get_dev_id')],
  }),
];
