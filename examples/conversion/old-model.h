/* SPDX-License-Identifier: MIT */
/*
 * The functions of Linux 5.15 to 6.0 that later headers no longer declare.
 * Included before each of the drivers here, so that they compile against the
 * headers of 6.1, where only the life cycle of their device is of the past.
 */
#ifndef OLD_MODEL_H
#define OLD_MODEL_H

struct device;
struct pci_dev;
struct vfio_device;
struct vfio_device_ops;
struct vfio_pci_core_device;

void vfio_init_group_dev(struct vfio_device *device, struct device *dev,
			 const struct vfio_device_ops *ops);
void vfio_uninit_group_dev(struct vfio_device *device);
void vfio_pci_core_init_device(struct vfio_pci_core_device *vdev,
			       struct pci_dev *pdev,
			       const struct vfio_device_ops *vfio_pci_ops);
void vfio_pci_core_uninit_device(struct vfio_pci_core_device *vdev);

#endif
