// SPDX-License-Identifier: MIT
/*
 * A driver of the old model with the traps of a conversion in it: something is taken before the allocation, there are two ops tables, a failure
 * counts for some devices only, and remove uses a copy of what the freed object held.
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vfio.h>
#include <linux/vmalloc.h>

struct subject_type {
	struct mdev_type type;
	int ports;
	bool strict;
};

struct subject {
	struct vfio_device vdev;
	struct mutex lock;
	int ports;
	bool strict;
	u8 *config;
	void *memory;
};

static atomic_t ports_left = ATOMIC_INIT(8);
static struct device parent_device;
static struct mdev_parent parent;
static struct subject_type lax_type = { .ports = 1 };
static struct subject_type strict_type = { .ports = 3, .strict = true };
static struct mdev_type *types[] = { &lax_type.type, &strict_type.type };

static int lax_open(struct vfio_device *vdev)
{
	struct subject *p = container_of(vdev, struct subject, vdev);

	memset(p->config, 0, 64);
	return 0;
}

static int strict_open(struct vfio_device *vdev)
{
	struct subject *p = container_of(vdev, struct subject, vdev);

	mutex_lock(&p->lock);
	memset(p->config, 0, 64);
	mutex_unlock(&p->lock);
	return 0;
}

static const struct vfio_device_ops lax_ops = {
	.name = "lax",
	.open_device = lax_open,
};

static const struct vfio_device_ops strict_ops = {
	.name = "strict",
	.open_device = strict_open,
};

static int subject_probe(struct mdev_device *mdev)
{
	struct subject_type *type = container_of(mdev->type, struct subject_type, type);
	const struct vfio_device_ops *ops = type->strict ? &strict_ops : &lax_ops;
	struct subject *p;
	int ret;

	if (atomic_sub_return(type->ports, &ports_left) < 0) {
		atomic_add(type->ports, &ports_left);
		return -ENOSPC;
	}

	p = kzalloc(sizeof(*p), GFP_KERNEL);
	if (!p) {
		ret = -ENOMEM;
		goto err_ports;
	}
	vfio_init_group_dev(&p->vdev, &mdev->dev, ops);
	p->ports = type->ports;
	p->strict = type->strict;
	mutex_init(&p->lock);

	p->config = kzalloc(64, GFP_KERNEL);
	if (!p->config) {
		ret = -ENOMEM;
		goto err_uninit;
	}

	ret = dma_set_mask(&mdev->dev, DMA_BIT_MASK(32));
	if (ret && p->strict)
		goto err_config;

	p->memory = vzalloc(4096);
	if (!p->memory) {
		ret = -ENOMEM;
		goto err_config;
	}

	ret = vfio_register_emulated_iommu_dev(&p->vdev);
	if (ret)
		goto err_memory;
	dev_set_drvdata(&mdev->dev, p);
	return 0;

err_memory:
	vfree(p->memory);
err_config:
	kfree(p->config);
err_uninit:
	vfio_uninit_group_dev(&p->vdev);
	kfree(p);
err_ports:
	atomic_add(type->ports, &ports_left);
	return ret;
}

static void subject_remove(struct mdev_device *mdev)
{
	struct subject *p = dev_get_drvdata(&mdev->dev);
	int ports = p->ports;

	vfio_unregister_group_dev(&p->vdev);
	vfree(p->memory);
	kfree(p->config);
	vfio_uninit_group_dev(&p->vdev);
	kfree(p);
	atomic_add(ports, &ports_left);
}

static unsigned int subject_available(struct mdev_type *mtype)
{
	struct subject_type *type = container_of(mtype, struct subject_type, type);

	return atomic_read(&ports_left) / type->ports;
}

static struct mdev_driver subject_driver = {
	.driver = {
		.name = "subject",
		.owner = THIS_MODULE,
	},
	.probe = subject_probe,
	.remove = subject_remove,
	.get_available = subject_available,
};

static int __init subject_init(void)
{
	mdev_register_driver(&subject_driver);
	return mdev_register_parent(&parent, &parent_device, &subject_driver, types, ARRAY_SIZE(types));
}

module_init(subject_init);
MODULE_LICENSE("Dual MIT/GPL");
