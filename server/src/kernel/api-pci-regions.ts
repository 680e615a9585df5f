/**
 * Regions of vfio-pci core: those that a driver adds, access to BARs, and dma-buf.
 */
import type { ApiEntry } from './types.ts';
import { CORE_H, helper, source } from './helper-rows.ts';
import { backported, from } from './behaviour-builders.ts';

export const PCI_REGIONS_API: readonly ApiEntry[] = [
  helper({
    name: 'vfio_pci_register_dev_region',
    kind: 'function',
    header: CORE_H,
    signatures: [
      [
        from('5.15', '6.1'),
        'int vfio_pci_register_dev_region(struct vfio_pci_core_device *vdev,\n\t\t\t\t unsigned int type, unsigned int subtype,\n\t\t\t\t const struct vfio_pci_regops *ops, size_t size,\n\t\t\t\t u32 flags, void *data);',
      ],
    ],
    summary:
      'Adds a region of the driver to the regions that user space sees; call it in `.open_device`.',
    context: 'It may sleep.',
    errors: 'Returns 0, or `-ENOMEM`.',
    replacement: {
      text: '`vfio_pci_core_register_dev_region()`',
      names: ['vfio_pci_core_register_dev_region'],
      rename: 'vfio_pci_core_register_dev_region',
    },
    sources: [source('5.15', 'drivers/vfio/pci/vfio_pci_core.c', 'vfio_pci_register_dev_region')],
  }),
  helper({
    name: 'vfio_pci_set_power_state',
    kind: 'function',
    header: CORE_H,
    signatures: [
      [
        from('5.15', '6.1'),
        'int vfio_pci_set_power_state(struct vfio_pci_core_device *vdev,\n\t\t\t     pci_power_t state);',
      ],
    ],
    summary: 'Changes the power state of a PCI device, and preserves its configuration across D3.',
    contract: [{ text: 'It is not exported: only vfio-pci core can call it.' }],
    errors: 'Returns 0, or a negative errno.',
    replacement: { text: 'nothing: runtime power management of vfio-pci core does it', names: [] },
    sources: [source('5.15', 'drivers/vfio/pci/vfio_pci_core.c', 'vfio_pci_set_power_state')],
  }),
  helper({
    name: 'vfio_pci_is_vga',
    kind: 'function',
    header: CORE_H,
    signatures: [
      [from('5.15', '6.1'), 'static inline bool vfio_pci_is_vga(struct pci_dev *pdev);'],
    ],
    summary: 'Tells whether a PCI device is a VGA controller.',
    errors: 'Returns true or false.',
    replacement: { text: '`pci_is_vga()`, or a test of `pdev->class`', names: [] },
  }),
  helper({
    name: '__vfio_pci_memory_enabled',
    kind: 'function',
    header: CORE_H,
    signatures: [
      [from('6.19'), 'bool __vfio_pci_memory_enabled(struct vfio_pci_core_device *vdev);'],
    ],
    summary: 'Tells whether the memory of the device is accessible.',
    contract: [{ text: 'The caller holds `vdev->memory_lock`.' }],
    errors: 'Returns true or false.',
    sources: [source('6.19', 'drivers/vfio/pci/vfio_pci_config.c', '__vfio_pci_memory_enabled')],
  }),
  helper({
    name: 'vfio_pci_core_setup_barmap',
    kind: 'function',
    header: CORE_H,
    signatures: [
      [from('6.8'), 'int vfio_pci_core_setup_barmap(struct vfio_pci_core_device *vdev, int bar);'],
    ],
    summary: 'Requests and maps a BAR once, so that the driver can access it.',
    contract: [
      {
        text: 'Call it while the device is enabled; it does nothing the second time.',
      },
      { text: 'The result is `vdev->barmap[bar]`.' },
    ],
    context: 'It may sleep.',
    ownership: '`vfio_pci_core_disable()` unmaps and releases it.',
    errors: 'Returns 0, or a negative errno.',
    sources: [source('6.12', 'drivers/vfio/pci/vfio_pci_rdwr.c', 'vfio_pci_core_setup_barmap')],
  }),
  helper({
    name: 'vfio_pci_core_do_io_rw',
    kind: 'function',
    header: CORE_H,
    signatures: [
      [
        from('6.9', '6.19'),
        'ssize_t vfio_pci_core_do_io_rw(struct vfio_pci_core_device *vdev, bool test_mem,\n\t\t\t       void __iomem *io, char __user *buf, loff_t off,\n\t\t\t       size_t count, size_t x_start, size_t x_end,\n\t\t\t       bool iswrite);',
      ],
      [
        backported(from('6.19'), '6.12'),
        'ssize_t vfio_pci_core_do_io_rw(struct vfio_pci_core_device *vdev, bool test_mem,\n\t\t\t       void __iomem *io, char __user *buf, loff_t off,\n\t\t\t       size_t count, size_t x_start, size_t x_end,\n\t\t\t       bool iswrite, enum vfio_pci_io_width max_width);',
      ],
    ],
    summary: 'Copies between the user and a mapped BAR, except for a hole in the BAR.',
    contract: [
      { text: 'From `x_start` to before `x_end`, reads return ones and writes are dropped.' },
      {
        kernels: backported(from('6.19'), '6.12'),
        text: '`max_width` is the widest access that the device may see. Later releases of 6.12.y have it too.',
      },
    ],
    context: 'It may sleep.',
    errors: 'Returns the number of bytes, or a negative errno.',
    sources: [source('6.19', 'drivers/vfio/pci/vfio_pci_rdwr.c', 'vfio_pci_core_do_io_rw')],
  }),
  helper({
    name: 'vfio_pci_core_range_intersect_range',
    kind: 'function',
    header: CORE_H,
    signatures: [
      [
        from('6.9'),
        'bool vfio_pci_core_range_intersect_range(loff_t buf_start, size_t buf_cnt,\n\t\tloff_t reg_start, size_t reg_cnt, loff_t *buf_offset,\n\t\tsize_t *intersect_count, size_t *register_offset);',
      ],
    ],
    summary: 'Computes where a read or write of the user overlaps a register.',
    errors: 'Returns true when they overlap, with the place and the number of bytes.',
    sources: [
      source('6.12', 'drivers/vfio/pci/vfio_pci_config.c', 'vfio_pci_core_range_intersect_range'),
    ],
  }),
  helper({
    name: 'vfio_pci_core_ioread8',
    kind: 'function',
    header: CORE_H,
    signatures: [
      [
        from('6.8'),
        'int vfio_pci_core_ioread8(struct vfio_pci_core_device *vdev, bool test_mem,\n\t\t\t  u8 *val, void __iomem *io);',
      ],
    ],
    summary: 'Reads 8 bits of a BAR.',
    contract: [
      {
        text: 'With `test_mem` it checks under the memory lock that the memory of the device is enabled.',
      },
    ],
    context: 'It may sleep.',
    errors: 'Returns 0, or `-EIO` when the memory of the device is disabled.',
    sources: [source('6.12', 'drivers/vfio/pci/vfio_pci_rdwr.c', 'VFIO_IOREAD')],
  }),
  helper({
    name: 'vfio_pci_core_ioread16',
    kind: 'function',
    header: CORE_H,
    signatures: [
      [
        from('6.8'),
        'int vfio_pci_core_ioread16(struct vfio_pci_core_device *vdev, bool test_mem,\n\t\t\t   u16 *val, void __iomem *io);',
      ],
    ],
    summary: 'Reads 16 bits of a BAR.',
    contract: [
      {
        text: 'With `test_mem` it checks under the memory lock that the memory of the device is enabled.',
      },
    ],
    context: 'It may sleep.',
    errors: 'Returns 0, or `-EIO` when the memory of the device is disabled.',
    sources: [source('6.12', 'drivers/vfio/pci/vfio_pci_rdwr.c', 'VFIO_IOREAD')],
  }),
  helper({
    name: 'vfio_pci_core_ioread32',
    kind: 'function',
    header: CORE_H,
    signatures: [
      [
        from('6.8'),
        'int vfio_pci_core_ioread32(struct vfio_pci_core_device *vdev, bool test_mem,\n\t\t\t   u32 *val, void __iomem *io);',
      ],
    ],
    summary: 'Reads 32 bits of a BAR.',
    contract: [
      {
        text: 'With `test_mem` it checks under the memory lock that the memory of the device is enabled.',
      },
    ],
    context: 'It may sleep.',
    errors: 'Returns 0, or `-EIO` when the memory of the device is disabled.',
    sources: [source('6.12', 'drivers/vfio/pci/vfio_pci_rdwr.c', 'VFIO_IOREAD')],
  }),
  helper({
    name: 'vfio_pci_core_ioread64',
    kind: 'function',
    header: CORE_H,
    signatures: [
      [
        from('6.11'),
        'int vfio_pci_core_ioread64(struct vfio_pci_core_device *vdev, bool test_mem,\n\t\t\t   u64 *val, void __iomem *io);',
      ],
    ],
    summary: 'Reads 64 bits of a BAR.',
    contract: [
      {
        text: 'With `test_mem` it checks under the memory lock that the memory of the device is enabled.',
      },
    ],
    context: 'It may sleep.',
    errors: 'Returns 0, or `-EIO` when the memory of the device is disabled.',
    sources: [source('6.12', 'drivers/vfio/pci/vfio_pci_rdwr.c', 'VFIO_IOREAD')],
  }),
  helper({
    name: 'vfio_pci_core_iowrite8',
    kind: 'function',
    header: CORE_H,
    signatures: [
      [
        from('6.8'),
        'int vfio_pci_core_iowrite8(struct vfio_pci_core_device *vdev, bool test_mem,\n\t\t\t   u8 val, void __iomem *io);',
      ],
    ],
    summary: 'Writes 8 bits of a BAR.',
    contract: [
      {
        text: 'With `test_mem` it checks under the memory lock that the memory of the device is enabled.',
      },
    ],
    context: 'It may sleep.',
    errors: 'Returns 0, or `-EIO` when the memory of the device is disabled.',
    sources: [source('6.12', 'drivers/vfio/pci/vfio_pci_rdwr.c', 'VFIO_IOWRITE')],
  }),
  helper({
    name: 'vfio_pci_core_iowrite16',
    kind: 'function',
    header: CORE_H,
    signatures: [
      [
        from('6.8'),
        'int vfio_pci_core_iowrite16(struct vfio_pci_core_device *vdev, bool test_mem,\n\t\t\t    u16 val, void __iomem *io);',
      ],
    ],
    summary: 'Writes 16 bits of a BAR.',
    contract: [
      {
        text: 'With `test_mem` it checks under the memory lock that the memory of the device is enabled.',
      },
    ],
    context: 'It may sleep.',
    errors: 'Returns 0, or `-EIO` when the memory of the device is disabled.',
    sources: [source('6.12', 'drivers/vfio/pci/vfio_pci_rdwr.c', 'VFIO_IOWRITE')],
  }),
  helper({
    name: 'vfio_pci_core_iowrite32',
    kind: 'function',
    header: CORE_H,
    signatures: [
      [
        from('6.8'),
        'int vfio_pci_core_iowrite32(struct vfio_pci_core_device *vdev, bool test_mem,\n\t\t\t    u32 val, void __iomem *io);',
      ],
    ],
    summary: 'Writes 32 bits of a BAR.',
    contract: [
      {
        text: 'With `test_mem` it checks under the memory lock that the memory of the device is enabled.',
      },
    ],
    context: 'It may sleep.',
    errors: 'Returns 0, or `-EIO` when the memory of the device is disabled.',
    sources: [source('6.12', 'drivers/vfio/pci/vfio_pci_rdwr.c', 'VFIO_IOWRITE')],
  }),
  helper({
    name: 'vfio_pci_core_iowrite64',
    kind: 'function',
    header: CORE_H,
    signatures: [
      [
        from('6.8'),
        'int vfio_pci_core_iowrite64(struct vfio_pci_core_device *vdev, bool test_mem,\n\t\t\t    u64 val, void __iomem *io);',
      ],
    ],
    summary: 'Writes 64 bits of a BAR.',
    contract: [
      {
        text: 'With `test_mem` it checks under the memory lock that the memory of the device is enabled.',
      },
    ],
    context: 'It may sleep.',
    errors: 'Returns 0, or `-EIO` when the memory of the device is disabled.',
    sources: [source('6.12', 'drivers/vfio/pci/vfio_pci_rdwr.c', 'VFIO_IOWRITE')],
  }),
  helper({
    name: 'vfio_pci_ioctl_get_region_info',
    kind: 'function',
    header: CORE_H,
    signatures: [
      [
        from('6.19'),
        'int vfio_pci_ioctl_get_region_info(struct vfio_device *core_vdev,\n\t\t\t\t   struct vfio_region_info *info,\n\t\t\t\t   struct vfio_info_cap *caps);',
      ],
    ],
    summary:
      'Describes a region of a PCI device; use it as `.get_region_info_caps`, or call it from there.',
    contract: [
      {
        text: 'Without `.get_region_info_caps` VFIO_DEVICE_GET_REGION_INFO returns `-EINVAL`: `vfio_pci_core_ioctl()` no longer answers it.',
      },
    ],
    context: 'It may sleep.',
    errors: 'Returns 0, or a negative errno.',
    sources: [source('6.19', 'drivers/vfio/pci/vfio_pci_core.c', 'vfio_pci_ioctl_get_region_info')],
  }),
  helper({
    name: 'vfio_pci_vmf_insert_pfn',
    kind: 'function',
    header: CORE_H,
    signatures: [
      [
        from('6.19'),
        'vm_fault_t vfio_pci_vmf_insert_pfn(struct vfio_pci_core_device *vdev,\n\t\t\t\t   struct vm_fault *vmf, unsigned long pfn,\n\t\t\t\t   unsigned int order);',
      ],
    ],
    summary: 'Maps a page of a BAR in a fault handler of the driver.',
    contract: [
      { text: 'The caller holds `vdev->memory_lock` for reading.' },
      { text: '`order` gives the size of the page: 0, or the order of a PMD or PUD.' },
    ],
    errors: 'Returns a vm_fault_t: `VM_FAULT_SIGBUS` when the memory of the device is disabled.',
    sources: [source('6.19', 'drivers/vfio/pci/vfio_pci_core.c', 'vfio_pci_vmf_insert_pfn')],
  }),
  helper({
    name: 'vfio_pci_core_get_dmabuf_phys',
    kind: 'function',
    header: CORE_H,
    signatures: [
      [
        from('6.19', '7.0'),
        'int vfio_pci_core_get_dmabuf_phys(struct vfio_pci_core_device *vdev,\n\t\t\t\t  struct p2pdma_provider **provider,\n\t\t\t\t  unsigned int region_index,\n\t\t\t\t  struct dma_buf_phys_vec *phys_vec,\n\t\t\t\t  struct vfio_region_dma_range *dma_ranges,\n\t\t\t\t  size_t nr_ranges);',
      ],
      [
        from('7.0'),
        'int vfio_pci_core_get_dmabuf_phys(struct vfio_pci_core_device *vdev,\n\t\t\t\t  struct p2pdma_provider **provider,\n\t\t\t\t  unsigned int region_index,\n\t\t\t\t  struct phys_vec *phys_vec,\n\t\t\t\t  struct vfio_region_dma_range *dma_ranges,\n\t\t\t\t  size_t nr_ranges);',
      ],
    ],
    summary:
      'Fills in the physical addresses of the ranges of a BAR; use it as `.get_dmabuf_phys`.',
    contract: [{ text: 'Without CONFIG_VFIO_PCI_DMABUF it returns `-EOPNOTSUPP`.' }],
    errors: 'Returns 0, or a negative errno.',
    sources: [
      source('6.19', 'drivers/vfio/pci/vfio_pci_dmabuf.c', 'vfio_pci_core_get_dmabuf_phys'),
    ],
  }),
  helper({
    name: 'vfio_pci_core_fill_phys_vec',
    kind: 'function',
    header: CORE_H,
    signatures: [
      [
        from('6.19', '7.0'),
        'int vfio_pci_core_fill_phys_vec(struct dma_buf_phys_vec *phys_vec,\n\t\t\t\tstruct vfio_region_dma_range *dma_ranges,\n\t\t\t\tsize_t nr_ranges, phys_addr_t start,\n\t\t\t\tphys_addr_t len);',
      ],
      [
        from('7.0'),
        'int vfio_pci_core_fill_phys_vec(struct phys_vec *phys_vec,\n\t\t\t\tstruct vfio_region_dma_range *dma_ranges,\n\t\t\t\tsize_t nr_ranges, phys_addr_t start,\n\t\t\t\tphys_addr_t len);',
      ],
    ],
    summary:
      'Fills in the physical addresses of ranges of one memory area; for a `.get_dmabuf_phys` of the driver.',
    contract: [
      { text: 'Each range must lie between `start` and `start + len`.' },
      { text: 'Without CONFIG_VFIO_PCI_DMABUF it returns `-EINVAL`.' },
    ],
    errors: 'Returns 0, or a negative errno.',
    sources: [source('6.19', 'drivers/vfio/pci/vfio_pci_dmabuf.c', 'vfio_pci_core_fill_phys_vec')],
  }),
  helper({
    name: 'vfio_pci_dma_buf_iommufd_map',
    kind: 'function',
    header: CORE_H,
    signatures: [
      [
        from('6.19', '7.0'),
        'int vfio_pci_dma_buf_iommufd_map(struct dma_buf_attachment *attachment,\n\t\t\t\t struct dma_buf_phys_vec *phys);',
      ],
      [
        from('7.0'),
        'int vfio_pci_dma_buf_iommufd_map(struct dma_buf_attachment *attachment,\n\t\t\t\t struct phys_vec *phys);',
      ],
    ],
    summary: 'Tells iommufd the address of a dma-buf of vfio-pci.',
    contract: [
      { text: 'For iommufd; drivers do not call it.' },
      { text: 'The caller holds the reservation lock of the dma-buf.' },
    ],
    errors: 'Returns 0, or a negative errno.',
    sources: [source('6.19', 'drivers/vfio/pci/vfio_pci_dmabuf.c', 'vfio_pci_dma_buf_iommufd_map')],
  }),
  helper({
    name: 'vfio_pci_core_err_handlers',
    kind: 'variable',
    header: CORE_H,
    signatures: [
      [from('5.15'), 'extern const struct pci_error_handlers vfio_pci_core_err_handlers;'],
    ],
    summary:
      'The PCI error handlers of vfio-pci core; use its address as `.err_handler` of the PCI driver.',
    contract: [
      {
        kernels: from('5.19'),
        text: 'It finds the device through the drvdata of the PCI device, which must be the `struct vfio_pci_core_device *`.',
      },
      {
        text: 'A driver with handlers of its own sets `.error_detected` to `vfio_pci_core_aer_err_detected` instead.',
      },
    ],
    sources: [source('6.12', 'drivers/vfio/pci/vfio_pci_core.c', 'vfio_pci_core_err_handlers')],
  }),
  helper({
    name: 'VFIO_PCI_OFFSET_SHIFT',
    kind: 'constant',
    header: CORE_H,
    signatures: [[from('5.15'), '#define VFIO_PCI_OFFSET_SHIFT 40']],
    summary: 'The shift of the region index in an offset of the file descriptor.',
  }),
  helper({
    name: 'VFIO_PCI_OFFSET_TO_INDEX',
    kind: 'macro',
    header: CORE_H,
    signatures: [[from('5.15'), '#define VFIO_PCI_OFFSET_TO_INDEX(off)']],
    summary: 'The index of the region that contains an offset of the file descriptor.',
  }),
  helper({
    name: 'VFIO_PCI_INDEX_TO_OFFSET',
    kind: 'macro',
    header: CORE_H,
    signatures: [[from('5.15'), '#define VFIO_PCI_INDEX_TO_OFFSET(index)']],
    summary: 'The offset of the file descriptor at which a region begins.',
  }),
  helper({
    name: 'VFIO_PCI_OFFSET_MASK',
    kind: 'constant',
    header: CORE_H,
    signatures: [
      [from('5.15'), '#define VFIO_PCI_OFFSET_MASK (((u64)(1) << VFIO_PCI_OFFSET_SHIFT) - 1)'],
    ],
    summary: 'The part of an offset of the file descriptor that is the offset in its region.',
  }),
];
