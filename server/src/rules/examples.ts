/**
 * Parts that the examples of many rules share, so that each example is a whole driver and shows
 * what it is about. The driver is
 * for a mediated device because its probe and remove need the fewest lines.
 */

/**
 * The container and its ops table, for kernels that do not ask for a `.release` (≤ 6.0 and ≥ 6.2).
 */
export const FOO = `struct foo {
	struct vfio_device vdev;
	struct workqueue_struct *wq;
	void *config;
};

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
};
`;

/** The container and its ops table for 6.1, where `.release` is mandatory. */
export const FOO_6_1 = `struct foo {
	struct vfio_device vdev;
	struct workqueue_struct *wq;
	void *config;
};

static void foo_release_dev(struct vfio_device *vdev)
{
	vfio_free_device(vdev);
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.release = foo_release_dev,
};
`;

/** A right probe of the new model. */
export const PROBE = `
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
		goto err_put;
	return 0;

err_put:
	vfio_put_device(&foo->vdev);
	return ret;
}
`;

/** A right remove of the new model. */
export const REMOVE = `
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
}
`;

/** A right remove of the new model, for a probe that fills `config`. */
export const REMOVE_CONFIG = REMOVE.replace(
  '\tvfio_put_device',
  '\tkfree(foo->config);\n\tvfio_put_device',
);

/** A right probe of the old model, 5.16 – 6.0. */
export const OLD_PROBE = `
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = kzalloc(sizeof(*foo), GFP_KERNEL);
	if (!foo)
		return -ENOMEM;
	vfio_init_group_dev(&foo->vdev, &mdev->dev, &foo_ops);

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		goto err_free;
	return 0;

err_free:
	vfio_uninit_group_dev(&foo->vdev);
	kfree(foo);
	return ret;
}
`;

/** A right remove of the old model. */
export const OLD_REMOVE = `
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	vfio_uninit_group_dev(&foo->vdev);
	kfree(foo);
}
`;

/** A right remove of the old model, for a probe that fills `config`. */
export const OLD_REMOVE_CONFIG = OLD_REMOVE.replace(
  '\tkfree(foo);',
  '\tkfree(foo->config);\n\tkfree(foo);',
);

/** The driver table. */
export const DRIVER = `
static struct mdev_driver foo_driver = {
	.probe = foo_probe,
	.remove = foo_remove,
};
`;
