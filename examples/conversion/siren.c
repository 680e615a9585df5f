// SPDX-License-Identifier: MIT
/*
 * A PCI siren without vfio-pci-core and without a label: each failure undoes
 * by itself what came before it. Its number is taken before its memory.
 */
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/vfio.h>

struct siren {
	struct vfio_device vdev;
	int number;
	bool loud;
};

static DEFINE_IDA(siren_numbers);

static int siren_open(struct vfio_device *vdev)
{
	struct siren *siren = container_of(vdev, struct siren, vdev);

	siren->loud = false;
	return 0;
}

static const struct vfio_device_ops siren_ops = {
	.name = "siren",
	.open_device = siren_open,
};

static int siren_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct siren *siren;
	int number, ret;

	number = ida_alloc(&siren_numbers, GFP_KERNEL);
	if (number < 0)
		return number;

	siren = kvzalloc(sizeof(struct siren), GFP_KERNEL);
	if (siren == NULL) {
		ida_free(&siren_numbers, number);
		return -ENOMEM;
	}

	vfio_init_group_dev(&siren->vdev, &pdev->dev, &siren_ops);
	siren->number = number;

	ret = pci_enable_device(pdev);
	if (ret) {
		vfio_uninit_group_dev(&siren->vdev);
		kvfree(siren);
		ida_free(&siren_numbers, number);
		return ret;
	}

	pci_set_drvdata(pdev, siren);
	ret = vfio_register_group_dev(&siren->vdev);
	if (ret) {
		pci_disable_device(pdev);
		vfio_uninit_group_dev(&siren->vdev);
		kvfree(siren);
		ida_free(&siren_numbers, number);
		return ret;
	}

	return 0;
}

static void siren_remove(struct pci_dev *pdev)
{
	struct siren *siren = pci_get_drvdata(pdev);
	int number = siren->number;

	vfio_unregister_group_dev(&siren->vdev);
	pci_disable_device(pdev);
	vfio_uninit_group_dev(&siren->vdev);
	kvfree(siren);
	ida_free(&siren_numbers, number);
}

static const struct pci_device_id siren_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(0x1af4, 0x10f0) },
	{ }
};
MODULE_DEVICE_TABLE(pci, siren_ids);

static struct pci_driver siren_driver = {
	.name = KBUILD_MODNAME,
	.id_table = siren_ids,
	.probe = siren_probe,
	.remove = siren_remove,
	.driver_managed_dma = true,
};

module_pci_driver(siren_driver);
MODULE_DESCRIPTION("A siren without labels");
MODULE_LICENSE("Dual MIT/GPL");
