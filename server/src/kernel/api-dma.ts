/**
 * Memory of the user as drivers of devices without an IOMMU reach it: pinning, copying and being told of
 * what is unmapped.
 */
import type { ApiEntry } from './types.ts';
import { VFIO_H, helper, source } from './helper-rows.ts';
import { ALWAYS, before, from } from './behaviour-builders.ts';

export const DMA_API: readonly ApiEntry[] = [
  helper({
    name: 'vfio_pin_pages',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        before('5.19'),
        'int vfio_pin_pages(struct device *dev, unsigned long *user_pfn, int npage,\n\t\t   int prot, unsigned long *phys_pfn);',
      ],
      [
        from('5.19', '6.0'),
        'int vfio_pin_pages(struct vfio_device *device, unsigned long *user_pfn,\n\t\t   int npage, int prot, unsigned long *phys_pfn);',
      ],
      [
        from('6.0'),
        'int vfio_pin_pages(struct vfio_device *device, dma_addr_t iova, int npage,\n\t\t   int prot, struct page **pages);',
      ],
    ],
    summary: 'Pins user pages that the device will read or write, and fills an array with them.',
    contract: [
      {
        kernels: before('6.0'),
        text: 'It takes an array of user page frame numbers, and fills an array of host page frame numbers.',
      },
      {
        kernels: from('6.0'),
        text: 'It takes the first IOVA of a contiguous range, and fills an array of `struct page *`.',
      },
      { text: 'At most `VFIO_PIN_PAGES_MAX_ENTRIES` pages at a time.' },
      {
        kernels: from('5.19'),
        text: 'Call it only while the device is open: from `.open_device` until `.close_device` returns.',
      },
      {
        kernels: from('6.6'),
        text: 'The table must have `.dma_unmap`: without it the call returns `-EINVAL`.',
      },
      {
        kernels: from('6.0'),
        text: 'When user space unmaps the range, the core calls `.dma_unmap`, which must unpin the pages.',
      },
      {
        kernels: before('6.0'),
        text: 'When user space unmaps the range, the core calls the notifier for `VFIO_IOMMU_NOTIFY_DMA_UNMAP`, which must unpin the pages.',
      },
      { text: 'Only for a device without an IOMMU of its own: the driver itself does the DMA.' },
    ],
    context: 'It may sleep.',
    ownership: 'The caller must unpin each pinned page with `vfio_unpin_pages()`.',
    errors:
      'Returns the number of pinned pages, or a negative errno. Compare the number with `npage`.',
    sources: [
      source('6.12', 'drivers/vfio/vfio_main.c', 'vfio_pin_pages'),
      source('5.15', 'drivers/vfio/vfio.c', 'vfio_pin_pages'),
    ],
  }),
  helper({
    name: 'vfio_unpin_pages',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        before('5.19'),
        'int vfio_unpin_pages(struct device *dev, unsigned long *user_pfn, int npage);',
      ],
      [
        from('5.19', '6.0'),
        'int vfio_unpin_pages(struct vfio_device *device, unsigned long *user_pfn,\n\t\t     int npage);',
      ],
      [
        from('6.0'),
        'void vfio_unpin_pages(struct vfio_device *device, dma_addr_t iova, int npage);',
      ],
    ],
    summary: 'Unpins pages that vfio_pin_pages() pinned.',
    contract: [
      {
        kernels: from('5.19'),
        text: 'Call it only while the device is open: from `.open_device` until `.close_device` returns.',
      },
      {
        kernels: from('6.6'),
        text: 'It warns and does nothing when the table has no `.dma_unmap`.',
      },
    ],
    context: 'It may sleep.',
    ownership: 'The caller no longer holds the pages: do not touch them afterwards.',
    errors:
      'Up to 5.19 it returns the number of unpinned pages, or a negative errno. Since 6.0 it returns nothing.',
    sources: [source('6.12', 'drivers/vfio/vfio_main.c', 'vfio_unpin_pages')],
  }),
  helper({
    name: 'vfio_dma_rw',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        before('5.19'),
        'int vfio_dma_rw(struct vfio_group *group, dma_addr_t user_iova, void *data,\n\t\tsize_t len, bool write);',
      ],
      [
        from('5.19', '6.0'),
        'int vfio_dma_rw(struct vfio_device *device, dma_addr_t user_iova, void *data,\n\t\tsize_t len, bool write);',
      ],
      [
        from('6.0'),
        'int vfio_dma_rw(struct vfio_device *device, dma_addr_t iova, void *data,\n\t\tsize_t len, bool write);',
      ],
    ],
    summary: 'Copies data between user memory at an IOVA and a kernel buffer.',
    contract: [
      {
        kernels: before('5.19'),
        text: 'It takes the `struct vfio_group` that `vfio_group_get_external_user_from_dev()` returned.',
      },
      {
        kernels: from('5.19'),
        text: 'Call it only while the device is open: from `.open_device` until `.close_device` returns.',
      },
      { text: 'It needs no pinned pages.' },
      { text: 'Only for a device without an IOMMU of its own.' },
    ],
    context: 'It may sleep. A kernel thread may call it.',
    ownership: 'Nothing changes hands.',
    errors: 'Returns 0, or a negative errno.',
    sources: [
      source('6.12', 'drivers/vfio/vfio_main.c', 'vfio_dma_rw'),
      source('5.15', 'drivers/vfio/vfio.c', 'vfio_dma_rw'),
    ],
  }),
  helper({
    name: 'vfio_group_pin_pages',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        before('5.19'),
        'int vfio_group_pin_pages(struct vfio_group *group, unsigned long *user_iova_pfn,\n\t\t\t int npage, int prot, unsigned long *phys_pfn);',
      ],
    ],
    summary: 'Pins user pages for a caller that holds a reference to the group.',
    contract: [
      {
        text: 'The caller holds a reference to the group from `vfio_group_get_external_user_from_dev()`.',
      },
    ],
    context: 'It may sleep.',
    errors: 'Returns the number of pinned pages, or a negative errno.',
    replacement: {
      text: '`vfio_pin_pages()`, which takes the vfio_device and another form of addresses',
      names: ['vfio_pin_pages'],
    },
    sources: [source('5.15', 'drivers/vfio/vfio.c', 'vfio_group_pin_pages')],
  }),
  helper({
    name: 'vfio_group_unpin_pages',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        before('5.19'),
        'int vfio_group_unpin_pages(struct vfio_group *group,\n\t\t\t   unsigned long *user_iova_pfn, int npage);',
      ],
    ],
    summary: 'Unpins pages that vfio_group_pin_pages() pinned.',
    context: 'It may sleep.',
    errors: 'Returns the number of unpinned pages, or a negative errno.',
    replacement: {
      text: '`vfio_unpin_pages()`, which takes the vfio_device and another form of addresses',
      names: ['vfio_unpin_pages'],
    },
    sources: [source('5.15', 'drivers/vfio/vfio.c', 'vfio_group_unpin_pages')],
  }),
  helper({
    name: 'vfio_group_iommu_domain',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        from('5.11', '5.19'),
        'struct iommu_domain *vfio_group_iommu_domain(struct vfio_group *group);',
      ],
    ],
    summary: 'Returns the IOMMU domain of a group that has only one.',
    errors: 'Returns the domain, or an ERR_PTR.',
    replacement: { text: 'nothing: drivers no longer reach the domain', names: [] },
    sources: [source('5.15', 'drivers/vfio/vfio.c', 'vfio_group_iommu_domain')],
  }),
  helper({
    name: 'VFIO_PIN_PAGES_MAX_ENTRIES',
    kind: 'constant',
    header: VFIO_H,
    signatures: [[ALWAYS, '#define VFIO_PIN_PAGES_MAX_ENTRIES (PAGE_SIZE/sizeof(unsigned long))']],
    summary: 'The maximum number of pages that one call may pin or unpin.',
    contract: [{ text: '`vfio_pin_pages()` returns `-E2BIG` for more.' }],
    sources: [source('5.15', 'drivers/vfio/vfio.c', 'vfio_pin_pages')],
  }),
  helper({
    name: 'vfio_register_notifier',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        before('5.19'),
        'int vfio_register_notifier(struct device *dev, enum vfio_notify_type type,\n\t\t\t   unsigned long *required_events,\n\t\t\t   struct notifier_block *nb);',
      ],
      [
        from('5.19', '6.0'),
        'int vfio_register_notifier(struct vfio_device *device,\n\t\t\t   enum vfio_notify_type type,\n\t\t\t   unsigned long *required_events,\n\t\t\t   struct notifier_block *nb);',
      ],
    ],
    summary:
      'Registers a notifier that runs when user space unmaps addresses, or when KVM joins the group.',
    contract: [
      {
        text: 'Set the wanted events in `*required_events`; the core clears those that it knows.',
      },
      {
        text: 'Unregister it before `.close_device` (or `.release`) returns: the core keeps the address of `nb`.',
      },
      {
        kernels: before('5.19'),
        text: '`VFIO_GROUP_NOTIFY` with `VFIO_GROUP_NOTIFY_SET_KVM` reports the KVM of the group.',
      },
      {
        kernels: from('5.19'),
        text: '`vdev->kvm` is the KVM of the device: there is no notifier for it.',
      },
    ],
    context: 'It may sleep.',
    ownership: 'The core keeps `nb` until the driver unregisters it.',
    errors: 'Returns 0, or a negative errno.',
    replacement: {
      text: '`.dma_unmap` of the ops table, and `vdev->kvm` in `.open_device`',
      names: ['dma_unmap'],
    },
    sources: [source('5.15', 'drivers/vfio/vfio.c', 'vfio_register_notifier')],
  }),
  helper({
    name: 'vfio_unregister_notifier',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [
        before('5.19'),
        'int vfio_unregister_notifier(struct device *dev, enum vfio_notify_type type,\n\t\t\t     struct notifier_block *nb);',
      ],
      [
        from('5.19', '6.0'),
        'int vfio_unregister_notifier(struct vfio_device *device,\n\t\t\t     enum vfio_notify_type type,\n\t\t\t     struct notifier_block *nb);',
      ],
    ],
    summary: 'Unregisters a notifier that vfio_register_notifier() registered.',
    context: 'It may sleep, and waits for a running notifier to return.',
    ownership: 'The driver may free `nb` again.',
    errors: 'Returns 0, or a negative errno.',
    replacement: {
      text: '`.dma_unmap` of the ops table, and `vdev->kvm` in `.open_device`',
      names: ['dma_unmap'],
    },
    sources: [source('5.15', 'drivers/vfio/vfio.c', 'vfio_unregister_notifier')],
  }),
  helper({
    name: 'vfio_notify_type',
    kind: 'enum',
    header: VFIO_H,
    signatures: [[before('6.0'), 'enum vfio_notify_type;']],
    summary: 'The kind of events that a notifier receives.',
    contract: [
      { kernels: before('5.19'), text: '`VFIO_IOMMU_NOTIFY` or `VFIO_GROUP_NOTIFY`.' },
      { kernels: from('5.19', '6.0'), text: 'Only `VFIO_IOMMU_NOTIFY` remains.' },
    ],
    replacement: { text: '`.dma_unmap` of the ops table', names: ['dma_unmap'] },
  }),
  helper({
    name: 'VFIO_IOMMU_NOTIFY_DMA_UNMAP',
    kind: 'constant',
    header: VFIO_H,
    signatures: [[before('6.0'), '#define VFIO_IOMMU_NOTIFY_DMA_UNMAP BIT(0)']],
    summary: 'The event for addresses that user space unmaps.',
    contract: [
      {
        text: 'The notifier receives a `struct vfio_iommu_type1_dma_unmap`, and must unpin that range before it returns.',
      },
    ],
    replacement: { text: '`.dma_unmap` of the ops table', names: ['dma_unmap'] },
    sources: [source('5.15', 'drivers/vfio/vfio_iommu_type1.c', 'vfio_dma_do_unmap')],
  }),
  helper({
    name: 'VFIO_GROUP_NOTIFY_SET_KVM',
    kind: 'constant',
    header: VFIO_H,
    signatures: [[before('5.19'), '#define VFIO_GROUP_NOTIFY_SET_KVM BIT(0)']],
    summary: 'The event for a KVM that is set for the group, or removed.',
    contract: [
      {
        text: 'The notifier receives the `struct kvm *`, or NULL. To use the KVM later, take a reference with `kvm_get_kvm()`.',
      },
    ],
    replacement: { text: '`vdev->kvm`, which is set while the device is open', names: [] },
    sources: [source('5.15', 'drivers/vfio/vfio.c', 'vfio_group_set_kvm')],
  }),
  helper({
    name: 'vfio_iommu_group_get',
    kind: 'function',
    header: VFIO_H,
    signatures: [[before('5.16'), 'struct iommu_group *vfio_iommu_group_get(struct device *dev);']],
    summary:
      'Returns the IOMMU group of a device with a reference. In the unsafe no-IOMMU mode it creates a group.',
    contract: [{ text: 'Take the reference before registration, and drop it after unregister.' }],
    context: 'It may sleep.',
    ownership: 'The caller must drop the reference with `vfio_iommu_group_put()`.',
    errors: 'Returns a pointer, or NULL.',
    replacement: {
      text: 'nothing: the core takes the group itself in `vfio_register_group_dev()`',
      names: ['vfio_register_group_dev'],
    },
    sources: [source('5.15', 'drivers/vfio/vfio.c', 'vfio_iommu_group_get')],
  }),
  helper({
    name: 'vfio_iommu_group_put',
    kind: 'function',
    header: VFIO_H,
    signatures: [
      [before('5.16'), 'void vfio_iommu_group_put(struct iommu_group *group, struct device *dev);'],
    ],
    summary: 'Drops the reference that vfio_iommu_group_get() took.',
    context: 'It may sleep.',
    ownership: 'The caller has dropped its reference.',
    replacement: {
      text: 'nothing: the core drops the group itself in `vfio_unregister_group_dev()`',
      names: ['vfio_unregister_group_dev'],
    },
    sources: [source('5.15', 'drivers/vfio/vfio.c', 'vfio_iommu_group_put')],
  }),
];
