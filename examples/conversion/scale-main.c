// SPDX-License-Identifier: MIT
/*
 * A mediated scale in two files, with its container in a header.
 */
#include <linux/device.h>
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vfio.h>

#include "scale.h"

static struct device *scale_root;
static struct mdev_parent scale_parent;

static struct mdev_type scale_type = {
	.sysfs_name = "1",
	.pretty_name = "scale",
};

static struct mdev_type *scale_types[] = { &scale_type };

static int scale_open(struct vfio_device *vdev)
{
	struct scale *scale = container_of(vdev, struct scale, vdev);

	mutex_lock(&scale->lock);
	scale->weights[0] = 0;
	mutex_unlock(&scale->lock);
	return 0;
}

static const struct vfio_device_ops scale_ops;

static int scale_probe(struct mdev_device *mdev)
{
	struct scale *scale;
	int ret;

	scale = kzalloc(sizeof(*scale), GFP_KERNEL);
	if (!scale)
		return -ENOMEM;

	vfio_init_group_dev(&scale->vdev, &mdev->dev, &scale_ops);
	mutex_init(&scale->lock);
	ret = scale_calibrate(scale);
	if (ret)
		goto err_free;

	ret = vfio_register_emulated_iommu_dev(&scale->vdev);
	if (ret)
		goto err_forget;

	dev_set_drvdata(&mdev->dev, scale);
	return 0;

err_forget:
	scale_forget(scale);
err_free:
	vfio_uninit_group_dev(&scale->vdev);
	kfree(scale);
	return ret;
}

static void scale_remove(struct mdev_device *mdev)
{
	struct scale *scale = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&scale->vdev);
	scale_forget(scale);
	vfio_uninit_group_dev(&scale->vdev);
	kfree(scale);
}

/* The table stands below the functions; above them it is only declared. */
static const struct vfio_device_ops scale_ops = {
	.name = "scale",
	.open_device = scale_open,
};

static struct mdev_driver scale_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.driver = {
		.name = "scale",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
	},
	.probe = scale_probe,
	.remove = scale_remove,
};

static int __init scale_init(void)
{
	int ret;

	scale_root = root_device_register("scale");
	if (IS_ERR(scale_root))
		return PTR_ERR(scale_root);

	ret = mdev_register_driver(&scale_driver);
	if (ret)
		goto err_root;

	ret = mdev_register_parent(&scale_parent, scale_root, &scale_driver,
				   scale_types, ARRAY_SIZE(scale_types));
	if (ret)
		goto err_driver;
	return 0;

err_driver:
	mdev_unregister_driver(&scale_driver);
err_root:
	root_device_unregister(scale_root);
	return ret;
}

static void __exit scale_exit(void)
{
	mdev_unregister_parent(&scale_parent);
	mdev_unregister_driver(&scale_driver);
	root_device_unregister(scale_root);
}

module_init(scale_init);
module_exit(scale_exit);
MODULE_DESCRIPTION("A scale in two files");
MODULE_LICENSE("Dual MIT/GPL");
