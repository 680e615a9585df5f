// SPDX-License-Identifier: MIT
/*
 * A mediated clock. A failure to set its mask counts only for a clock that is
 * precise, and each clock has an interrupt.
 */
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/device.h>
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vfio.h>

struct clock_type {
	struct mdev_type type;
	bool precise;
	int irq;
};

struct clock {
	struct vfio_device vdev;
	const struct clock_type *type;
	struct mutex lock;		/* guards ticks */
	u64 ticks;
};

static struct device *clock_root;
static struct mdev_parent clock_parent;
static atomic_t clock_running;

static struct clock_type clock_coarse = {
	.type = { .sysfs_name = "coarse", .pretty_name = "coarse" },
	.irq = 3,
};

static struct clock_type clock_precise = {
	.type = { .sysfs_name = "precise", .pretty_name = "precise" },
	.precise = true,
	.irq = 4,
};

static struct mdev_type *clock_types[] = {
	&clock_coarse.type,
	&clock_precise.type,
};

static irqreturn_t clock_tick(int irq, void *data)
{
	struct clock *clock = data;

	clock->ticks++;
	return IRQ_HANDLED;
}

static int clock_open(struct vfio_device *vdev)
{
	struct clock *clock = container_of(vdev, struct clock, vdev);

	mutex_lock(&clock->lock);
	clock->ticks = clock->type->precise;
	mutex_unlock(&clock->lock);
	return 0;
}

static const struct vfio_device_ops clock_ops = {
	.name = "clock",
	.open_device = clock_open,
};

static int clock_probe(struct mdev_device *mdev)
{
	struct clock *clock;
	int ret;

	clock = kzalloc(sizeof(*clock), GFP_KERNEL);
	if (!clock)
		return -ENOMEM;
	vfio_init_group_dev(&clock->vdev, &mdev->dev, &clock_ops);

	clock->type = container_of(mdev->type, struct clock_type, type);
	mutex_init(&clock->lock);

	ret = dma_set_mask(&mdev->dev, DMA_BIT_MASK(64));
	if (ret && clock->type->precise) {
		dev_err(&mdev->dev, "no mask for a precise clock\n");
		goto out_uninit;
	}

	ret = request_irq(clock->type->irq, clock_tick, IRQF_SHARED, "clock",
			  clock);
	if (ret)
		goto out_uninit;

	ret = vfio_register_emulated_iommu_dev(&clock->vdev);
	if (ret)
		goto out_irq;

	dev_set_drvdata(&mdev->dev, clock);
	atomic_inc(&clock_running);
	return 0;

out_irq:
	free_irq(clock->type->irq, clock);
out_uninit:
	mutex_destroy(&clock->lock);
	vfio_uninit_group_dev(&clock->vdev);
	kfree(clock);
	return ret;
}

static void clock_remove(struct mdev_device *mdev)
{
	struct clock *clock = dev_get_drvdata(&mdev->dev);

	atomic_dec(&clock_running);
	vfio_unregister_group_dev(&clock->vdev);
	free_irq(clock->type->irq, clock);
	mutex_destroy(&clock->lock);
	vfio_uninit_group_dev(&clock->vdev);
	kfree(clock);
}

static struct mdev_driver clock_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.driver = {
		.name = "clock",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
	},
	.probe = clock_probe,
	.remove = clock_remove,
};

static int __init clock_init(void)
{
	int ret;

	clock_root = root_device_register("clock");
	if (IS_ERR(clock_root))
		return PTR_ERR(clock_root);

	ret = mdev_register_driver(&clock_driver);
	if (ret)
		goto err_root;

	ret = mdev_register_parent(&clock_parent, clock_root, &clock_driver,
				   clock_types, ARRAY_SIZE(clock_types));
	if (ret)
		goto err_driver;
	return 0;

err_driver:
	mdev_unregister_driver(&clock_driver);
err_root:
	root_device_unregister(clock_root);
	return ret;
}

static void __exit clock_exit(void)
{
	mdev_unregister_parent(&clock_parent);
	mdev_unregister_driver(&clock_driver);
	root_device_unregister(clock_root);
}

module_init(clock_init);
module_exit(clock_exit);
MODULE_DESCRIPTION("A clock that need not be precise");
MODULE_LICENSE("Dual MIT/GPL");
