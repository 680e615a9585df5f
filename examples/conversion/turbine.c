// SPDX-License-Identifier: MIT
/*
 * A variant in which each kind of device has an init call of its own, with
 * its own ops table, and both reach one register.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

struct turbine {
	struct vfio_pci_core_device core_device;
	u32 speed;
};

static int turbine_open(struct vfio_device *core_vdev)
{
	struct turbine *turbine =
		container_of(core_vdev, struct turbine, core_device.vdev);
	int ret;

	ret = vfio_pci_core_enable(&turbine->core_device);
	if (ret)
		return ret;

	turbine->speed = 0;
	vfio_pci_core_finish_enable(&turbine->core_device);
	return 0;
}

static int turbine_fast_open(struct vfio_device *core_vdev)
{
	struct turbine *turbine =
		container_of(core_vdev, struct turbine, core_device.vdev);
	int ret;

	ret = turbine_open(core_vdev);
	if (!ret)
		turbine->speed = 2;
	return ret;
}

static const struct vfio_device_ops turbine_ops = {
	.name		= "turbine",
	.open_device	= turbine_open,
	.close_device	= vfio_pci_core_close_device,
	.ioctl		= vfio_pci_core_ioctl,
	.device_feature	= vfio_pci_core_ioctl_feature,
	.read		= vfio_pci_core_read,
	.write		= vfio_pci_core_write,
	.mmap		= vfio_pci_core_mmap,
	.request	= vfio_pci_core_request,
	.match		= vfio_pci_core_match,
};

static const struct vfio_device_ops turbine_fast_ops = {
	.name		= "turbine-fast",
	.open_device	= turbine_fast_open,
	.close_device	= vfio_pci_core_close_device,
	.ioctl		= vfio_pci_core_ioctl,
	.device_feature	= vfio_pci_core_ioctl_feature,
	.read		= vfio_pci_core_read,
	.write		= vfio_pci_core_write,
	.mmap		= vfio_pci_core_mmap,
	.request	= vfio_pci_core_request,
	.match		= vfio_pci_core_match,
};

static int turbine_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct turbine *turbine;
	int ret;

	turbine = kzalloc(sizeof(*turbine), GFP_KERNEL);
	if (!turbine)
		return -ENOMEM;

	if (pdev->revision > 0)
		vfio_pci_core_init_device(&turbine->core_device, pdev,
					  &turbine_fast_ops);
	else
		vfio_pci_core_init_device(&turbine->core_device, pdev,
					  &turbine_ops);

	dev_set_drvdata(&pdev->dev, &turbine->core_device);
	ret = vfio_pci_core_register_device(&turbine->core_device);
	if (ret) {
		vfio_pci_core_uninit_device(&turbine->core_device);
		kfree(turbine);
		return ret;
	}
	return 0;
}

static void turbine_remove(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *core = dev_get_drvdata(&pdev->dev);
	struct turbine *turbine =
		container_of(core, struct turbine, core_device);

	vfio_pci_core_unregister_device(&turbine->core_device);
	vfio_pci_core_uninit_device(&turbine->core_device);
	kfree(turbine);
}

static const struct pci_device_id turbine_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(0x1af4, 0x10f0) },
	{ }
};
MODULE_DEVICE_TABLE(pci, turbine_ids);

static struct pci_driver turbine_driver = {
	.name = KBUILD_MODNAME,
	.id_table = turbine_ids,
	.probe = turbine_probe,
	.remove = turbine_remove,
	.driver_managed_dma = true,
};

module_pci_driver(turbine_driver);
MODULE_DESCRIPTION("A variant with an init call for each ops table");
MODULE_LICENSE("Dual MIT/GPL");
