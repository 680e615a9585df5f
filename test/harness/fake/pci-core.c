/*
 * vfio-pci-core: init_device and uninit_device of the old model, .init and .release of the new one. The state that the real one sets up is a
 * resource here, which tells whether each init has had its uninit or release.
 */
#include <linux/pci.h>
#include <linux/version.h>
#include <linux/vfio_pci_core.h>
#include "../harness.h"
#include "fake.h"

void vfio_init_group_dev(struct vfio_device *device, struct device *parent, const struct vfio_device_ops *ops);
void vfio_uninit_group_dev(struct vfio_device *device);

static const char state[] = "the state of vfio-pci-core";

void vfio_pci_core_init_device(struct vfio_pci_core_device *core, struct pci_dev *pdev, const struct vfio_device_ops *ops)
{
	vfio_init_group_dev(&core->vdev, &pdev->dev, ops);
	core->pdev = pdev;
	host_acquire(state, (unsigned long)core);
}

void vfio_pci_core_uninit_device(struct vfio_pci_core_device *core)
{
	host_release(state, (unsigned long)core);
	vfio_uninit_group_dev(&core->vdev);
}

int vfio_pci_core_init_dev(struct vfio_device *device)
{
	struct vfio_pci_core_device *core = container_of(device, struct vfio_pci_core_device, vdev);

	core->pdev = to_pci_dev(device->dev);
	host_acquire(state, (unsigned long)core);
	return 0;
}

void vfio_pci_core_release_dev(struct vfio_device *device)
{
	host_release(state, (unsigned long)container_of(device, struct vfio_pci_core_device, vdev));
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
	vfio_free_device(device);
#endif
}

/* The core's init takes nothing that a driver must give back when its own .init fails afterwards; on 6.1 it could not, since release frees. */
void fake_init_failed(struct vfio_device *device)
{
	unsigned long core = (unsigned long)container_of(device, struct vfio_pci_core_device, vdev);

	if (host_holds(state, core))
		host_release(state, core);
}

int vfio_pci_core_register_device(struct vfio_pci_core_device *core)
{
	if (core->pdev != to_pci_dev(core->vdev.dev))
		host_bug("vfio_pci_core_register_device without vfio-pci-core's init");
	if (dev_get_drvdata(&core->pdev->dev) != core) {
		host_bug("the driver data is not the vfio_pci_core_device when it is registered");
		return -EINVAL;
	}
	return vfio_register_group_dev(&core->vdev);
}

void vfio_pci_core_unregister_device(struct vfio_pci_core_device *core)
{
	vfio_unregister_group_dev(&core->vdev);
}
