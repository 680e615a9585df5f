/** Drivers that the rule null-check-on-alloc reports, and drivers that it stays silent on. */
import type { Rule } from './types.ts';
import { DRIVER, FOO, OLD_PROBE, PROBE, REMOVE, REMOVE_CONFIG } from './examples.ts';

export const nullCheckOnAllocExamples: Rule['examples'] = {
  bad: [
    {
      title: 'The test of a kzalloc() was kept',
      kernel: '6.2',
      code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (!foo)
//          ^^^^ null-check-on-alloc
		return -ENOMEM;

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
}
${REMOVE}${DRIVER}`,
      fixed: `${FOO}
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
${REMOVE}${DRIVER}`,
    },
    {
      title: 'Compared with NULL before a goto',
      kernel: '6.2',
      code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (foo == NULL) {
//          ^^^^^^^^^^^ null-check-on-alloc
		ret = -ENOMEM;
		goto err;
	}

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
err:
	return ret;
}
${REMOVE}${DRIVER}`,
      fixed: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo)) {
		ret = PTR_ERR(foo);
		goto err;
	}

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
err:
	return ret;
}
${REMOVE}${DRIVER}`,
    },
    {
      title: 'IS_ERR_OR_NULL() works and misleads',
      kernel: '6.2',
      code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR_OR_NULL(foo))
//          ^^^^^^^^^^^^^^^^^^^ null-check-on-alloc information
		return PTR_ERR(foo);

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
}
${REMOVE}${DRIVER}`,
      fixed: `${FOO}
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
${REMOVE}${DRIVER}`,
    },
  ],
  good: [
    { title: 'IS_ERR()', kernel: '6.2', code: `${FOO}${PROBE}${REMOVE}${DRIVER}` },
    {
      title: 'The old model allocates with kzalloc(), which does return NULL',
      kernel: '6.0',
      code: `${FOO}${OLD_PROBE.replace(/^\tvfio_init_group_dev\(.*$/m, (line) => `${line}\n//      ^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev`)}`,
    },
    {
      title: 'drvdata may be NULL',
      kernel: '6.2',
      code: `${FOO}${PROBE}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	if (!foo)
		return;
	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
}
${DRIVER}`,
    },
    {
      title: 'Memory of the driver beside the device',
      kernel: '6.2',
      code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	foo->config = kzalloc(256, GFP_KERNEL);
	if (!foo->config) {
		ret = -ENOMEM;
		goto err_put;
	}
	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		goto err_put;
	return 0;

err_put:
	kfree(foo->config);
	vfio_put_device(&foo->vdev);
	return ret;
}
${REMOVE_CONFIG}${DRIVER}`,
    },
  ],
};
