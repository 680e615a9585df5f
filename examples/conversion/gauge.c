// SPDX-License-Identifier: MIT
/*
 * A mediated gauge that is emulated whole: a configuration space and a page
 * of samples for each device, and a limit to how many there are.
 */
#include <linux/device.h>
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <linux/vmalloc.h>

#define GAUGE_CONFIG_SIZE 256
#define GAUGE_SAMPLES_SIZE PAGE_SIZE
#define GAUGE_LIMIT 3

struct gauge {
	struct vfio_device vdev;
	struct mdev_device *mdev;
	struct mutex lock;		/* guards config and samples */
	u8 *config;
	void *samples;
};

static atomic_t gauge_left = ATOMIC_INIT(GAUGE_LIMIT);
static struct device *gauge_root;
static struct mdev_parent gauge_parent;

static struct mdev_type gauge_type = {
	.sysfs_name = "1",
	.pretty_name = "gauge",
};

static struct mdev_type *gauge_types[] = { &gauge_type };

static void gauge_reset(struct gauge *gauge)
{
	memset(gauge->config, 0, GAUGE_CONFIG_SIZE);
	memset(gauge->samples, 0, GAUGE_SAMPLES_SIZE);
	gauge->config[0] = 0x36;
	gauge->config[1] = 0x12;
}

static int gauge_open(struct vfio_device *vdev)
{
	struct gauge *gauge = container_of(vdev, struct gauge, vdev);

	mutex_lock(&gauge->lock);
	gauge_reset(gauge);
	mutex_unlock(&gauge->lock);
	return 0;
}

static ssize_t gauge_read(struct vfio_device *vdev, char __user *buf,
			  size_t count, loff_t *ppos)
{
	struct gauge *gauge = container_of(vdev, struct gauge, vdev);
	ssize_t ret = count;

	if (*ppos < 0 || *ppos >= GAUGE_CONFIG_SIZE)
		return -EINVAL;
	if (count > GAUGE_CONFIG_SIZE - *ppos)
		return -EINVAL;

	mutex_lock(&gauge->lock);
	if (copy_to_user(buf, gauge->config + *ppos, count))
		ret = -EFAULT;
	else
		*ppos += count;
	mutex_unlock(&gauge->lock);
	return ret;
}

static long gauge_ioctl(struct vfio_device *vdev, unsigned int cmd,
			unsigned long arg)
{
	struct gauge *gauge = container_of(vdev, struct gauge, vdev);

	if (cmd != VFIO_DEVICE_RESET)
		return -ENOTTY;

	mutex_lock(&gauge->lock);
	gauge_reset(gauge);
	mutex_unlock(&gauge->lock);
	return 0;
}

static const struct vfio_device_ops gauge_ops = {
	.name		= "gauge",
	.open_device	= gauge_open,
	.read		= gauge_read,
	.ioctl		= gauge_ioctl,
};

static int gauge_probe(struct mdev_device *mdev)
{
	struct gauge *gauge;
	int ret;

	if (atomic_dec_if_positive(&gauge_left) < 0)
		return -ENOSPC;

	gauge = kzalloc(sizeof(struct gauge), GFP_KERNEL);
	if (!gauge) {
		ret = -ENOMEM;
		goto err_count;
	}
	vfio_init_group_dev(&gauge->vdev, &mdev->dev, &gauge_ops);

	gauge->mdev = mdev;
	mutex_init(&gauge->lock);

	gauge->config = kzalloc(GAUGE_CONFIG_SIZE, GFP_KERNEL);
	if (!gauge->config) {
		ret = -ENOMEM;
		goto err_uninit;
	}

	/* The samples are mapped into user space. */
	gauge->samples = vmalloc_user(GAUGE_SAMPLES_SIZE);
	if (!gauge->samples) {
		ret = -ENOMEM;
		goto err_config;
	}
	gauge_reset(gauge);

	ret = vfio_register_emulated_iommu_dev(&gauge->vdev);
	if (ret)
		goto err_samples;

	dev_set_drvdata(&mdev->dev, gauge);
	dev_info(&mdev->dev, "gauge is there\n");
	return 0;

err_samples:
	vfree(gauge->samples);
err_config:
	kfree(gauge->config);
err_uninit:
	vfio_uninit_group_dev(&gauge->vdev);
	kfree(gauge);
err_count:
	atomic_inc(&gauge_left);
	return ret;
}

static void gauge_remove(struct mdev_device *mdev)
{
	struct gauge *gauge = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&gauge->vdev);
	vfree(gauge->samples);
	kfree(gauge->config);
	vfio_uninit_group_dev(&gauge->vdev);
	kfree(gauge);
	atomic_inc(&gauge_left);
}

static unsigned int gauge_available(struct mdev_type *mtype)
{
	return atomic_read(&gauge_left);
}

static struct mdev_driver gauge_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.driver = {
		.name = "gauge",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
	},
	.probe = gauge_probe,
	.remove = gauge_remove,
	.get_available = gauge_available,
};

static int __init gauge_init(void)
{
	int ret;

	gauge_root = root_device_register("gauge");
	if (IS_ERR(gauge_root))
		return PTR_ERR(gauge_root);

	ret = mdev_register_driver(&gauge_driver);
	if (ret)
		goto err_root;

	ret = mdev_register_parent(&gauge_parent, gauge_root, &gauge_driver,
				   gauge_types, ARRAY_SIZE(gauge_types));
	if (ret)
		goto err_driver;
	return 0;

err_driver:
	mdev_unregister_driver(&gauge_driver);
err_root:
	root_device_unregister(gauge_root);
	return ret;
}

static void __exit gauge_exit(void)
{
	mdev_unregister_parent(&gauge_parent);
	mdev_unregister_driver(&gauge_driver);
	root_device_unregister(gauge_root);
}

module_init(gauge_init);
module_exit(gauge_exit);
MODULE_DESCRIPTION("An emulated gauge");
MODULE_LICENSE("Dual MIT/GPL");
