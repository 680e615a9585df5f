// SPDX-License-Identifier: MIT
/*
 * A mediated meter as it was written for Linux 5.15 to 6.0: the driver owns
 * the memory that its struct vfio_device is in. From 6.1 on the core does:
 * put the cursor on vfio_init_group_dev and ask for its code actions.
 */
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vfio.h>

struct meter {
	struct vfio_device vdev;
	struct mutex lock;
	void *samples;
};

static int meter_open(struct vfio_device *vdev)
{
	struct meter *meter = container_of(vdev, struct meter, vdev);

	mutex_lock(&meter->lock);
	memset(meter->samples, 0, PAGE_SIZE);
	mutex_unlock(&meter->lock);
	return 0;
}

static const struct vfio_device_ops meter_ops = {
	.name = "meter",
	.open_device = meter_open,
};

static int meter_probe(struct mdev_device *mdev)
{
	struct meter *meter;
	int ret;

	meter = kzalloc(sizeof(*meter), GFP_KERNEL);
	if (!meter)
		return -ENOMEM;

	vfio_init_group_dev(&meter->vdev, &mdev->dev, &meter_ops);
	mutex_init(&meter->lock);

	/* One page holds the samples of an hour. */
	meter->samples = (void *)get_zeroed_page(GFP_KERNEL);
	if (!meter->samples) {
		ret = -ENOMEM;
		goto err_free;
	}

	dev_set_drvdata(&mdev->dev, meter);
	ret = vfio_register_emulated_iommu_dev(&meter->vdev);
	if (ret)
		goto err_samples;

	return 0;

err_samples:
	free_page((unsigned long)meter->samples);
err_free:
	vfio_uninit_group_dev(&meter->vdev);
	kfree(meter);
	return ret;
}

static void meter_remove(struct mdev_device *mdev)
{
	struct meter *meter = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&meter->vdev);
	free_page((unsigned long)meter->samples);
	vfio_uninit_group_dev(&meter->vdev);
	kfree(meter);
}

static struct mdev_driver meter_driver = {
	.driver = {
		.name = "meter",
		.owner = THIS_MODULE,
	},
	.probe = meter_probe,
	.remove = meter_remove,
};
module_driver(meter_driver, mdev_register_driver, mdev_unregister_driver);
MODULE_LICENSE("Dual MIT/GPL");
