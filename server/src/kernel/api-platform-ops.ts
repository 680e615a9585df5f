/**
 * What vfio-platform and vfio-amba put into their ops tables. The header is private.
 */
import type { ApiEntry } from './types.ts';
import { PLATFORM_H, helper, source } from './helper-rows.ts';
import { from } from './behaviour-builders.ts';

export const PLATFORM_OPS_API: readonly ApiEntry[] = [
  helper({
    name: 'vfio_platform_open_device',
    kind: 'function',
    isPrivate: true,
    header: PLATFORM_H,
    signatures: [[from('6.1'), 'int vfio_platform_open_device(struct vfio_device *core_vdev);']],
    summary: 'Opens a platform device: regions, interrupts, power and reset.',
    contract: [{ text: 'Use it as `.open_device`.' }],
    context: 'It may sleep.',
    errors: 'Returns 0, or a negative errno.',
    sources: [
      source('6.12', 'drivers/vfio/platform/vfio_platform_common.c', 'vfio_platform_open_device'),
    ],
  }),
  helper({
    name: 'vfio_platform_close_device',
    kind: 'function',
    isPrivate: true,
    header: PLATFORM_H,
    signatures: [[from('6.1'), 'void vfio_platform_close_device(struct vfio_device *core_vdev);']],
    summary: 'Undoes vfio_platform_open_device().',
    contract: [{ text: 'Use it as `.close_device`.' }],
    context: 'It may sleep.',
    sources: [
      source('6.12', 'drivers/vfio/platform/vfio_platform_common.c', 'vfio_platform_close_device'),
    ],
  }),
  helper({
    name: 'vfio_platform_ioctl',
    kind: 'function',
    isPrivate: true,
    header: PLATFORM_H,
    signatures: [
      [
        from('6.1'),
        'long vfio_platform_ioctl(struct vfio_device *core_vdev, unsigned int cmd,\n\t\t\t unsigned long arg);',
      ],
    ],
    summary: 'Handles the ioctls of a platform device.',
    contract: [{ text: 'Use it as `.ioctl`.' }],
    context: 'It may sleep.',
    errors: 'Returns 0 or more, or a negative errno.',
    sources: [
      source('6.12', 'drivers/vfio/platform/vfio_platform_common.c', 'vfio_platform_ioctl'),
    ],
  }),
  helper({
    name: 'vfio_platform_read',
    kind: 'function',
    isPrivate: true,
    header: PLATFORM_H,
    signatures: [
      [
        from('6.1'),
        'ssize_t vfio_platform_read(struct vfio_device *core_vdev, char __user *buf,\n\t\t\t   size_t count, loff_t *ppos);',
      ],
    ],
    summary: 'Reads from a region of a platform device.',
    contract: [{ text: 'Use it as `.read`.' }],
    context: 'It may sleep.',
    errors: 'Returns the number of bytes, or a negative errno.',
    sources: [source('6.12', 'drivers/vfio/platform/vfio_platform_common.c', 'vfio_platform_read')],
  }),
  helper({
    name: 'vfio_platform_write',
    kind: 'function',
    isPrivate: true,
    header: PLATFORM_H,
    signatures: [
      [
        from('6.1'),
        'ssize_t vfio_platform_write(struct vfio_device *core_vdev,\n\t\t\t    const char __user *buf, size_t count, loff_t *ppos);',
      ],
    ],
    summary: 'Writes to a region of a platform device.',
    contract: [{ text: 'Use it as `.write`.' }],
    context: 'It may sleep.',
    errors: 'Returns the number of bytes, or a negative errno.',
    sources: [
      source('6.12', 'drivers/vfio/platform/vfio_platform_common.c', 'vfio_platform_write'),
    ],
  }),
  helper({
    name: 'vfio_platform_mmap',
    kind: 'function',
    isPrivate: true,
    header: PLATFORM_H,
    signatures: [
      [
        from('6.1'),
        'int vfio_platform_mmap(struct vfio_device *core_vdev,\n\t\t       struct vm_area_struct *vma);',
      ],
    ],
    summary: 'Maps a region of a platform device.',
    contract: [{ text: 'Use it as `.mmap`.' }],
    context: 'It may sleep.',
    errors: 'Returns 0, or a negative errno.',
    sources: [source('6.12', 'drivers/vfio/platform/vfio_platform_common.c', 'vfio_platform_mmap')],
  }),
  helper({
    name: 'vfio_platform_ioctl_get_region_info',
    kind: 'function',
    isPrivate: true,
    header: PLATFORM_H,
    signatures: [
      [
        from('6.19'),
        'int vfio_platform_ioctl_get_region_info(struct vfio_device *core_vdev,\n\t\t\t\t\tstruct vfio_region_info *info,\n\t\t\t\t\tstruct vfio_info_cap *caps);',
      ],
    ],
    summary: 'Describes a region of a platform device.',
    contract: [{ text: 'Use it as `.get_region_info_caps`.' }],
    context: 'It may sleep.',
    errors: 'Returns 0, or a negative errno.',
    sources: [
      source(
        '6.19',
        'drivers/vfio/platform/vfio_platform_common.c',
        'vfio_platform_ioctl_get_region_info',
      ),
    ],
  }),
];
