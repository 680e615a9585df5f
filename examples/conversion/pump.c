// SPDX-License-Identifier: MIT
/*
 * A variant with state of its own: a work queue for the saving of the
 * device's state, a table of pages, and a lock over both.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>
#include <linux/workqueue.h>

#define PUMP_PAGES 64

struct pump {
	struct vfio_pci_core_device core_device;
	struct mutex state_lock;	/* guards pages */
	struct workqueue_struct *wq;
	struct page **pages;
	u8 strokes;
};

static struct pump *pump_of(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *core = dev_get_drvdata(&pdev->dev);

	return container_of(core, struct pump, core_device);
}

static int pump_open(struct vfio_device *core_vdev)
{
	struct pump *pump =
		container_of(core_vdev, struct pump, core_device.vdev);
	int ret;

	ret = vfio_pci_core_enable(&pump->core_device);
	if (ret)
		return ret;

	mutex_lock(&pump->state_lock);
	pump->pages[0] = NULL;
	pump->strokes = 0;
	mutex_unlock(&pump->state_lock);
	vfio_pci_core_finish_enable(&pump->core_device);
	return 0;
}

static const struct vfio_device_ops pump_ops = {
	.name		= "pump",
	.open_device	= pump_open,
	.close_device	= vfio_pci_core_close_device,
	.ioctl		= vfio_pci_core_ioctl,
	.device_feature	= vfio_pci_core_ioctl_feature,
	.read		= vfio_pci_core_read,
	.write		= vfio_pci_core_write,
	.mmap		= vfio_pci_core_mmap,
	.request	= vfio_pci_core_request,
	.match		= vfio_pci_core_match,
};

static int pump_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct pump *pump;
	int ret;

	pump = kzalloc(sizeof(*pump), GFP_KERNEL);
	if (!pump)
		return -ENOMEM;
	vfio_pci_core_init_device(&pump->core_device, pdev, &pump_ops);

	mutex_init(&pump->state_lock);
	pump->wq = alloc_ordered_workqueue("pump", 0);
	if (!pump->wq) {
		ret = -ENOMEM;
		goto out_uninit;
	}

	pump->pages = kvcalloc(PUMP_PAGES, sizeof(*pump->pages), GFP_KERNEL);
	if (!pump->pages) {
		ret = -ENOMEM;
		goto out_wq;
	}

	dev_set_drvdata(&pdev->dev, &pump->core_device);
	ret = vfio_pci_core_register_device(&pump->core_device);
	if (ret)
		goto out_pages;
	return 0;

out_pages:
	kvfree(pump->pages);
out_wq:
	destroy_workqueue(pump->wq);
out_uninit:
	vfio_pci_core_uninit_device(&pump->core_device);
	kfree(pump);
	return ret;
}

static void pump_remove(struct pci_dev *pdev)
{
	struct pump *pump = pump_of(pdev);

	vfio_pci_core_unregister_device(&pump->core_device);
	kvfree(pump->pages);
	destroy_workqueue(pump->wq);
	vfio_pci_core_uninit_device(&pump->core_device);
	kfree(pump);
}

static const struct pci_device_id pump_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(0x1af4, 0x10f0) },
	{ }
};
MODULE_DEVICE_TABLE(pci, pump_ids);

static struct pci_driver pump_driver = {
	.name = KBUILD_MODNAME,
	.id_table = pump_ids,
	.probe = pump_probe,
	.remove = pump_remove,
	.driver_managed_dma = true,
};

module_pci_driver(pump_driver);
MODULE_DESCRIPTION("A variant with state");
MODULE_LICENSE("Dual MIT/GPL");
