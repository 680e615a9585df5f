/** The source of a new driver of a platform device. */
import { before, iommufdMembers, isBefore, joined, moduleInfo, since } from './c-text.ts';
import { regionInfo } from './region-info.ts';
import type { DriverNames } from './types.ts';

/**
 * The driver. It does not need the header of vfio-platform's core, which is private to the kernel
 * tree: user space maps the memory of the device.
 */
export function platformDriver(names: DriverNames): string {
  return joined(
    head(names),
    lifeCycle(names),
    requests(names),
    mapping(names),
    table(names),
    probe(names),
    remove(names),
    driver(names),
  );
}

function head({ name, upper }: DriverNames): string {
  return `// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO driver for ${name}, a platform device whose memory user space maps.
 */
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

/* Where a region begins in the file of the device. */
#define ${upper}_OFFSET_SHIFT	40
#define ${upper}_OFFSET(index)	((u64)(index) << ${upper}_OFFSET_SHIFT)
#define ${upper}_PAGES_MASK	((1UL << (${upper}_OFFSET_SHIFT - PAGE_SHIFT)) - 1)

struct ${name}_region {
	phys_addr_t addr;
	resource_size_t size;
};

struct ${name}_device {
	struct vfio_device vdev;
	unsigned int num_regions;
	struct ${name}_region *regions;
};

static struct ${name}_device *to_${name}(struct vfio_device *vdev)
{
	return container_of(vdev, struct ${name}_device, vdev);
}
`;
}

function lifeCycle({ name, kernel }: DriverNames): string {
  return joined(
    `
/* Takes what lives as long as the device. What fails here undoes itself: .release is not called. */
static int ${name}_init(struct vfio_device *vdev)
{
	struct ${name}_device *${name} = to_${name}(vdev);
	struct platform_device *pdev = to_platform_device(vdev->dev);
	unsigned int i;

	while (platform_get_resource(pdev, IORESOURCE_MEM, ${name}->num_regions))
		${name}->num_regions++;
	if (!${name}->num_regions)
		return -ENODEV;

	${name}->regions = kcalloc(${name}->num_regions, sizeof(*${name}->regions), GFP_KERNEL);
	if (!${name}->regions)
		return -ENOMEM;

	for (i = 0; i < ${name}->num_regions; i++) {
		struct resource *res = platform_get_resource(pdev, IORESOURCE_MEM, i);

		${name}->regions[i].addr = res->start;
		${name}->regions[i].size = resource_size(res);
	}
	return 0;
}

/* Runs after the last put. */
static void ${name}_release(struct vfio_device *vdev)
{
	struct ${name}_device *${name} = to_${name}(vdev);

	kfree(${name}->regions);
`,
    before(kernel, [6, 2], '	vfio_free_device(vdev);\n'),
    `}

/* The first user opens the device. Power it up here, and bring it into a state that is known. */
static int ${name}_open_device(struct vfio_device *vdev)
{
	return 0;
}

/* The last user is gone. Stop the device here: it does no more DMA after this. */
static void ${name}_close_device(struct vfio_device *vdev)
{
}
`,
  );
}

function requests({ name, upper, kernel }: DriverNames): string {
  const region = {
    name,
    kernel,
    locals: `	struct ${name}_device *${name} = to_${name}(vdev);\n`,
    check: `	if (info->index >= ${name}->num_regions)
		return -EINVAL;
`,
    size: `${name}->regions[info->index].size`,
    offset: `${upper}_OFFSET(info->index)`,
    flags: `${name}_region_flags(&${name}->regions[info->index])`,
  };
  return joined(
    `
static bool ${name}_can_map(const struct ${name}_region *region)
{
	return PAGE_ALIGNED(region->addr) && PAGE_ALIGNED(region->size);
}

static u32 ${name}_region_flags(const struct ${name}_region *region)
{
	return ${name}_can_map(region) ? VFIO_REGION_INFO_FLAG_MMAP : 0;
}

static long ${name}_get_info(struct ${name}_device *${name}, struct vfio_device_info __user *arg)
{
	unsigned long minsz = offsetofend(struct vfio_device_info, num_irqs);
	struct vfio_device_info info;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;

	info.flags = VFIO_DEVICE_FLAGS_PLATFORM;
	info.num_regions = ${name}->num_regions;
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
		return ${name}_get_info(to_${name}(vdev), uarg);
`,
    before(
      kernel,
      [6, 19],
      `	case VFIO_DEVICE_GET_REGION_INFO:
		return ${name}_get_region_info(vdev, uarg);
`,
    ),
    `	default:
		return -ENOTTY;
	}
}
`,
  );
}

