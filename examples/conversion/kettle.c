// SPDX-License-Identifier: MIT
/*
 * A mediated kettle. One helper makes the object and returns NULL when it
 * cannot, another takes it down, and all kettles are in a list.
 */
#include <linux/device.h>
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vfio.h>
#include <linux/vmalloc.h>

#define KETTLE_LIMIT 2

struct kettle {
	struct vfio_device vdev;
	struct list_head node;
	void *water;
	unsigned int heat;
};

static LIST_HEAD(kettles);
static DEFINE_MUTEX(kettles_lock);	/* guards kettles */
static atomic_t kettles_left = ATOMIC_INIT(KETTLE_LIMIT);
static struct device *kettle_root;
static struct mdev_parent kettle_parent;

static struct mdev_type kettle_type = {
	.sysfs_name = "1",
	.pretty_name = "kettle",
};

static struct mdev_type *kettle_types[] = { &kettle_type };

static int kettle_open(struct vfio_device *vdev)
{
	struct kettle *kettle = container_of(vdev, struct kettle, vdev);

	memset(kettle->water, 0, PAGE_SIZE);
	kettle->heat = 20;
	return 0;
}

static const struct vfio_device_ops kettle_ops = {
	.name = "kettle",
	.open_device = kettle_open,
};

static struct kettle *kettle_create(struct device *dev)
{
	struct kettle *kettle;

	if (atomic_dec_if_positive(&kettles_left) < 0)
		return NULL;

	kettle = kvzalloc(sizeof(*kettle), GFP_KERNEL);
	if (!kettle) {
		atomic_inc(&kettles_left);
		return NULL;
	}

	kettle->water = vzalloc(PAGE_SIZE);
	if (!kettle->water) {
		atomic_inc(&kettles_left);
		kvfree(kettle);
		return NULL;
	}
	INIT_LIST_HEAD(&kettle->node);
	vfio_init_group_dev(&kettle->vdev, dev, &kettle_ops);
	return kettle;
}

static void kettle_destroy(struct kettle *kettle)
{
	atomic_inc(&kettles_left);
	vfree(kettle->water);
	vfio_uninit_group_dev(&kettle->vdev);
	kvfree(kettle);
}

static int kettle_probe(struct mdev_device *mdev)
{
	struct kettle *kettle;
	int ret;

	kettle = kettle_create(&mdev->dev);
	if (!kettle)
		return -ENOMEM;

	mutex_lock(&kettles_lock);
	list_add(&kettle->node, &kettles);
	mutex_unlock(&kettles_lock);

	ret = vfio_register_emulated_iommu_dev(&kettle->vdev);
	if (ret) {
		mutex_lock(&kettles_lock);
		list_del(&kettle->node);
		mutex_unlock(&kettles_lock);
		kettle_destroy(kettle);
		return ret;
	}
	dev_set_drvdata(&mdev->dev, kettle);
	return 0;
}

static void kettle_remove(struct mdev_device *mdev)
{
	struct kettle *kettle = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&kettle->vdev);
	mutex_lock(&kettles_lock);
	list_del(&kettle->node);
	mutex_unlock(&kettles_lock);
	kettle_destroy(kettle);
}

static struct mdev_driver kettle_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.driver = {
		.name = "kettle",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
	},
	.probe = kettle_probe,
	.remove = kettle_remove,
};

static int __init kettle_init(void)
{
	int ret;

	kettle_root = root_device_register("kettle");
	if (IS_ERR(kettle_root))
		return PTR_ERR(kettle_root);

	ret = mdev_register_driver(&kettle_driver);
	if (ret)
		goto err_root;

	ret = mdev_register_parent(&kettle_parent, kettle_root, &kettle_driver,
				   kettle_types, ARRAY_SIZE(kettle_types));
	if (ret)
		goto err_driver;
	return 0;

err_driver:
	mdev_unregister_driver(&kettle_driver);
err_root:
	root_device_unregister(kettle_root);
	return ret;
}

static void __exit kettle_exit(void)
{
	mdev_unregister_parent(&kettle_parent);
	mdev_unregister_driver(&kettle_driver);
	root_device_unregister(kettle_root);
}

module_init(kettle_init);
module_exit(kettle_exit);
MODULE_DESCRIPTION("A kettle that a helper makes");
MODULE_LICENSE("Dual MIT/GPL");
