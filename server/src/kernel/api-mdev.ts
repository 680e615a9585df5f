/** The interface of mediated devices. */
import type { ApiEntry } from './types.ts';
import { source } from './helper-rows.ts';
import {
  before,
  from,
  returnsErrno,
  returnsPointer,
  returnsValue,
  returnsVoid,
} from './behaviour-builders.ts';

const HEADER = 'linux/mdev.h';
const BEFORE_PARENT = before('6.1');
const PARENT = from('6.1');

/**
 * Helpers of mediated devices. None of them touches the life of a vfio_device; a port to 6.1 meets
 * most of them.
 */
export const MDEV_API: readonly ApiEntry[] = [
  {
    name: 'mdev_register_device',
    kind: 'function',
    model: 'general',
    kernels: BEFORE_PARENT,
    signatures: [
      {
        kernels: before('5.19'),
        text: 'int mdev_register_device(struct device *dev, const struct mdev_parent_ops *ops);',
      },
      {
        kernels: from('5.19', '6.1'),
        text: 'int mdev_register_device(struct device *dev, struct mdev_driver *mdev_driver);',
      },
    ],
    summary: 'Makes `dev` a parent of mediated devices.',
    contract: [{ text: 'Undo it with `mdev_unregister_device()`.' }],
    behaviours: [returnsErrno(BEFORE_PARENT)],
    replacement: {
      text: '`mdev_register_parent()` with a table of types',
      names: ['mdev_register_parent'],
    },
    sources: [source('6.0', 'drivers/vfio/mdev/mdev_core.c', 'mdev_register_device')],
    header: HEADER,
    commits: [{ id: '89345d5177aa', text: 'lets the driver embed the mdev_parent', kernel: '6.1' }],
  },
  {
    name: 'mdev_unregister_device',
    kind: 'function',
    model: 'general',
    kernels: BEFORE_PARENT,
    signatures: [
      { kernels: BEFORE_PARENT, text: 'void mdev_unregister_device(struct device *dev);' },
    ],
    summary: 'Removes all mediated devices of `dev`, and removes `dev` from the list of parents.',
    contract: [],
    behaviours: [returnsVoid(BEFORE_PARENT)],
    replacement: { text: '`mdev_unregister_parent()`', names: ['mdev_unregister_parent'] },
    sources: [source('6.0', 'drivers/vfio/mdev/mdev_core.c', 'mdev_unregister_device')],
    header: HEADER,
    commits: [{ id: '89345d5177aa', text: 'lets the driver embed the mdev_parent', kernel: '6.1' }],
  },
  {
    name: 'mdev_register_parent',
    kind: 'function',
    model: 'general',
    kernels: PARENT,
    signatures: [
      {
        kernels: PARENT,
        text: 'int mdev_register_parent(struct mdev_parent *parent, struct device *dev,\n\t\tstruct mdev_driver *mdev_driver, struct mdev_type **types,\n\t\tunsigned int nr_types);',
      },
    ],
    summary: 'Makes `dev` a parent of mediated devices of the given types.',
    contract: [
      { text: 'It clears `*parent`: set no member before the call.' },
      { text: 'Each type must have a `sysfs_name`.' },
      { text: 'User space can create devices before it returns.' },
      { text: 'Undo it with `mdev_unregister_parent()`.' },
    ],
    context: 'It may sleep.',
    sources: [source('6.12', 'drivers/vfio/mdev/mdev_core.c', 'mdev_register_parent')],
    ownership: 'The driver owns `parent`, which must live until it is unregistered.',
    behaviours: [returnsErrno(PARENT)],
    header: HEADER,
    commits: [{ id: '89345d5177aa', text: 'lets the driver embed the mdev_parent', kernel: '6.1' }],
  },
  {
    name: 'mdev_unregister_parent',
    kind: 'function',
    model: 'general',
    kernels: PARENT,
    signatures: [
      { kernels: PARENT, text: 'void mdev_unregister_parent(struct mdev_parent *parent);' },
    ],
    summary: 'Removes all mediated devices of the parent.',
    contract: [],
    behaviours: [returnsVoid(PARENT)],
    sources: [source('6.12', 'drivers/vfio/mdev/mdev_core.c', 'mdev_unregister_parent')],
    header: HEADER,
    commits: [{ id: '89345d5177aa', text: 'lets the driver embed the mdev_parent', kernel: '6.1' }],
  },
  {
    name: 'mdev_register_driver',
    kind: 'function',
    model: 'general',
    kernels: {},
    signatures: [
      {
        kernels: before('5.13'),
        text: 'int mdev_register_driver(struct mdev_driver *drv, struct module *owner);',
      },
      { kernels: from('5.13'), text: 'int mdev_register_driver(struct mdev_driver *drv);' },
    ],
    summary: 'Registers a driver on the mdev bus.',
    contract: [
      { kernels: from('5.13'), text: 'Set `drv->driver.owner` to `THIS_MODULE` yourself.' },
    ],
    behaviours: [returnsErrno({})],
    sources: [source('6.12', 'drivers/vfio/mdev/mdev_driver.c', 'mdev_register_driver')],
    header: HEADER,
    commits: [],
  },
  {
    name: 'mdev_unregister_driver',
    kind: 'function',
    model: 'general',
    kernels: {},
    signatures: [{ kernels: {}, text: 'void mdev_unregister_driver(struct mdev_driver *drv);' }],
    summary: 'Unregisters a driver from the mdev bus.',
    contract: [],
    behaviours: [returnsVoid({})],
    sources: [source('6.12', 'drivers/vfio/mdev/mdev_driver.c', 'mdev_unregister_driver')],
    header: HEADER,
    commits: [],
  },
  {
    name: 'to_mdev_device',
    kind: 'function',
    model: 'general',
    kernels: from('5.13'),
    signatures: [
      {
        kernels: from('5.13'),
        text: 'static inline struct mdev_device *to_mdev_device(struct device *dev);',
      },
    ],
    summary: 'Returns the mediated device that `dev` is embedded in.',
    contract: [
      { kernels: PARENT, text: 'In `.init` of a mediated driver: `to_mdev_device(vdev->dev)`.' },
    ],
    ownership: 'Nothing changes hands.',
    errors: 'Returns another view of its argument; it cannot fail.',
    behaviours: [returnsValue(from('5.13'))],
    header: HEADER,
    commits: [{ id: '66873b5fa738', text: 'makes it an inline function', kernel: '5.13' }],
  },
  {
    name: 'mdev_dev',
    kind: 'function',
    model: 'general',
    kernels: {},
    signatures: [
      { kernels: before('5.13'), text: 'struct device *mdev_dev(struct mdev_device *mdev);' },
      {
        kernels: from('5.13'),
        text: 'static inline struct device *mdev_dev(struct mdev_device *mdev);',
      },
    ],
    summary: 'Returns the struct device of a mediated device.',
    contract: [],
    ownership: 'Nothing changes hands.',
    errors: 'Returns another view of its argument; it cannot fail.',
    behaviours: [returnsValue({})],
    sources: [source('5.12', 'drivers/vfio/mdev/mdev_core.c', 'mdev_dev')],
    header: HEADER,
    commits: [],
  },
  {
    name: 'mdev_get_drvdata',
    kind: 'function',
    model: 'general',
    kernels: before('5.19'),
    signatures: [
      { kernels: before('5.13'), text: 'void *mdev_get_drvdata(struct mdev_device *mdev);' },
      {
        kernels: from('5.13', '5.19'),
        text: 'static inline void *mdev_get_drvdata(struct mdev_device *mdev);',
      },
    ],
    summary: 'Returns the pointer that the driver stored in the mediated device.',
    contract: [],
    ownership: 'Nothing changes hands.',
    errors: 'Returns the stored pointer, or NULL when none was stored.',
    behaviours: [returnsValue(before('5.19'), { op: 'get-drvdata', target: 0, result: 'return' })],
    replacement: { text: '`dev_get_drvdata(&mdev->dev)`', names: ['dev_get_drvdata'] },
    sources: [source('5.12', 'drivers/vfio/mdev/mdev_core.c', 'mdev_get_drvdata')],
    header: HEADER,
    commits: [],
  },
  {
    name: 'mdev_set_drvdata',
    kind: 'function',
    model: 'general',
    kernels: before('5.19'),
    signatures: [
      {
        kernels: before('5.13'),
        text: 'void mdev_set_drvdata(struct mdev_device *mdev, void *data);',
      },
      {
        kernels: from('5.13', '5.19'),
        text: 'static inline void mdev_set_drvdata(struct mdev_device *mdev, void *data);',
      },
    ],
    summary: 'Stores a pointer of the driver in the mediated device.',
    contract: [],
    ownership: 'The driver still owns what the pointer points to.',
    behaviours: [returnsVoid(before('5.19'), { op: 'set-drvdata', target: 0, value: 1 })],
    replacement: { text: '`dev_set_drvdata(&mdev->dev, data)`', names: ['dev_set_drvdata'] },
    sources: [source('5.12', 'drivers/vfio/mdev/mdev_core.c', 'mdev_set_drvdata')],
    header: HEADER,
    commits: [],
  },
  {
    name: 'mdev_get_type_group_id',
    kind: 'function',
    model: 'general',
    kernels: from('5.13', '6.1'),
    signatures: [
      {
        kernels: from('5.13', '6.1'),
        text: 'unsigned int mdev_get_type_group_id(struct mdev_device *mdev);',
      },
    ],
    summary: 'Returns the index of the type of a mediated device.',
    contract: [],
    behaviours: [returnsValue(from('5.13', '6.1'))],
    errors: 'Returns an index; it cannot fail.',
    replacement: {
      text: '`container_of(mdev->type, struct my_type, type)`, with the `struct mdev_type` embedded in a struct of the driver',
      names: [],
    },
    sources: [source('6.0', 'drivers/vfio/mdev/mdev_core.c', 'mdev_get_type_group_id')],
    header: HEADER,
    commits: [],
  },
  {
    name: 'mdev_parent_dev',
    kind: 'function',
    model: 'general',
    kernels: BEFORE_PARENT,
    signatures: [
      { kernels: BEFORE_PARENT, text: 'struct device *mdev_parent_dev(struct mdev_device *mdev);' },
    ],
    summary: 'Returns the parent of a mediated device.',
    contract: [],
    ownership: 'Nothing changes hands.',
    errors: 'Returns a pointer that is never NULL.',
    behaviours: [returnsValue(BEFORE_PARENT)],
    replacement: { text: '`mdev->type->parent->dev`', names: [] },
    sources: [source('6.0', 'drivers/vfio/mdev/mdev_core.c', 'mdev_parent_dev')],
    header: HEADER,
    commits: [],
  },
  {
    name: 'mdev_from_dev',
    kind: 'function',
    model: 'general',
    kernels: BEFORE_PARENT,
    signatures: [
      { kernels: before('5.13'), text: 'struct mdev_device *mdev_from_dev(struct device *dev);' },
      {
        kernels: from('5.13', '6.1'),
        text: 'static inline struct mdev_device *mdev_from_dev(struct device *dev);',
      },
    ],
    summary: 'Returns the mediated device of `dev`, or NULL when `dev` is none.',
    contract: [],
    ownership: 'Nothing changes hands.',
    behaviours: [returnsPointer(BEFORE_PARENT)],
    replacement: {
      text: '`to_mdev_device()`, where `dev` is known to be a mediated device',
      names: ['to_mdev_device'],
    },
    sources: [source('5.12', 'drivers/vfio/mdev/mdev_core.c', 'mdev_from_dev')],
    header: HEADER,
    commits: [],
  },
  {
    name: 'mdev_set_iommu_device',
    kind: 'function',
    model: 'general',
    kernels: before('5.16'),
    signatures: [
      {
        kernels: before('5.13'),
        text: 'int mdev_set_iommu_device(struct device *dev, struct device *iommu_device);',
      },
      {
        kernels: from('5.13', '5.16'),
        text: 'static inline void mdev_set_iommu_device(struct mdev_device *mdev,\n\t\tstruct device *iommu_device);',
      },
    ],
    summary: 'Names the device whose IOMMU isolates the mediated device.',
    contract: [],
    behaviours: [returnsErrno(before('5.13')), returnsVoid(from('5.13', '5.16'))],
    replacement: {
      text: '`vfio_pin_pages()` for the memory that the device reads and writes: no mdev has an IOMMU of its own any more',
      names: [],
    },
    sources: [source('5.12', 'drivers/vfio/mdev/mdev_core.c', 'mdev_set_iommu_device')],
    header: HEADER,
    commits: [],
  },
];
