// SPDX-License-Identifier: MIT
/*
 * A mediated heater whose set-up and tear-down are in helpers: one undoes
 * what is there, on every way out.
 */
#include <linux/device.h>
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vfio.h>

struct heater {
	struct vfio_device vdev;
	struct list_head next;
	u8 *coils;
	u16 *curve;
};

static DEFINE_MUTEX(heater_list_lock);
static LIST_HEAD(heater_list);
static struct device *heater_root;
static struct mdev_parent heater_parent;

static struct mdev_type heater_type = {
	.sysfs_name = "1",
	.pretty_name = "heater",
};

static struct mdev_type *heater_types[] = { &heater_type };

static int heater_open(struct vfio_device *vdev)
{
	struct heater *heater = container_of(vdev, struct heater, vdev);

	heater->coils[0] = 0;
	heater->curve[0] = 20;
	return 0;
}

static void heater_close(struct vfio_device *vdev)
{
	struct heater *heater = container_of(vdev, struct heater, vdev);

	heater->coils[0] = 0;
}

static const struct vfio_device_ops heater_ops = {
	.name = "heater",
	.open_device = heater_open,
	.close_device = heater_close,
};

static int heater_wind(struct heater *heater)
{
	heater->coils = kcalloc(16, sizeof(*heater->coils), GFP_KERNEL);
	if (!heater->coils)
		return -ENOMEM;

	heater->curve = kcalloc(128, sizeof(*heater->curve), GFP_KERNEL);
	if (!heater->curve)
		return -ENOMEM;
	return 0;
}

/* Takes a heater in any state of its set-up. */
static void heater_destroy(struct heater *heater)
{
	kfree(heater->curve);
	kfree(heater->coils);
	vfio_uninit_group_dev(&heater->vdev);
	kfree(heater);
}

static int heater_probe(struct mdev_device *mdev)
{
	struct heater *heater;
	int ret;

	heater = kzalloc(sizeof(*heater), GFP_KERNEL);
	if (!heater)
		return -ENOMEM;
	vfio_init_group_dev(&heater->vdev, &mdev->dev, &heater_ops);
	INIT_LIST_HEAD(&heater->next);

	ret = heater_wind(heater);
	if (ret)
		goto err_destroy;

	dev_set_drvdata(&mdev->dev, heater);
	ret = vfio_register_emulated_iommu_dev(&heater->vdev);
	if (ret)
		goto err_destroy;

	mutex_lock(&heater_list_lock);
	list_add(&heater->next, &heater_list);
	mutex_unlock(&heater_list_lock);
	return 0;

err_destroy:
	heater_destroy(heater);
	return ret;
}

static void heater_remove(struct mdev_device *mdev)
{
	struct heater *heater = dev_get_drvdata(&mdev->dev);

	mutex_lock(&heater_list_lock);
	list_del(&heater->next);
	mutex_unlock(&heater_list_lock);

	vfio_unregister_group_dev(&heater->vdev);
	heater_destroy(heater);
}

static struct mdev_driver heater_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.driver = {
		.name = "heater",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
	},
	.probe = heater_probe,
	.remove = heater_remove,
};

static int __init heater_init(void)
{
	int ret;

	heater_root = root_device_register("heater");
	if (IS_ERR(heater_root))
		return PTR_ERR(heater_root);

	ret = mdev_register_driver(&heater_driver);
	if (ret)
		goto err_root;

	ret = mdev_register_parent(&heater_parent, heater_root, &heater_driver,
				   heater_types, ARRAY_SIZE(heater_types));
	if (ret)
		goto err_driver;
	return 0;

err_driver:
	mdev_unregister_driver(&heater_driver);
err_root:
	root_device_unregister(heater_root);
	return ret;
}

static void __exit heater_exit(void)
{
	mdev_unregister_parent(&heater_parent);
	mdev_unregister_driver(&heater_driver);
	root_device_unregister(heater_root);
}

module_init(heater_init);
module_exit(heater_exit);
MODULE_DESCRIPTION("A heater with helpers");
MODULE_LICENSE("Dual MIT/GPL");
