/**
 * What the mdev bus offered to drivers beside registration, until 6.1.
 */
import type { ApiEntry } from './types.ts';
import { MDEV_H, helper, source } from './helper-rows.ts';
import { before, from } from './behaviour-builders.ts';

export const MDEV_BUS_API: readonly ApiEntry[] = [
  helper({
    name: 'mdev_uuid',
    kind: 'function',
    header: MDEV_H,
    signatures: [
      [before('5.13'), 'const guid_t *mdev_uuid(struct mdev_device *mdev);'],
      [from('5.13', '6.0'), 'static inline const guid_t *mdev_uuid(struct mdev_device *mdev);'],
    ],
    summary: 'Returns the UUID that user space gave the mediated device.',
    ownership: 'Nothing changes hands.',
    errors: 'Returns a pointer that is never NULL.',
    replacement: { text: '`dev_name(&mdev->dev)`, which is the UUID as text', names: [] },
  }),
  helper({
    name: 'mdev_get_iommu_device',
    kind: 'function',
    header: MDEV_H,
    signatures: [
      [before('5.13'), 'struct device *mdev_get_iommu_device(struct device *dev);'],
      [
        from('5.13', '5.16'),
        'static inline struct device *mdev_get_iommu_device(struct mdev_device *mdev);',
      ],
    ],
    summary: 'Returns the device that mdev_set_iommu_device() named.',
    ownership: 'Nothing changes hands.',
    errors: 'Returns a pointer, or NULL.',
    replacement: { text: 'nothing: no mdev has an IOMMU of its own any more', names: [] },
  }),
  helper({
    name: 'mtype_get_type_group_id',
    kind: 'function',
    header: MDEV_H,
    signatures: [
      [from('5.13', '6.1'), 'unsigned int mtype_get_type_group_id(struct mdev_type *mtype);'],
    ],
    summary: 'Returns the index of a type in the table of its parent.',
    errors: 'Returns an index; it cannot fail.',
    replacement: {
      text: '`container_of()` on a `struct mdev_type` that the driver embeds',
      names: [],
    },
    sources: [source('5.15', 'drivers/vfio/mdev/mdev_core.c', 'mtype_get_type_group_id')],
  }),
  helper({
    name: 'mtype_get_parent_dev',
    kind: 'function',
    header: MDEV_H,
    signatures: [
      [from('5.13', '6.1'), 'struct device *mtype_get_parent_dev(struct mdev_type *mtype);'],
    ],
    summary: 'Returns the device that provides a type.',
    ownership: 'Nothing changes hands.',
    errors: 'Returns a pointer that is never NULL.',
    replacement: { text: '`mtype->parent->dev`', names: [] },
    sources: [source('5.15', 'drivers/vfio/mdev/mdev_core.c', 'mtype_get_parent_dev')],
  }),
  helper({
    name: 'MDEV_TYPE_ATTR',
    kind: 'macro',
    header: MDEV_H,
    signatures: [[before('6.1'), '#define MDEV_TYPE_ATTR(_name, _mode, _show, _store)']],
    summary: 'Defines an attribute of the types of mediated devices.',
    contract: [
      {
        text: 'It defines `mdev_type_attr_NAME`: put the address of its `.attr` into a group of `.supported_type_groups`.',
      },
    ],
    replacement: {
      text: '`.device_api`, `.get_available` and `.show_description` of the mdev_driver, and `sysfs_name` and `pretty_name` of the mdev_type',
      names: [],
    },
  }),
  helper({
    name: 'MDEV_TYPE_ATTR_RO',
    kind: 'macro',
    header: MDEV_H,
    signatures: [[before('6.1'), '#define MDEV_TYPE_ATTR_RO(_name)']],
    summary: 'Defines an attribute of types that can be read, with `NAME_show()`.',
    contract: [
      {
        text: 'It defines `mdev_type_attr_NAME`: put the address of its `.attr` into a group of `.supported_type_groups`.',
      },
    ],
    replacement: {
      text: '`.device_api`, `.get_available` and `.show_description` of the mdev_driver, and `sysfs_name` and `pretty_name` of the mdev_type',
      names: [],
    },
  }),
  helper({
    name: 'MDEV_TYPE_ATTR_RW',
    kind: 'macro',
    header: MDEV_H,
    signatures: [[before('6.1'), '#define MDEV_TYPE_ATTR_RW(_name)']],
    summary:
      'Defines an attribute of types that can be read and written, with `NAME_show()` and `NAME_store()`.',
    contract: [
      {
        text: 'It defines `mdev_type_attr_NAME`: put the address of its `.attr` into a group of `.supported_type_groups`.',
      },
    ],
    replacement: {
      text: '`.device_api`, `.get_available` and `.show_description` of the mdev_driver, and `sysfs_name` and `pretty_name` of the mdev_type',
      names: [],
    },
  }),
  helper({
    name: 'MDEV_TYPE_ATTR_WO',
    kind: 'macro',
    header: MDEV_H,
    signatures: [[before('6.1'), '#define MDEV_TYPE_ATTR_WO(_name)']],
    summary: 'Defines an attribute of types that can be written, with `NAME_store()`.',
    contract: [
      {
        text: 'It defines `mdev_type_attr_NAME`: put the address of its `.attr` into a group of `.supported_type_groups`.',
      },
    ],
    replacement: {
      text: '`.device_api`, `.get_available` and `.show_description` of the mdev_driver, and `sysfs_name` and `pretty_name` of the mdev_type',
      names: [],
    },
  }),
  helper({
    name: 'mdev_bus_type',
    kind: 'variable',
    header: MDEV_H,
    signatures: [[before('6.1'), 'extern struct bus_type mdev_bus_type;']],
    summary: 'The bus of mediated devices.',
    replacement: { text: 'nothing: it is private to the mdev core', names: [] },
  }),
  helper({
    name: 'to_mdev_driver',
    kind: 'macro',
    header: MDEV_H,
    signatures: [[before('5.13'), '#define to_mdev_driver(drv)']],
    summary: 'The mdev_driver that a device_driver is embedded in.',
    replacement: { text: '`container_of()` on the device_driver', names: [] },
  }),
];