function mapping({ name, upper }: DriverNames): string {
  return `
static int ${name}_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	struct ${name}_device *${name} = to_${name}(vdev);
	unsigned long index = vma->vm_pgoff >> (${upper}_OFFSET_SHIFT - PAGE_SHIFT);
	unsigned long page = vma->vm_pgoff & ${upper}_PAGES_MASK;
	u64 length = vma->vm_end - vma->vm_start;
	struct ${name}_region *region;

	if (index >= ${name}->num_regions || !(vma->vm_flags & VM_SHARED))
		return -EINVAL;

	region = &${name}->regions[index];
	if (!${name}_can_map(region) || ((u64)page << PAGE_SHIFT) + length > region->size)
		return -EINVAL;

	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	return remap_pfn_range(vma, vma->vm_start, (region->addr >> PAGE_SHIFT) + page,
			       length, vma->vm_page_prot);
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
	.close_device = ${name}_close_device,
	.ioctl = ${name}_ioctl,
`,
    since(kernel, [6, 19], `	.get_region_info_caps = ${name}_get_region_info,\n`),
    `	.mmap = ${name}_mmap,\n`,
    iommufdMembers(kernel, 'physical'),
    '};\n',
  );
}

function probe({ name }: DriverNames): string {
  return `
static int ${name}_probe(struct platform_device *pdev)
{
	struct ${name}_device *${name};
	int ret;

	${name} = vfio_alloc_device(${name}_device, vdev, &pdev->dev, &${name}_ops);
	if (IS_ERR(${name}))
		return PTR_ERR(${name});

	platform_set_drvdata(pdev, ${name});
	ret = vfio_register_group_dev(&${name}->vdev);
	if (ret)
		goto err_put;
	return 0;

err_put:
	vfio_put_device(&${name}->vdev);
	return ret;
}
`;
}

/** .remove() of a platform driver returns nothing from 6.11 on; 6.3 to 6.10 have .remove_new(). */
function remove({ name, kernel }: DriverNames): string {
  const returnsInt = isBefore(kernel, [6, 3]);
  return `
static ${returnsInt ? 'int' : 'void'} ${name}_remove(struct platform_device *pdev)
{
	struct ${name}_device *${name} = platform_get_drvdata(pdev);

	vfio_unregister_group_dev(&${name}->vdev);
	vfio_put_device(&${name}->vdev);
${returnsInt ? '	return 0;\n' : ''}}
`;
}

function driver({ name, module, kernel }: DriverNames): string {
  const isNew = !isBefore(kernel, [6, 3]) && isBefore(kernel, [6, 11]);
  return `
/* The device that this driver is for. */
static const struct of_device_id ${name}_of_match[] = {
	{ .compatible = "vendor,${name.replaceAll('_', '-')}" },
	{}
};
MODULE_DEVICE_TABLE(of, ${name}_of_match);

static struct platform_driver ${name}_driver = {
	.probe = ${name}_probe,
	.${isNew ? 'remove_new' : 'remove'} = ${name}_remove,
	.driver = {
		.name = "${module}",
		.of_match_table = ${name}_of_match,
	},
	.driver_managed_dma = true,
};
module_platform_driver(${name}_driver);
${moduleInfo(`VFIO driver for ${name}`)}`;
}
