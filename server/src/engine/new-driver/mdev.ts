/** The source of a new driver of mediated devices. */
import { before, iommufdMembers, joined, moduleInfo, since } from './c-text.ts';
import { regionInfo } from './region-info.ts';
import type { DriverNames } from './types.ts';

/** The driver. Its devices have one region of memory, which user space reads and writes. */
export function mdevDriver(names: DriverNames): string {
  return joined(
    head(names),
    lifeCycle(names),
    access(names),
    requests(names),
    table(names),
    driver(names),
  );
}

function head({ name, upper, module }: DriverNames): string {
  return `// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO driver for ${name}: mediated devices that the driver emulates.
 */
#include <linux/fs.h>
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#define ${upper}_REGION_SIZE	4096
#define ${upper}_MAX_DEVICES	8

struct ${name}_device {
	struct vfio_device vdev;
	/* Protects memory. */
	struct mutex lock;
	u8 *memory;
};

/* The device that the mediated devices hang off: that of the hardware, where there is one. */
static struct platform_device *${name}_parent_device;
static struct mdev_parent ${name}_parent;

static struct mdev_type ${name}_type = {
	.sysfs_name = "${name}",
	.pretty_name = "${module}",
};

static struct mdev_type *${name}_types[] = { &${name}_type };

static struct ${name}_device *to_${name}(struct vfio_device *vdev)
{
	return container_of(vdev, struct ${name}_device, vdev);
}
`;
}

function lifeCycle({ name, upper, kernel }: DriverNames): string {
  return joined(
    `
/* Takes what lives as long as the device. What fails here undoes itself: .release is not called. */
static int ${name}_init(struct vfio_device *vdev)
{
	struct ${name}_device *${name} = to_${name}(vdev);

	${name}->memory = kzalloc(${upper}_REGION_SIZE, GFP_KERNEL);
	if (!${name}->memory)
		return -ENOMEM;

	mutex_init(&${name}->lock);
	return 0;
}

/* Runs after the last put. */
static void ${name}_release(struct vfio_device *vdev)
{
	struct ${name}_device *${name} = to_${name}(vdev);

	mutex_destroy(&${name}->lock);
	kfree(${name}->memory);
`,
    before(kernel, [6, 2], '	vfio_free_device(vdev);\n'),
    `}

static void ${name}_reset(struct ${name}_device *${name})
{
	mutex_lock(&${name}->lock);
	memset(${name}->memory, 0, ${upper}_REGION_SIZE);
	mutex_unlock(&${name}->lock);
}

/* The first user opens the device; each begins with an empty one. */
static int ${name}_open_device(struct vfio_device *vdev)
{
	${name}_reset(to_${name}(vdev));
	return 0;
}

/* The last user is gone. Stop here what .open_device starts. */
static void ${name}_close_device(struct vfio_device *vdev)
{
}
`,
  );
}

function access({ name, upper }: DriverNames): string {
  return `
static ssize_t ${name}_read(struct vfio_device *vdev, char __user *buf, size_t count, loff_t *ppos)
{
	struct ${name}_device *${name} = to_${name}(vdev);
	ssize_t ret;

	mutex_lock(&${name}->lock);
	ret = simple_read_from_buffer(buf, count, ppos, ${name}->memory, ${upper}_REGION_SIZE);
	mutex_unlock(&${name}->lock);
	return ret;
}

static ssize_t ${name}_write(struct vfio_device *vdev, const char __user *buf, size_t count, loff_t *ppos)
{
	struct ${name}_device *${name} = to_${name}(vdev);
	ssize_t ret;

	mutex_lock(&${name}->lock);
	ret = simple_write_to_buffer(${name}->memory, ${upper}_REGION_SIZE, ppos, buf, count);
	mutex_unlock(&${name}->lock);
	return ret;
}
`;
}

