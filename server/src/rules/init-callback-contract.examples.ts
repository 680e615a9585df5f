/** Drivers that the rule init-callback-contract reports, and drivers that it stays silent on. */
import type { Rule } from './types.ts';
import { DRIVER, PROBE, REMOVE } from './examples.ts';

const CONTAINER = `struct foo {
	struct vfio_device vdev;
	struct foo_parent *parent;
	struct mutex lock;
	void *config;
	u32 size;
};
`;

function init(body: string): string {
  return `
static int foo_init_dev(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

${body}	return foo->config ? 0 : -ENOMEM;
}

static void foo_release_dev(struct vfio_device *vdev)
{
	kfree(container_of(vdev, struct foo, vdev)->config);
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.init = foo_init_dev,
	.release = foo_release_dev,
};
`;
}

const SET_PARENT = PROBE.replace(
  '\tdev_set_drvdata',
  '\tfoo->parent = dev_get_drvdata(mdev->dev.parent);\n\tdev_set_drvdata',
);

export const initCallbackContractExamples: Rule['examples'] = {
  bad: [
    {
      title: 'A pointer that nothing sets',
      kernel: '6.2',
      code: `struct foo {
	struct vfio_device vdev;
	struct device *parent;
};

static int foo_init_dev(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	return pm_runtime_resume_and_get(foo->parent);
//                                       ^^^^^^^^^^^ init-callback-contract
}

static void foo_release_dev(struct vfio_device *vdev)
{
	pm_runtime_put(vdev->dev);
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.init = foo_init_dev,
	.release = foo_release_dev,
};
${PROBE}${REMOVE}${DRIVER}`,
    },
    {
      title: 'The container is the cursor of a list',
      kernel: '6.2',
      code: `struct foo {
	struct vfio_device vdev;
	struct list_head node;
	int slot;
};

static LIST_HEAD(foo_list);

static int foo_init_dev(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);
	int slots = 0;

	list_for_each_entry(foo, &foo_list, node)
		slots++;
	foo->slot = slots;
//      ^^^^^^^^^ init-callback-contract
	return 0;
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.init = foo_init_dev,
};
${PROBE}${REMOVE}${DRIVER}`,
    },
    {
      title: 'A member that probe sets afterwards',
      kernel: '6.2',
      code: `${CONTAINER}${init(`	foo->config = kzalloc(foo->parent->size, GFP_KERNEL);
//                            ^^^^^^^^^^^ init-callback-contract
`)}${SET_PARENT}${REMOVE}${DRIVER}`,
    },
    {
      title: 'The name of the device, before it has one',
      kernel: '6.2',
      code: `${CONTAINER}${init(`	foo->config = kstrdup(dev_name(&vdev->device), GFP_KERNEL);
//                                      ^^^^^^^^^^^^ init-callback-contract
`)}${PROBE}${REMOVE}${DRIVER}`,
    },
    {
      title: 'A reference, before there is a count',
      kernel: '6.2',
      code: `${CONTAINER}${init(`	get_device(&foo->vdev.device);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ init-callback-contract
	foo->config = kzalloc(256, GFP_KERNEL);
`)}${PROBE}${REMOVE}${DRIVER}`,
    },
    {
      title: 'The drvdata that probe sets afterwards',
      kernel: '6.2',
      code: `${CONTAINER}
static int foo_init_dev(struct vfio_device *vdev)
{
	struct device *dev = vdev->dev;
	struct foo *foo = dev_get_drvdata(dev);
//                        ^^^^^^^^^^^^^^^^^^^^ init-callback-contract

	mutex_init(&foo->lock);
	return 0;
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.init = foo_init_dev,
};
${PROBE}${REMOVE}${DRIVER}`,
    },
    {
      title: 'In a helper of .init',
      kernel: '6.2',
      code: `${CONTAINER}
static void foo_fill(struct foo *foo)
{
	foo->config = kzalloc(foo->size, GFP_KERNEL);
//                            ^^^^^^^^^ init-callback-contract
}
${init('\tfoo_fill(foo);\n')}${PROBE.replace('\tdev_set_drvdata', '\tfoo->size = 256;\n\tdev_set_drvdata')}${REMOVE}${DRIVER}`,
    },
  ],
  good: [
    {
      title: 'Derived from the parent device',
      kernel: '6.2',
      code: `${CONTAINER}${init(`	foo->parent = dev_get_drvdata(vdev->dev->parent);
	foo->config = kzalloc(foo->parent->size, GFP_KERNEL);
`)}${PROBE}${REMOVE}${DRIVER}`,
    },
    {
      title: 'What .init has set itself',
      kernel: '6.2',
      code: `${CONTAINER}${init(`	foo->size = 256;
	foo->config = kzalloc(foo->size, GFP_KERNEL);
`)}${PROBE.replace('\tdev_set_drvdata', '\tfoo->size *= 2;\n\tdev_set_drvdata')}${REMOVE}${DRIVER}`,
    },
    {
      title: 'The drvdata that probe has set before the allocation',
      kernel: '6.2',
      code: `${CONTAINER}${init(`	foo->parent = dev_get_drvdata(vdev->dev);
	foo->config = kzalloc(256, GFP_KERNEL);
`)}${PROBE.replace('\tfoo = vfio_alloc', '\tdev_set_drvdata(&mdev->dev, foo_find_parent(mdev));\n\tfoo = vfio_alloc')}${REMOVE}${DRIVER}`,
    },
    {
      title: 'Another device, which is there already',
      kernel: '6.2',
      code: `static LIST_HEAD(foo_list);

struct foo {
	struct vfio_device vdev;
	struct list_head next;
	u32 id;
};

static int foo_init_dev(struct vfio_device *vdev)
{
	struct foo *other;

	list_for_each_entry(other, &foo_list, next)
		if (other->id == foo_id_of(vdev->dev))
			return -EBUSY;
	return 0;
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.init = foo_init_dev,
};
${PROBE.replace('\tdev_set_drvdata', '\tfoo->id = foo_id_of(&mdev->dev);\n\tdev_set_drvdata')}${REMOVE}${DRIVER}`,
    },
    {
      title: 'A helper that callbacks call too',
      kernel: '6.2',
      code: `${CONTAINER}
static void foo_note(struct foo *foo)
{
	dev_dbg(&foo->vdev.device, "%u bytes\\n", 256);
}

static int foo_open_device(struct vfio_device *vdev)
{
	foo_note(container_of(vdev, struct foo, vdev));
	return 0;
}
${init('\tfoo_note(foo);\n\tfoo->config = kzalloc(256, GFP_KERNEL);\n').replace('\t.name = "foo",', '\t.name = "foo",\n\t.open_device = foo_open_device,')}${PROBE}${REMOVE}${DRIVER}`,
    },
    {
      title: 'vdev->dev is the parent, and is there',
      kernel: '6.2',
      code: `${CONTAINER}${init(`	foo->config = kstrdup(dev_name(vdev->dev), GFP_KERNEL);
	mutex_init(&foo->lock);
`)}${PROBE}${REMOVE}${DRIVER}`,
    },
  ],
};
