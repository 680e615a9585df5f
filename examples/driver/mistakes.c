// SPDX-License-Identifier: MIT
/*
 * A mediated lamp for Linux 6.1, with three mistakes in the life of its
 * struct vfio_device. Each of them is marked in the editor.
 */
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/vfio.h>

struct lamp {
	struct vfio_device vdev;
	struct mutex lock;
	u32 switched;
};

static int lamp_open(struct vfio_device *vdev)
{
	struct lamp *lamp = container_of(vdev, struct lamp, vdev);

	mutex_lock(&lamp->lock);
	lamp->switched++;
	mutex_unlock(&lamp->lock);
	return 0;
}

static void lamp_release(struct vfio_device *vdev)
{
	struct lamp *lamp = container_of(vdev, struct lamp, vdev);

	mutex_destroy(&lamp->lock);
	vfio_free_device(vdev);
}

static const struct vfio_device_ops lamp_ops = {
	.name = "lamp",
	.open_device = lamp_open,
	.release = lamp_release,
};

static int lamp_probe(struct mdev_device *mdev)
{
	struct lamp *lamp;
	int ret;

	lamp = vfio_alloc_device(lamp, vdev, &mdev->dev, &lamp_ops);
	if (!lamp)
		return -ENOMEM;

	mutex_init(&lamp->lock);
	dev_set_drvdata(&mdev->dev, lamp);

	ret = vfio_register_emulated_iommu_dev(&lamp->vdev);
	if (ret)
		return ret;

	return 0;
}

static void lamp_remove(struct mdev_device *mdev)
{
	struct lamp *lamp = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&lamp->vdev);
	vfio_put_device(&lamp->vdev);
	dev_info(&mdev->dev, "switched %u times\n", lamp->switched);
}

static struct mdev_driver lamp_driver = {
	.driver = {
		.name = "lamp",
		.owner = THIS_MODULE,
	},
	.probe = lamp_probe,
	.remove = lamp_remove,
};
module_driver(lamp_driver, mdev_register_driver, mdev_unregister_driver);
MODULE_LICENSE("Dual MIT/GPL");
