/**
 * Drivers that the rule teardown-before-unregister reports, and drivers that it stays silent on.
 */
import type { Rule } from './types.ts';
import { DRIVER, PROBE, REMOVE } from './examples.ts';

const foo = (members = '', read = ''): string => `struct foo {
	struct vfio_device vdev;
	struct mutex lock;
	void *config;
	void *spare;
${members}};

static ssize_t foo_read(struct vfio_device *vdev, char __user *buf, size_t count, loff_t *ppos)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);
	ssize_t ret;

	mutex_lock(&foo->lock);
${read}	ret = simple_read_from_buffer(buf, count, ppos, foo->config, 256);
	mutex_unlock(&foo->lock);
	return ret;
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.read = foo_read,
	.bind_iommufd = vfio_iommufd_emulated_bind,
	.unbind_iommufd = vfio_iommufd_emulated_unbind,
	.attach_ioas = vfio_iommufd_emulated_attach_ioas,
};

static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret = -ENOMEM;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	mutex_init(&foo->lock);
	foo->config = kzalloc(256, GFP_KERNEL);
	if (!foo->config)
		goto err_put;
	foo->spare = kzalloc(256, GFP_KERNEL);
	if (!foo->spare)
		goto err_free;
	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		goto err_spare;
	return 0;

err_spare:
	kfree(foo->spare);
err_free:
	kfree(foo->config);
err_put:
	vfio_put_device(&foo->vdev);
	return ret;
}
`;

const remove = (body: string): string => `
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

${body}	vfio_put_device(&foo->vdev);
}
`;

export const teardownBeforeUnregisterExamples: Rule['examples'] = {
  bad: [
    {
      title: 'drvdata that a callback reads',
      kernel: '6.2',
      code: `struct foo {
	struct vfio_device vdev;
	int users;
};

static int foo_open(struct vfio_device *vdev)
{
	struct foo *foo = dev_get_drvdata(vdev->dev);

	foo->users++;
	return 0;
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.open_device = foo_open,
};
${PROBE}${REMOVE.replace(
        '\tvfio_unregister',
        `\tdev_set_drvdata(&mdev->dev, NULL);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ teardown-before-unregister
\tvfio_unregister`,
      )}${DRIVER}`,
    },
    {
      title: 'Memory that .read uses',
      kernel: '6.2',
      code: `${foo()}${remove(`	kfree(foo->config);
//      ^^^^^^^^^^^^^^^^^^ teardown-before-unregister
	vfio_unregister_group_dev(&foo->vdev);
	kfree(foo->spare);
`)}${DRIVER}`,
      fixed: `${foo()}${remove(`	vfio_unregister_group_dev(&foo->vdev);
	kfree(foo->config);
	kfree(foo->spare);
`)}${DRIVER}`,
    },
    {
      title: 'A lock that .read takes',
      kernel: '6.2',
      code: `${foo()}${remove(`	kfree(foo->spare);
	mutex_destroy(&foo->lock);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^ teardown-before-unregister
	vfio_unregister_group_dev(&foo->vdev);
	kfree(foo->config);
`)}${DRIVER}`,
      fixed: `${foo()}${remove(`	kfree(foo->spare);
	vfio_unregister_group_dev(&foo->vdev);
	mutex_destroy(&foo->lock);
	kfree(foo->config);
`)}${DRIVER}`,
    },
    {
      title: 'In a helper',
      kernel: '6.2',
      code: `${foo()}
static void foo_destroy(struct foo *foo)
{
	kfree(foo->config);
	kfree(foo->spare);
}
${remove(`	foo_destroy(foo);
//      ^^^^^^^^^^^^^^^^ teardown-before-unregister
	vfio_unregister_group_dev(&foo->vdev);
`)}${DRIVER}`,
    },
  ],
  good: [
    {
      title: 'After the unregister',
      kernel: '6.2',
      code: `${foo()}${remove(`	vfio_unregister_group_dev(&foo->vdev);
	kfree(foo->config);
	kfree(foo->spare);
`)}${DRIVER}`,
    },
    {
      title: 'What no callback uses',
      kernel: '6.2',
      code: `${foo()}${remove(`	kfree(foo->spare);
	vfio_unregister_group_dev(&foo->vdev);
	kfree(foo->config);
`)}${DRIVER}`,
    },
    {
      title: 'The callbacks are told first',
      kernel: '6.2',
      code: `${foo(
        '	bool gone;\n',
        `	if (foo->gone) {
		mutex_unlock(&foo->lock);
		return -ENODEV;
	}
`,
      )}${remove(`	mutex_lock(&foo->lock);
	foo->gone = true;
	mutex_unlock(&foo->lock);
	kfree(foo->config);
	kfree(foo->spare);
	vfio_unregister_group_dev(&foo->vdev);
`)}${DRIVER}`,
    },
    {
      title: 'The callbacks look whether it is there',
      kernel: '6.2',
      code: `${foo(
        '',
        `	if (!foo->config) {
		mutex_unlock(&foo->lock);
		return -ENODEV;
	}
`,
      )}${remove(`	mutex_lock(&foo->lock);
	kfree(foo->config);
	foo->config = NULL;
	mutex_unlock(&foo->lock);
	vfio_unregister_group_dev(&foo->vdev);
	kfree(foo->spare);
`)}${DRIVER}`,
    },
    {
      title: 'Files, notifiers and virtual functions',
      kernel: '6.2',
      code: `${foo('	struct dentry *dir;\n	struct notifier_block nb;\n')}${remove(`	debugfs_remove_recursive(foo->dir);
	unregister_reboot_notifier(&foo->nb);
	vfio_unregister_group_dev(&foo->vdev);
	kfree(foo->config);
	kfree(foo->spare);
`)}${DRIVER}`,
    },
  ],
};
