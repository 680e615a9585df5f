// SPDX-License-Identifier: MIT
/*
 * A variant with two ops tables: only the second revision of the device can
 * save its state, the first is driven as the core does it.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

struct valve {
	struct vfio_pci_core_device core_device;
	struct mutex lock;		/* guards saved */
	void *saved;
};

static int valve_open(struct vfio_device *core_vdev)
{
	struct valve *valve =
		container_of(core_vdev, struct valve, core_device.vdev);
	int ret;

	ret = vfio_pci_core_enable(&valve->core_device);
	if (ret)
		return ret;

	vfio_pci_core_finish_enable(&valve->core_device);
	return 0;
}

static int valve_saving_open(struct vfio_device *core_vdev)
{
	struct valve *valve =
		container_of(core_vdev, struct valve, core_device.vdev);

	mutex_lock(&valve->lock);
	memset(valve->saved, 0, PAGE_SIZE);
	mutex_unlock(&valve->lock);
	return valve_open(core_vdev);
}

static const struct vfio_device_ops valve_ops = {
	.name		= "valve",
	.open_device	= valve_open,
	.close_device	= vfio_pci_core_close_device,
	.ioctl		= vfio_pci_core_ioctl,
	.device_feature	= vfio_pci_core_ioctl_feature,
	.read		= vfio_pci_core_read,
	.write		= vfio_pci_core_write,
	.mmap		= vfio_pci_core_mmap,
	.request	= vfio_pci_core_request,
	.match		= vfio_pci_core_match,
};

static const struct vfio_device_ops valve_saving_ops = {
	.name		= "valve-saving",
	.open_device	= valve_saving_open,
	.close_device	= vfio_pci_core_close_device,
	.ioctl		= vfio_pci_core_ioctl,
	.device_feature	= vfio_pci_core_ioctl_feature,
	.read		= vfio_pci_core_read,
	.write		= vfio_pci_core_write,
	.mmap		= vfio_pci_core_mmap,
	.request	= vfio_pci_core_request,
	.match		= vfio_pci_core_match,
};

static int valve_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	const struct vfio_device_ops *ops = &valve_ops;
	struct valve *valve;
	int ret;

	if (pdev->revision > 0)
		ops = &valve_saving_ops;

	valve = kzalloc(sizeof(*valve), GFP_KERNEL);
	if (!valve)
		return -ENOMEM;
	vfio_pci_core_init_device(&valve->core_device, pdev, ops);
	mutex_init(&valve->lock);

	if (ops == &valve_saving_ops) {
		valve->saved = (void *)get_zeroed_page(GFP_KERNEL);
		if (!valve->saved) {
			ret = -ENOMEM;
			goto out_uninit;
		}
	}

	dev_set_drvdata(&pdev->dev, &valve->core_device);
	ret = vfio_pci_core_register_device(&valve->core_device);
	if (ret)
		goto out_saved;
	return 0;

out_saved:
	free_page((unsigned long)valve->saved);
out_uninit:
	vfio_pci_core_uninit_device(&valve->core_device);
	kfree(valve);
	return ret;
}

static void valve_remove(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *core = dev_get_drvdata(&pdev->dev);
	struct valve *valve = container_of(core, struct valve, core_device);

	vfio_pci_core_unregister_device(&valve->core_device);
	free_page((unsigned long)valve->saved);
	vfio_pci_core_uninit_device(&valve->core_device);
	kfree(valve);
}

static const struct pci_device_id valve_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(0x1af4, 0x10f0) },
	{ }
};
MODULE_DEVICE_TABLE(pci, valve_ids);

static struct pci_driver valve_driver = {
	.name = KBUILD_MODNAME,
	.id_table = valve_ids,
	.probe = valve_probe,
	.remove = valve_remove,
	.driver_managed_dma = true,
};

module_pci_driver(valve_driver);
MODULE_DESCRIPTION("A variant with two ops tables");
MODULE_LICENSE("Dual MIT/GPL");