function requests({ name, upper, kernel }: DriverNames): string {
  const region = {
    name,
    kernel,
    locals: '',
    check: `	if (info->index > 0)
		return -EINVAL;
`,
    size: `${upper}_REGION_SIZE`,
    offset: '0',
    flags: 'VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE',
  };
  return joined(
    `
static long ${name}_get_info(struct vfio_device_info __user *arg)
{
	unsigned long minsz = offsetofend(struct vfio_device_info, num_irqs);
	struct vfio_device_info info;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;

	info.flags = VFIO_DEVICE_FLAGS_PLATFORM | VFIO_DEVICE_FLAGS_RESET;
	info.num_regions = 1;
	info.num_irqs = 0;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}
`,
    regionInfo(region),
    `
static long ${name}_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return ${name}_get_info(uarg);
`,
    before(
      kernel,
      [6, 19],
      `	case VFIO_DEVICE_GET_REGION_INFO:
		return ${name}_get_region_info(vdev, uarg);
`,
    ),
    `	case VFIO_DEVICE_RESET:
		${name}_reset(to_${name}(vdev));
		return 0;
	default:
		return -ENOTTY;
	}
}
`,
  );
}

function table({ name, module, kernel }: DriverNames): string {
  return joined(
    `
static const struct vfio_device_ops ${name}_ops = {
	.name = "${module}",
	.init = ${name}_init,
	.release = ${name}_release,
	.open_device = ${name}_open_device,
	.close_device = ${name}_close_device,
	.read = ${name}_read,
	.write = ${name}_write,
	.ioctl = ${name}_ioctl,
`,
    since(kernel, [6, 19], `	.get_region_info_caps = ${name}_get_region_info,\n`),
    iommufdMembers(kernel, 'emulated'),
    '};\n',
  );
}

function driver(names: DriverNames): string {
  const { name } = names;
  return joined(
    `
static int ${name}_probe(struct mdev_device *mdev)
{
	struct ${name}_device *${name};
	int ret;

	${name} = vfio_alloc_device(${name}_device, vdev, &mdev->dev, &${name}_ops);
	if (IS_ERR(${name}))
		return PTR_ERR(${name});

	dev_set_drvdata(&mdev->dev, ${name});
	ret = vfio_register_emulated_iommu_dev(&${name}->vdev);
	if (ret)
		goto err_put;
	return 0;

err_put:
	vfio_put_device(&${name}->vdev);
	return ret;
}

static void ${name}_remove(struct mdev_device *mdev)
{
	struct ${name}_device *${name} = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&${name}->vdev);
	vfio_put_device(&${name}->vdev);
}
`,
    moduleFunctions(names),
    moduleInfo(`VFIO driver for ${name}`),
  );
}

function moduleFunctions({ name, upper, module }: DriverNames): string {
  return `
static struct mdev_driver ${name}_driver = {
	.device_api = VFIO_DEVICE_API_PLATFORM_STRING,
	.max_instances = ${upper}_MAX_DEVICES,
	.driver = {
		.name = "${module}",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
	},
	.probe = ${name}_probe,
	.remove = ${name}_remove,
};

static int __init ${name}_module_init(void)
{
	struct platform_device *pdev;
	int ret;

	pdev = platform_device_register_simple("${module}", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);

	ret = mdev_register_driver(&${name}_driver);
	if (ret)
		goto err_device;

	ret = mdev_register_parent(&${name}_parent, &pdev->dev, &${name}_driver,
				   ${name}_types, ARRAY_SIZE(${name}_types));
	if (ret)
		goto err_driver;

	${name}_parent_device = pdev;
	return 0;

err_driver:
	mdev_unregister_driver(&${name}_driver);
err_device:
	platform_device_unregister(pdev);
	return ret;
}

static void __exit ${name}_module_exit(void)
{
	mdev_unregister_parent(&${name}_parent);
	mdev_unregister_driver(&${name}_driver);
	platform_device_unregister(${name}_parent_device);
}

module_init(${name}_module_init);
module_exit(${name}_module_exit);
`;
}
