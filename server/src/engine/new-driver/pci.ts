/** The source of a new vfio-pci variant driver. */
import { iommufdMembers, joined, moduleInfo, since } from './c-text.ts';
import type { DriverNames } from './types.ts';

/**
 * The driver. What the core of vfio-pci does not know of the device is in a buffer that .init
 * allocates: the place for what a device has.
 */
export function pciDriver(names: DriverNames): string {
  return joined(head(names), lifeCycle(names), table(names), driver(names));
}

function head({ name, upper }: DriverNames): string {
  return `// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO driver for ${name}, a PCI device, over the core of vfio-pci.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

/* The device that this driver is for. */
#define ${upper}_VENDOR_ID	0xffff
#define ${upper}_DEVICE_ID	0xffff

#define ${upper}_STATE_SIZE	4096

struct ${name}_device {
	struct vfio_pci_core_device core_device;
	/* What the driver keeps of the device while a user has it open. */
	void *state;
};

static struct ${name}_device *to_${name}(struct vfio_device *vdev)
{
	return container_of(vdev, struct ${name}_device, core_device.vdev);
}
`;
}

/** In 6.1 vfio_pci_core_release_dev() frees the container, so that .init may not call it. */
function lifeCycle({ name, upper }: DriverNames): string {
  return `
/* Takes what lives as long as the device. What fails here undoes itself: .release is not called. */
static int ${name}_init(struct vfio_device *vdev)
{
	struct ${name}_device *${name} = to_${name}(vdev);
	int ret;

	${name}->state = kzalloc(${upper}_STATE_SIZE, GFP_KERNEL);
	if (!${name}->state)
		return -ENOMEM;

	ret = vfio_pci_core_init_dev(vdev);
	if (ret)
		goto err_free;
	return 0;

err_free:
	kfree(${name}->state);
	return ret;
}

/* Runs after the last put. */
static void ${name}_release(struct vfio_device *vdev)
{
	struct ${name}_device *${name} = to_${name}(vdev);

	kfree(${name}->state);
	vfio_pci_core_release_dev(vdev);
}

static int ${name}_open_device(struct vfio_device *vdev)
{
	struct ${name}_device *${name} = to_${name}(vdev);
	int ret;

	ret = vfio_pci_core_enable(&${name}->core_device);
	if (ret)
		return ret;

	memset(${name}->state, 0, ${upper}_STATE_SIZE);
	vfio_pci_core_finish_enable(&${name}->core_device);
	return 0;
}
`;
}

function table({ name, module, kernel }: DriverNames): string {
  return joined(
    `
static const struct vfio_device_ops ${name}_ops = {
	.name = "${module}",
	.init = ${name}_init,
	.release = ${name}_release,
	.open_device = ${name}_open_device,
	.close_device = vfio_pci_core_close_device,
	.ioctl = vfio_pci_core_ioctl,
`,
    since(kernel, [6, 19], '	.get_region_info_caps = vfio_pci_ioctl_get_region_info,\n'),
    `	.device_feature = vfio_pci_core_ioctl_feature,
	.read = vfio_pci_core_read,
	.write = vfio_pci_core_write,
	.mmap = vfio_pci_core_mmap,
	.request = vfio_pci_core_request,
	.match = vfio_pci_core_match,
`,
    since(kernel, [6, 17], '	.match_token_uuid = vfio_pci_core_match_token_uuid,\n'),
    iommufdMembers(kernel, 'physical'),
    '};\n',
  );
}

function driver({ name, upper, module }: DriverNames): string {
  return `
static int ${name}_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct ${name}_device *${name};
	int ret;

	${name} = vfio_alloc_device(${name}_device, core_device.vdev, &pdev->dev, &${name}_ops);
	if (IS_ERR(${name}))
		return PTR_ERR(${name});

	/* The core of vfio-pci looks for its device here. */
	dev_set_drvdata(&pdev->dev, &${name}->core_device);
	ret = vfio_pci_core_register_device(&${name}->core_device);
	if (ret)
		goto err_put;
	return 0;

err_put:
	vfio_put_device(&${name}->core_device.vdev);
	return ret;
}

static void ${name}_remove(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *core_device = dev_get_drvdata(&pdev->dev);

	vfio_pci_core_unregister_device(core_device);
	vfio_put_device(&core_device->vdev);
}

static const struct pci_device_id ${name}_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(${upper}_VENDOR_ID, ${upper}_DEVICE_ID) },
	{}
};
MODULE_DEVICE_TABLE(pci, ${name}_ids);

static struct pci_driver ${name}_driver = {
	.name = "${module}",
	.id_table = ${name}_ids,
	.probe = ${name}_probe,
	.remove = ${name}_remove,
	.err_handler = &vfio_pci_core_err_handlers,
	.driver_managed_dma = true,
};
module_pci_driver(${name}_driver);
${moduleInfo(`VFIO driver for ${name}`)}`;
}
