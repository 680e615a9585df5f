/** Drivers that the rule unbalanced-accounting reports, and drivers that it stays silent on. */
import type { Rule } from './types.ts';
import { DRIVER, FOO } from './examples.ts';

const probe = (failure: string): string => `static unsigned int foo_count;

static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	if (foo_count >= 4)
		return -ENOSPC;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	foo_count++;
	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret) {
${failure}
	}
	return 0;
}
`;

const remove = (count: string): string => `
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
${count}}
`;

const BUDGET = `struct foo {
	struct vfio_device vdev;
	void *config;
	int ports;
};

static atomic_t foo_ports = ATOMIC_INIT(16);
`;

const initDev = (failure: string): string => `
static int foo_init_dev(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	if (atomic_dec_if_positive(&foo_ports) < 0)
		return -ENOSPC;
	foo->config = kzalloc(256, GFP_KERNEL);
	if (!foo->config) {
${failure}
	}
	return 0;
}

static void foo_release_dev(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	kfree(foo->config);
	atomic_inc(&foo_ports);
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.init = foo_init_dev,
	.release = foo_release_dev,
};

static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
}
`;

/** A container that belongs to the parent, which keeps the count in it. */
const parentCount = (failure: string): string => `struct foo {
	struct vfio_device vdev;
	struct completion released;
	atomic_t avail;
};

static void foo_release_dev(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	complete(&foo->released);
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.release = foo_release_dev,
};

static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(mdev->dev.parent);
	int ret;

	if (atomic_dec_if_positive(&foo->avail) < 0)
		return -EPERM;
	ret = vfio_init_device(&foo->vdev, &mdev->dev, &foo_ops);
	if (ret)${failure}

	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		goto err_put;
	dev_set_drvdata(&mdev->dev, foo);
	return 0;

err_put:
	vfio_put_device(&foo->vdev);
err_count:
	atomic_inc(&foo->avail);
	return ret;
}

static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(mdev->dev.parent);

	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
	wait_for_completion(&foo->released);
	atomic_inc(&foo->avail);
}
`;

export const unbalancedAccountingExamples: Rule['examples'] = {
  bad: [
    {
      title: 'A failed registration keeps its count',
      kernel: '6.2',
      code: `${FOO}${probe(`		vfio_put_device(&foo->vdev);
		return ret;
//              ^^^^^^^^^^^ unbalanced-accounting`)}${remove('\tfoo_count--;\n')}${DRIVER}`,
    },
    {
      title: '.init fails with its share',
      kernel: '6.2',
      code: `${BUDGET}${initDev(`		return -ENOMEM;
//              ^^^^^^^^^^^^^^^ unbalanced-accounting`)}${remove('')}${DRIVER}`,
    },
    {
      title: 'The count is taken before the device is initialised',
      kernel: '6.1',
      code: `${parentCount(`
		return ret;
//              ^^^^^^^^^^^ unbalanced-accounting`)}${DRIVER}`,
    },
    {
      title: 'Remove forgets it',
      kernel: '6.2',
      code: `${FOO}${probe(`		foo_count--;
		vfio_put_device(&foo->vdev);
		return ret;`)}${remove('').replace(
        'static void foo_remove(struct mdev_device *mdev)',
        `static void foo_remove(struct mdev_device *mdev)
//          ^^^^^^^^^^ unbalanced-accounting`,
      )}${DRIVER}`,
    },
  ],
  good: [
    {
      title: 'On every way down',
      kernel: '6.2',
      code: `${FOO}${probe(`		foo_count--;
		vfio_put_device(&foo->vdev);
		return ret;`)}${remove('\tfoo_count--;\n')}${DRIVER}`,
    },
    {
      title: 'The label undoes it',
      kernel: '6.1',
      code: `${parentCount(`
		goto err_count;`)}${DRIVER}`,
    },
    {
      title: '.release undoes it, and .init when it fails',
      kernel: '6.2',
      code: `${BUDGET}${initDev(`		atomic_inc(&foo_ports);
		return -ENOMEM;`)}${remove('')}${DRIVER}`,
    },
    {
      title: 'A number that only grows',
      kernel: '6.2',
      code: `${FOO}${probe(`		vfio_put_device(&foo->vdev);
		return ret;`)}${remove('')}${DRIVER}`,
    },
  ],
};
