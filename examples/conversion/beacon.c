// SPDX-License-Identifier: MIT
/*
 * A PCI beacon without vfio-pci-core, whose memory is managed: nothing frees
 * it by name.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/vfio.h>

struct beacon {
	struct vfio_device vdev;
	struct pci_dev *pdev;
	u32 *pattern;
};

static int beacon_open(struct vfio_device *vdev)
{
	struct beacon *beacon = container_of(vdev, struct beacon, vdev);

	beacon->pattern[0] = 0;
	return 0;
}

static const struct vfio_device_ops beacon_ops = {
	.name = "beacon",
	.open_device = beacon_open,
};

static int beacon_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct beacon *beacon;
	int ret;

	beacon = devm_kzalloc(&pdev->dev, sizeof(*beacon), GFP_KERNEL);
	if (!beacon)
		return -ENOMEM;
	vfio_init_group_dev(&beacon->vdev, &pdev->dev, &beacon_ops);
	beacon->pdev = pdev;

	beacon->pattern = kcalloc(8, sizeof(*beacon->pattern), GFP_KERNEL);
	if (!beacon->pattern) {
		ret = -ENOMEM;
		goto err_uninit;
	}

	ret = vfio_register_group_dev(&beacon->vdev);
	if (ret)
		goto err_pattern;

	pci_set_drvdata(pdev, beacon);
	return 0;

err_pattern:
	kfree(beacon->pattern);
err_uninit:
	vfio_uninit_group_dev(&beacon->vdev);
	return ret;
}

static void beacon_remove(struct pci_dev *pdev)
{
	struct beacon *beacon = pci_get_drvdata(pdev);

	vfio_unregister_group_dev(&beacon->vdev);
	kfree(beacon->pattern);
	vfio_uninit_group_dev(&beacon->vdev);
}

static const struct pci_device_id beacon_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(0x1af4, 0x10f0) },
	{ }
};
MODULE_DEVICE_TABLE(pci, beacon_ids);

static struct pci_driver beacon_driver = {
	.name = KBUILD_MODNAME,
	.id_table = beacon_ids,
	.probe = beacon_probe,
	.remove = beacon_remove,
	.driver_managed_dma = true,
};

module_pci_driver(beacon_driver);
MODULE_DESCRIPTION("A beacon with managed memory");
MODULE_LICENSE("Dual MIT/GPL");
